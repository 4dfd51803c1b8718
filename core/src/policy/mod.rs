//! IAM policies for `rds-db:connect`, the one action of IAM database authentication: write the
//! policy that a database user needs, and say what a set of policies decides for one login.
//!
//! A resource's user name is a pattern: `*` and `?` in it are wildcards, and IAM has no plain way
//! to write them as themselves. Only identity policies without a `Condition` are evaluated. What
//! cannot be evaluated is an error, in a Deny too, and is never passed over: a statement that is
//! read in part decides something else than IAM does.
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
