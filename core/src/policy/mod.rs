//! Writes the IAM policy that a database user needs, and evaluates policies for one login. Both are
//! about `rds-db:connect`, the only action of IAM database authentication.
//!
//! The user name in a policy's resource is a pattern: `*` and `?` are wildcards, and IAM has no
//! simple way to escape them. Only identity policies without a `Condition` are evaluated. Anything
//! else is an error, even in a Deny: if part of a statement were ignored, the decision could differ
//! from IAM's.
//!
//! Grammar: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html>

mod check;
mod document;
mod evaluate;
mod json;
mod near_miss;
#[cfg(test)]
mod tests;
mod write;

pub use check::{Check, check};
pub use document::{Policy, PolicyError};
pub use evaluate::{Decision, StatementId, evaluate};
pub use near_miss::{Difference, NearMiss};
pub use write::{connect_policy, connect_sql, quoted_identifier};

pub use crate::names::{CONNECT_ACTION, ConnectResource, InvalidResource, Wildcards};
