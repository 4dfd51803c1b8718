//! Parses received tokens, and checks their signatures.
//!
//! Nothing here decides who may log in: [`verify`](crate::verify) does. The text may be anything
//! that a client sent as a password, so no message repeats it.

mod parts;
mod repeated;
mod signature;

pub use parts::{Malformed, Parts, parse};
pub(crate) use parts::{PARAMETERS, parse_endpoint, parse_scope, percent_decoded};
pub(crate) use repeated::{LONGEST_PIECE, repeats, repeats_a_secret};
pub(crate) use signature::{session_token_problem, signed_host};
