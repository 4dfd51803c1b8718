//! Takes a token apart and says what is wrong with it. Needs no network, and keys only to check the
//! signature.
//!
//! [`parse`] is strict: it accepts what a server accepts. [`examine`] reads as much as it can, and
//! reports each problem with a stable ID, a description and a suggested fix. The input may be any
//! password, so neither repeats text that it did not recognize, nor shows a signature or a session
//! token.

mod checks;
mod cut;
mod damaged;
mod enclosing;
mod examine;
mod expected;
mod finding;
mod host;
mod lookalikes;
mod reading;
mod report;
mod shown;
mod signature;
mod wrapping;

pub use examine::examine;
pub use expected::{Driver, Expected};
pub use finding::{Finding, FindingId, Severity};
pub use report::{Details, Report, Signature};

pub use crate::message::spoken;
pub use crate::received::{Malformed, Parts, parse};
