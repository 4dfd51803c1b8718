//! What policies decide: a Deny that applies, in any of them, beats every Allow.
//!
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html>

use std::fmt;

use super::document::{Effect, Patterns, Policy, Statement};

/// What policies say to one action on one resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// A statement allows it and none denies it.
    Allowed {
        /// The first statement that allows it.
        statement: StatementId,
    },
    /// A statement denies it, whatever others allow.
    ExplicitlyDenied {
        /// The first statement that denies it.
        statement: StatementId,
    },
    /// No statement applies, which is a refusal too.
    NotAllowed,
}

impl Decision {
    /// Whether the login may go on.
    pub fn is_allowed(&self) -> bool {
        matches!(self, Self::Allowed { .. })
    }
}

impl fmt::Display for Decision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Allowed { statement } => write!(f, "allowed by {statement}"),
            Self::ExplicitlyDenied { statement } => write!(f, "denied by {statement}"),
            Self::NotAllowed => f.write_str("not allowed by any statement"),
        }
    }
}

/// A statement among those of several policies. `Display` counts both from 1:
/// `policy 1, Statement 2 (Sid "NoAdmin")`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatementId {
    /// The policy, as an index into the slice given to [`evaluate`]: from 0.
    pub policy: usize,
    /// The statement in its policy, as error messages count them: from 1.
    pub statement: usize,
    /// The statement's `Sid`, unless it has none or an empty one.
    pub sid: Option<String>,
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

/// What the policies of one identity decide together. The action is compared without regard to
/// the case of ASCII letters, the resource exactly; neither is read as a pattern.
pub fn evaluate(policies: &[Policy], action: &str, resource: &str) -> Decision {
    let action = action.to_ascii_lowercase();
    let first = |effect| {
        policies.iter().enumerate().find_map(|(policy, document)| {
            let mut statements = document.statements.iter();
            let index =
                statements.position(|statement| statement.applies(effect, &action, resource))?;
            Some(StatementId {
                policy,
                statement: index + 1,
                sid: document.statements[index].sid.clone(),
            })
        })
    };
    if let Some(statement) = first(Effect::Deny) {
        return Decision::ExplicitlyDenied { statement };
    }
    match first(Effect::Allow) {
        Some(statement) => Decision::Allowed { statement },
        None => Decision::NotAllowed,
    }
}

impl Statement {
    fn applies(&self, effect: Effect, action: &str, resource: &str) -> bool {
        self.effect == effect
            && self.action.select(action, effect)
            && self.resource.select(resource, effect)
    }
}

impl Patterns {
    /// Whether `text` is one of those meant.
    fn select(&self, text: &str, effect: Effect) -> bool {
        // Where AWS leaves a wildcard's reach open, the statement is read as the one that lets
        // fewer logins in: what grants matches less, what refuses matches more.
        let colons = match (effect, self.negated) {
            (Effect::Allow, false) | (Effect::Deny, true) => Colons::Bound,
            (Effect::Deny, false) | (Effect::Allow, true) => Colons::Plain,
        };
        let mut patterns = self.patterns.iter();
        let found = patterns.any(|pattern| matches(pattern, text, colons));
        found != self.negated
    }
}

/// How wildcards treat a `:`.
///
/// The user guide gives `*` and `?` a segment of an ARN to match in, "the parts separated by
/// colons", and lets a `*` that is the last character of its segment "match beyond the colon
/// boundaries"
/// (<https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html>).
/// It does not say that IAM keeps the other wildcards within, and a database user's name may hold
/// a colon.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Colons {
    /// Only a `*` that ends its segment matches a colon: the guide's words, and no more.
    Bound,
    /// A colon is a character like any other.
    Plain,
}

/// Whether `*` (any characters, or none) and `?` (one character) can make `text` of `pattern`.
///
/// All the ways to match are followed side by side, a character of the text at a time, so that the
/// time is at most the product of the two lengths and no pattern can make a login hang.
pub(super) fn matches(pattern: &str, text: &str, colons: Colons) -> bool {
    let pattern: Vec<char> = pattern.chars().collect();
    // reached[i]: the text so far is what the first i characters of the pattern can stand for.
    let mut reached = vec![false; pattern.len() + 1];
    let mut next = reached.clone();
    reached[0] = true;
    for c in text.chars() {
        let in_segment = c != ':' || colons == Colons::Plain;
        next.fill(false);
        for (i, &p) in pattern.iter().enumerate() {
            if !reached[i] {
                continue;
            }
            match p {
                '*' => {
                    reached[i + 1] = true;
                    let ends_segment = matches!(pattern.get(i + 1), None | Some(':'));
                    next[i] |= in_segment || ends_segment;
                }
                '?' => next[i + 1] |= in_segment,
                _ => next[i + 1] |= p == c,
            }
        }
        std::mem::swap(&mut reached, &mut next);
    }
    let trailing_stars = pattern.iter().rev().take_while(|&&p| p == '*').count();
    reached[pattern.len() - trailing_stars..].contains(&true)
}
