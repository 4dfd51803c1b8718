//! Finds statements that nearly allow a login, and says what differs.
//!
//! Only looks at an Allow that lists its actions and resources, and reports only the resource that
//! differs least. The parts are compared one by one, so the differences are only advice.
//! [`evaluate`](super::evaluate()) alone makes the decision.

mod resource;
mod unfilled;

use std::fmt;

use super::condition::Truth;
use super::decision::StatementId;
use super::document::{Effect, Policy, Statement};
use super::matching::{Colons, Matching, matches};
use super::pattern::Pattern;
use super::variables::Variables;
use crate::message::{quoted_as_is, shortened};
use crate::names::ConnectResource;
use resource::in_resource;
use unfilled::Filled;

/// A statement with more differences is about something else.
const MOST_DIFFERENCES: usize = 3;

/// A statement that would allow the login without the differences.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NearMiss {
    /// The statement.
    pub statement: StatementId,
    /// The differences, at least one.
    pub differences: Vec<Difference>,
}

/// A part of a statement that differs from what the login needs. `Display` writes a sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    id: &'static str,
    message: String,
}

impl Difference {
    /// Returns the stable ID of the kind of difference, such as `username-case`.
    pub fn id(&self) -> &'static str {
        self.id
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

fn difference(id: &'static str, message: impl Into<String>) -> Difference {
    let message = message.into();
    Difference { id, message }
}

/// Returns the statements of `policies` that nearly allow a login to `wanted`, in their order.
pub(super) fn near_misses(
    policies: &[Policy],
    wanted: &ConnectResource,
    variables: &Variables,
) -> Vec<NearMiss> {
    let mut found = Vec::new();
    for (policy, document) in policies.iter().enumerate() {
        for (statement, number) in document.statements.iter().zip(1..) {
            let Some(differences) = differences(statement, wanted, variables) else {
                continue;
            };
            found.push(NearMiss {
                statement: StatementId {
                    policy,
                    statement: number,
                    sid: statement.sid.clone(),
                },
                differences,
            });
        }
    }
    found
}

fn differences(
    statement: &Statement,
    wanted: &ConnectResource,
    variables: &Variables,
) -> Option<Vec<Difference>> {
    let lists_both = !statement.action.negated && !statement.resource.negated;
    if statement.effect != Effect::Allow || !lists_both {
        return None;
    }
    let mut differences = least(&statement.action.patterns, |pattern| {
        in_action(&pattern.text.to_ascii_lowercase(), wanted)
    })?;
    let arn = wanted.arn();
    differences.extend(least(&statement.resource.patterns, |pattern| {
        let matching = pattern.covers(&arn, variables);
        if matching.without_placeholders(false) != Matching::No {
            return Some(Vec::new());
        }
        let filled = Filled::new(pattern, wanted, variables);
        let mut differences = filled.differences;
        differences.extend(in_resource(&filled.pattern, wanted)?);
        Some(differences)
    })?);
    for condition in &statement.conditions {
        if let Truth::No = condition.holds(statement.effect, variables) {
            let (shown, key) = (condition.shown(), condition.key());
            let value = variables.get(key).unwrap_or_default();
            differences.push(difference(
                "condition",
                format!(
                    "The condition {shown} does not hold: {} is {}.",
                    shortened(key),
                    quoted_as_is(value)
                ),
            ));
        }
    }
    (1..=MOST_DIFFERENCES)
        .contains(&differences.len())
        .then_some(differences)
}

/// Returns the differences of the pattern with the fewest. Returns `None` if every pattern is about
/// something else.
fn least(
    patterns: &[Pattern],
    differences: impl Fn(&Pattern) -> Option<Vec<Difference>>,
) -> Option<Vec<Difference>> {
    let all = patterns.iter().filter_map(differences);
    all.min_by_key(Vec::len)
}

/// Compares an action. `pattern` is in lower case.
fn in_action(pattern: &str, wanted: &ConnectResource) -> Option<Vec<Difference>> {
    let needed = wanted.action();
    if matches(pattern, &needed.to_ascii_lowercase(), Colons::Bound) {
        return Some(Vec::new());
    }
    let shown = quoted_as_is(pattern);
    let (service, name) = pattern.split_once(':')?;
    let own = wanted.service;
    let of_rds = own.names_login() && service == "rds";
    if of_rds && matches(name, own.common_action().name, Colons::Bound) {
        return Some(vec![difference(
            "action-service",
            format!("Action is {shown}: write rds-db: instead of rds:, as in {needed:?}."),
        )]);
    }
    (of_rds || service == own.signing_name()).then(|| {
        vec![difference(
            "action",
            format!("Action is {shown}, but a login needs {needed:?}."),
        )]
    })
}
