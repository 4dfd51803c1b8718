//! Decides about one login, inside PostgreSQL, when the preloaded library asks for it.
//!
//! [`decide`] reads the configuration and checks the token. The launcher and the preloaded library
//! are different processes, so [`variables`] names the variables that pass settings from one to the
//! other.

mod decision;
pub mod variables;

pub(crate) use decision::LOGIN_AS;
pub use decision::{
    Decision, INTERNAL, Shown, WRONG_PASSWORD, decide, may_replicate_with_tokens, with_login,
};
pub use variables::RULES_FILE;
