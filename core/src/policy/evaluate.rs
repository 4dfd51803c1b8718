//! Evaluates policies by IAM's logic: a Deny that applies, in any policy, overrides every Allow.
//!
//! Source: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html>

use std::fmt;

use super::document::{Effect, Patterns, Policy, Statement};

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
}

impl Decision {
    /// Returns whether the action is allowed.
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

/// Identifies a statement in several policies. `Display` counts policies and statements from 1:
/// `policy 1, Statement 2 (Sid "NoAdmin")`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatementId {
    /// The index of the policy in the slice given to [`evaluate`], from 0.
    pub policy: usize,
    /// The number of the statement in its policy, from 1, as in error messages.
    pub statement: usize,
    /// The statement's `Sid`, or `None` if it is missing or empty.
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

/// Decides whether the policies of one identity together allow an action on a resource.
///
/// Ignores the case of ASCII letters in the action, but not in the resource. Wildcards in these two
/// arguments are plain characters.
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
    /// Returns whether the patterns, with their negation, cover `text`.
    fn select(&self, text: &str, effect: Effect) -> bool {
        // AWS does not document fully what a wildcard matches. In case of doubt, allow fewer
        // logins: patterns that grant match less, and patterns that refuse match more.
        let colons = match (effect, self.negated) {
            (Effect::Allow, false) | (Effect::Deny, true) => Colons::Bound,
            (Effect::Deny, false) | (Effect::Allow, true) => Colons::Plain,
        };
        let mut patterns = self.patterns.iter();
        let found = patterns.any(|pattern| matches(pattern, text, colons));
        found != self.negated
    }
}

/// Says whether wildcards match a `:`.
///
/// According to the user guide, `*` and `?` match within a segment of an ARN, "the parts separated
/// by colons", and a `*` that is the last character of its segment can "match beyond the colon
/// boundaries"
/// (<https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html>).
/// It does not say whether IAM enforces this for the other wildcards, and the name of a database
/// user may contain a colon.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Colons {
    /// Only a `*` that ends its segment matches a colon, as the guide says.
    Bound,
    /// Every wildcard matches a colon like any other character.
    Plain,
}

/// Returns whether `pattern` matches `text`. `*` matches any number of characters, `?` matches one.
///
/// Follows all ways to match in parallel, one character of the text at a time. So the time is at
/// most proportional to the product of the two lengths, and no pattern can make a login hang.
pub(super) fn matches(pattern: &str, text: &str, colons: Colons) -> bool {
    let pattern: Vec<char> = pattern.chars().collect();
    // reached[i]: the first i characters of the pattern match the text so far.
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
