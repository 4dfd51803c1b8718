//! The decision of policies about a login. It is open if unknown values decide; it then lists the
//! statements that may apply.

use std::fmt;

use super::requirement::Requirement;

/// The decision of policies for one action on one resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// A statement allows the action, and none denies it.
    Allowed {
        /// The first statement that allows it.
        statement: StatementId,
    },
    /// A statement denies the action, even if others allow it.
    ExplicitlyDenied {
        /// The first statement that denies it.
        statement: StatementId,
    },
    /// No statement applies, so the action is not allowed.
    NotAllowed,
    /// The decision depends on values of the request that are unknown.
    Undecided {
        /// The first statement that allows the action in any case. If there is none, one of
        /// `allows` must apply.
        allowed_by: Option<StatementId>,
        /// The statements that may allow it; empty if `allowed_by` is given.
        allows: Vec<OpenStatement>,
        /// The statements that may deny it.
        denies: Vec<OpenStatement>,
    },
}

/// A statement that applies if all of its requirements hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenStatement {
    /// The statement.
    pub statement: StatementId,
    /// What must hold, at least one.
    pub requirements: Vec<Requirement>,
}

/// Identifies a statement in several policies. `Display` counts policies and statements from 1:
/// `policy 1, Statement 2 (Sid "NoAdmin")`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatementId {
    /// The index of the policy in the slice given to [`evaluate`](super::evaluate()), from 0.
    pub policy: usize,
    /// The number of the statement in its policy, from 1, as in error messages.
    pub statement: usize,
    /// The statement's `Sid`, or `None` if it is missing or empty.
    pub sid: Option<String>,
}

impl Decision {
    /// Returns whether the action is allowed. An undecided action is not.
    pub fn is_allowed(&self) -> bool {
        matches!(self, Self::Allowed { .. })
    }
}

impl OpenStatement {
    /// Returns whether the statement only depends on what a wildcard matches.
    pub(crate) fn is_about_a_wildcard(&self) -> bool {
        let mut all = self.requirements.iter();
        all.all(|open| open.id() == "wildcard-colon" && open.keys().is_empty())
    }

    /// Returns the requirements as text that can follow "if".
    pub fn requirements_text(&self) -> String {
        let texts: Vec<_> = self.requirements.iter().map(ToString::to_string).collect();
        texts.join(", and ")
    }
}

impl fmt::Display for OpenStatement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.requirements_text(), self.statement)
    }
}

impl fmt::Display for Decision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |open: &[OpenStatement]| {
            let texts: Vec<_> = open.iter().map(ToString::to_string).collect();
            texts.join(", or ")
        };
        match self {
            Self::Allowed { statement } => write!(f, "allowed by {statement}"),
            Self::ExplicitlyDenied { statement } => write!(f, "denied by {statement}"),
            Self::NotAllowed => f.write_str("not allowed by any statement"),
            Self::Undecided {
                allowed_by,
                allows,
                denies,
            } => {
                match allowed_by {
                    Some(statement) => write!(f, "allowed by {statement}")?,
                    None => write!(f, "allowed if {}", list(allows))?,
                }
                match denies[..] {
                    [] => Ok(()),
                    _ => write!(f, ", unless {}", list(denies)),
                }
            }
        }
    }
}

impl fmt::Display for StatementId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "policy {}, Statement {}",
            self.policy + 1,
            self.statement
        )?;
        match &self.sid {
            Some(sid) => write!(f, " (Sid {sid:?})"),
            None => Ok(()),
        }
    }
}
