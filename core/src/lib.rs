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

// Each group uses only what stands above it.

mod error;
mod limits;
mod message;
mod number;
pub mod timestamp;
mod wipe;

pub mod names;

mod sigv4;

pub mod credentials;

mod signer;

mod received;

pub mod inspect;
pub mod policy;
pub mod verify;

pub use aws_credential_types::Credentials;
pub use error::{Error, ErrorCode, ErrorKind};
pub use limits::{DEFAULT_CREDENTIALS_TIMEOUT, DEFAULT_PORT, MAX_EXPIRES_IN};
#[doc(no_inline)]
pub use names as endpoint;
pub use number::Number;
pub use signer::{RegionSource, Signer, SignerBuilder, Target, Token};
