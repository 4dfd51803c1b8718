//! Writes the IAM policy that a database user needs, and evaluates policies for one login. Both are
//! about [`ConnectResource::action`], the only kind of action of IAM database authentication.
//!
//! The user name in a policy's resource is a pattern: `*` and `?` are wildcards, and IAM has no
//! simple way to escape them. A decision may depend on values of the request, such as
//! `aws:username`. [`Variables`] has the known ones; without the others the decision is
//! [`Decision::Undecided`], never a guess.
//!
//! Grammar: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html>

mod check;
mod condition;
mod decision;
mod document;
mod doubt;
mod elements;
mod evaluate;
mod form;
mod json;
mod matching;
mod near_miss;
mod pattern;
mod placeholder;
mod requirement;
mod template;
#[cfg(test)]
mod tests;
mod text;
mod variables;
mod write;

pub use check::{Check, check};
pub use decision::{Decision, OpenStatement, StatementId};
pub use document::{Policy, PolicyError};
pub use evaluate::evaluate;
pub use near_miss::{Difference, NearMiss};
pub use requirement::Requirement;
pub use text::{MAX_POLICY_LENGTH, policy_text};
pub use variables::{InvalidVariable, Variables};
pub use write::{connect_policy, connect_sql, dsql_sql, quoted_identifier};

pub use crate::names::{ConnectResource, InvalidResource, Wildcards};
