//! Evaluates policies by IAM's logic: a Deny that applies, in any policy, overrides every Allow.
//!
//! Whether a statement applies may depend on values that are unknown. The decision is then open,
//! but only if it would differ.
//!
//! Source: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html>

use super::condition::Truth;
use super::decision::{Decision, OpenStatement, StatementId};
use super::document::{Effect, Patterns, Policy, Statement};
use super::matching::Matching;
use super::requirement::Requirement;
use super::variables::Variables;

/// Decides whether the policies of one identity together allow an action on a resource.
///
/// `variables` are the known values of condition keys. Ignores the case of ASCII letters in the
/// action, but not in the resource. Wildcards in these two arguments are plain characters.
pub fn evaluate(
    policies: &[Policy],
    action: &str,
    resource: &str,
    variables: &Variables,
) -> Decision {
    let action = action.to_ascii_lowercase();
    let mut denies = Open::default();
    let mut allows = Open::default();
    for (policy, document) in policies.iter().enumerate() {
        for (statement, number) in document.statements.iter().zip(1..) {
            let found = match statement.effect {
                Effect::Allow => &mut allows,
                Effect::Deny => &mut denies,
            };
            let id = || StatementId {
                policy,
                statement: number,
                sid: statement.sid.clone(),
            };
            match statement.applies(&action, resource, variables) {
                Truth::No => {}
                Truth::Yes if found.applies.is_some() => {}
                Truth::Yes => found.applies = Some(id()),
                Truth::If(requirements) => found.open.push(OpenStatement {
                    statement: id(),
                    requirements,
                }),
            }
        }
    }
    match (denies.applies, allows.applies) {
        (Some(statement), _) => Decision::ExplicitlyDenied { statement },
        (None, Some(statement)) if denies.open.is_empty() => Decision::Allowed { statement },
        (None, None) if allows.open.is_empty() => Decision::NotAllowed,
        (None, allowed_by) => Decision::Undecided {
            allows: match allowed_by {
                Some(_) => Vec::new(),
                None => allows.open,
            },
            allowed_by,
            denies: denies.open,
        },
    }
}

/// The statements with one effect.
#[derive(Default)]
struct Open {
    /// The first that applies.
    applies: Option<StatementId>,
    /// Those that may apply.
    open: Vec<OpenStatement>,
}

impl Statement {
    fn applies(&self, action: &str, resource: &str, variables: &Variables) -> Truth {
        let parts = [
            self.action.select(action, self.effect, variables),
            self.resource.select(resource, self.effect, variables),
        ];
        let conditions = self.conditions.iter();
        let conditions = conditions.map(|condition| condition.holds(self.effect, variables));
        let mut requirements = Vec::new();
        for part in parts.into_iter().chain(conditions) {
            match part {
                Truth::Yes => {}
                Truth::No => return Truth::No,
                Truth::If(more) => requirements.extend(more),
            }
        }
        match requirements[..] {
            [] => Truth::Yes,
            _ => Truth::If(requirements),
        }
    }
}

impl Patterns {
    /// Returns whether the patterns, with their negation, cover `text`.
    fn select(&self, text: &str, effect: Effect, variables: &Variables) -> Truth {
        // A pattern that matches nothing denies nothing, and excludes nothing from an Allow.
        let widens = (effect == Effect::Deny) != self.negated;
        let mut open = Vec::new();
        let all = self.patterns.iter().map(|pattern| {
            let matching = pattern.covers(text, variables);
            let matching = matching.without_placeholders(widens);
            if let Matching::If(_) = matching {
                open.push(pattern.text.clone());
            }
            matching
        });
        match (Matching::any(all), self.negated) {
            (Matching::Yes, false) | (Matching::No, true) => Truth::Yes,
            (Matching::No, false) | (Matching::Yes, true) => Truth::No,
            (Matching::If(doubt), negated) => {
                Truth::If(vec![Requirement::pattern(doubt, &open, negated, variables)])
            }
        }
    }
}
