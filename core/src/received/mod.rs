//! A received token: its text taken apart, and whether its signature is right.
//!
//! Nothing here decides who may log in; that is [`verify`](crate::verify). The text may be
//! anything that a client sent as a password, so no message repeats it.

mod parts;
mod signature;

pub use parts::{Malformed, Parts, parse};
pub(crate) use parts::{PARAMETERS, parse_endpoint, parse_scope};
pub(crate) use signature::{session_token_problem, signed_host};
