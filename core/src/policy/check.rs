//! Checks whether policies allow a login and which statement decides. If no statement applies,
//! finds those that nearly do.

use serde::Serialize;

use super::decision::{Decision, OpenStatement, StatementId};
use super::document::Policy;
use super::evaluate::evaluate;
use super::near_miss::{NearMiss, near_misses};
use super::requirement::Requirement;
use super::variables::Variables;
use crate::names::ConnectResource;

/// The result of [`check`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// The action that the login needs.
    pub action: &'static str,
    /// The ARN that the login needs.
    pub arn: String,
    /// What the policies decide.
    pub decision: Decision,
    /// The statements that nearly apply. Empty if a statement applies or may apply.
    pub near_misses: Vec<NearMiss>,
}

/// Checks whether the policies of one identity allow [`ConnectResource::action`] on one resource. Wildcards
/// in the resource are plain characters. `variables` are the known values of condition keys.
pub fn check(policies: &[Policy], resource: &ConnectResource, variables: &Variables) -> Check {
    let (action, arn) = (resource.action(), resource.arn());
    let decision = evaluate(policies, action, &arn, variables);
    let near_misses = match decision {
        Decision::NotAllowed => near_misses(policies, resource, variables),
        _ => Vec::new(),
    };
    Check {
        action,
        arn,
        decision,
        near_misses,
    }
}

impl Check {
    /// Formats the check as indented JSON. `names` are the names of the policies, such as their
    /// files, in the order given to [`check`]. A policy without a name gets `null`.
    pub fn to_json(&self, names: &[&str]) -> String {
        let statement = |id: &StatementId| StatementJson {
            policy: names.get(id.policy).map(|name| (*name).to_owned()),
            statement: id.statement,
            sid: id.sid.clone(),
        };
        let open = |effect, statements: &[OpenStatement]| -> Vec<ConditionJson> {
            let all = statements.iter().map(|open| ConditionJson {
                statement: statement(&open.statement),
                effect,
                requirements: open.requirements.iter().map(requirement).collect(),
            });
            all.collect()
        };
        let mut conditions = Vec::new();
        let (allowed, decision, by) = match &self.decision {
            Decision::Allowed { statement: by } => (Some(true), "allowed", Some(by)),
            Decision::ExplicitlyDenied { statement: by } => {
                (Some(false), "explicitly-denied", Some(by))
            }
            Decision::NotAllowed => (Some(false), "not-allowed", None),
            Decision::Undecided {
                allowed_by,
                allows,
                denies,
            } => {
                conditions = open("Allow", allows);
                conditions.extend(open("Deny", denies));
                (None, "undecided", allowed_by.as_ref())
            }
        };
        let near_misses = self.near_misses.iter().map(|near_miss| NearMissJson {
            statement: statement(&near_miss.statement),
            differences: near_miss
                .differences
                .iter()
                .map(|difference| DifferenceJson {
                    id: difference.id(),
                    message: difference.to_string(),
                })
                .collect(),
        });
        let check = CheckJson {
            allowed,
            decision,
            action: self.action,
            resource: &self.arn,
            by: by.map(statement),
            conditions,
            near_misses: near_misses.collect(),
        };
        serde_json::to_string_pretty(&check).expect("strings and lists are always JSON")
    }
}

/// The fields are in the order of the JSON.
#[derive(Serialize)]
struct CheckJson<'a> {
    /// `null` if undecided.
    allowed: Option<bool>,
    decision: &'static str,
    action: &'static str,
    resource: &'a str,
    by: Option<StatementJson>,
    conditions: Vec<ConditionJson>,
    near_misses: Vec<NearMissJson>,
}

#[derive(Serialize)]
struct StatementJson {
    policy: Option<String>,
    statement: usize,
    sid: Option<String>,
}

/// A statement that applies if all of its requirements hold.
#[derive(Serialize)]
struct ConditionJson {
    #[serde(flatten)]
    statement: StatementJson,
    effect: &'static str,
    requirements: Vec<RequirementJson>,
}

#[derive(Serialize)]
struct RequirementJson {
    id: &'static str,
    operator: Option<String>,
    keys: Vec<String>,
    values: Vec<String>,
    message: String,
}

fn requirement(requirement: &Requirement) -> RequirementJson {
    RequirementJson {
        id: requirement.id(),
        operator: requirement.operator().map(str::to_owned),
        keys: requirement.keys().to_vec(),
        values: requirement.values().to_vec(),
        message: requirement.to_string(),
    }
}

#[derive(Serialize)]
struct NearMissJson {
    #[serde(flatten)]
    statement: StatementJson,
    differences: Vec<DifferenceJson>,
}

#[derive(Serialize)]
struct DifferenceJson {
    id: &'static str,
    message: String,
}
