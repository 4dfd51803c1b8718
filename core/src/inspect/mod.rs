//! Takes a token apart again, without the network and without any key.
//!
//! [`parse`] is strict: it takes what a server takes. [`examine`] reads as far as it can and says
//! what is wrong, with a stable id, a description and a suggested fix. The input may be anything
//! that a user has as a password, so neither repeats what it did not recognise, and neither ever
//! shows a signature or a session token.

mod checks;
mod cut;
mod damaged;
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
