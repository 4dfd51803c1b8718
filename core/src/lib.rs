//! Signs IAM database authentication tokens for Amazon RDS, Aurora and Aurora DSQL. Signing needs no
//! network, and the bytes equal those of `aws rds generate-db-auth-token`, or of
//! `aws dsql generate-db-connect-auth-token`.
//!
//! [`Signer`] makes tokens. [`verify`] is the server's side: it decides whether a login is allowed,
//! or why not. [`policy`] writes and evaluates the IAM policies that allow a login. [`inspect`]
//! takes a token apart and says what is wrong with it. All rules, defaults and messages are in this
//! crate; the bindings for other languages only convert.
//!
//! AWS documents the tokens:
//! <https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/UsingWithRDS.IAMDBAuth.Connecting.html>

// Each group uses only the groups above it.

mod allocator;
#[doc(hidden)] // for the command line and the proxy
pub mod answers;
mod error;
mod limits;
mod message;
mod number;
mod system;
pub mod timestamp;
mod wipe;

pub mod names;

mod sigv4;

pub mod credentials;
pub mod libpq;

mod signer;

mod received;

pub mod inspect;
pub mod policy;
pub mod verify;

pub use allocator::WipingAllocator;
pub use aws_credential_types::Credentials;
#[cfg(feature = "chain")]
pub use credentials::{Event, EventKind};
pub use error::{Error, ErrorCode, ErrorKind};
pub use limits::{DEFAULT_CREDENTIALS_TIMEOUT, DEFAULT_EXPIRES_IN, DEFAULT_PORT};
#[doc(hidden)] // for the messages of bindings and of the command line
pub use message::{quoted, shortened, without_secrets};
#[doc(no_inline)]
pub use names as endpoint;
pub use names::Service;
pub use number::Number;
pub use signer::{RegionSource, Signer, SignerBuilder, Target, Token};
