//! The decision about one login, made inside PostgreSQL by the preloaded library.
//!
//! [`decide`] reads the configuration and checks the token. The launcher and the preloaded library
//! are different processes, so [`variables`] names what the one passes to the other.

mod decision;
pub mod variables;

pub use decision::{Decision, INTERNAL, WRONG_PASSWORD, decide};
