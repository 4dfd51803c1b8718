//! Signs tokens. The options are checked once, and then one [`Signer`] makes any number of tokens.

mod builder;
mod presign;
mod region;
mod service;
#[expect(clippy::module_inception, reason = "the file of the type Signer")]
mod signer;
mod token;

pub use builder::{SignerBuilder, Target};
pub use region::RegionSource;
pub use signer::Signer;
pub use token::Token;
