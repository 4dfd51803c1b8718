//! Signs Amazon RDS and Aurora IAM database authentication tokens, without the network, and
//! byte for byte as `aws rds generate-db-auth-token` does.
//!
//! [`Signer`] makes tokens. [`verify`] is the server's side of the same: it says whether a login
//! would be allowed, or why not. [`policy`] writes and evaluates the IAM policies that allow it,
//! and [`inspect`] takes a token apart. All rules, defaults and messages are in this crate; what
//! other languages see only converts.
//!
//! Source of the token's form:
//! <https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/UsingWithRDS.IAMDBAuth.Connecting.html>

#![deny(unsafe_code)]

mod builder;
pub mod credentials;
pub mod endpoint;
mod error;
pub mod inspect;
mod number;
pub mod policy;
mod presign;
mod signer;
mod sigv4;
pub mod timestamp;
mod token;
pub mod verify;

pub use aws_credential_types::Credentials;
pub use builder::SignerBuilder;
pub use error::{Error, ErrorCode};
pub use number::Number;
pub use signer::{MAX_EXPIRES_IN, Signer};
pub use token::Token;
