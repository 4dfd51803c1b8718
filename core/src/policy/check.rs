//! Checks whether policies allow a login and which statement decides. If no statement applies,
//! finds those that nearly do.

use serde::Serialize;

use super::document::Policy;
use super::evaluate::{Decision, StatementId, evaluate};
use super::near_miss::{NearMiss, near_misses};
use crate::names::{CONNECT_ACTION, ConnectResource};

/// The result of [`check`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// The ARN that the login needs.
    pub arn: String,
    /// What the policies decide.
    pub decision: Decision,
    /// The statements that nearly apply. Empty if a statement applies.
    pub near_misses: Vec<NearMiss>,
}

/// Checks whether the policies of one identity allow [`CONNECT_ACTION`] on one resource. Wildcards
/// in the resource are plain characters.
pub fn check(policies: &[Policy], resource: &ConnectResource) -> Check {
    let arn = resource.arn();
    let decision = evaluate(policies, CONNECT_ACTION, &arn);
    let near_misses = match decision {
        Decision::NotAllowed => near_misses(policies, resource),
        Decision::Allowed { .. } | Decision::ExplicitlyDenied { .. } => Vec::new(),
    };
    Check {
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
        let (decision, by) = match &self.decision {
            Decision::Allowed { statement: by } => ("allowed", Some(statement(by))),
            Decision::ExplicitlyDenied { statement: by } => {
                ("explicitly-denied", Some(statement(by)))
            }
            Decision::NotAllowed => ("not-allowed", None),
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
            allowed: self.decision.is_allowed(),
            decision,
            action: CONNECT_ACTION,
            resource: &self.arn,
            by,
            near_misses: near_misses.collect(),
        };
        serde_json::to_string_pretty(&check).expect("strings and lists are always JSON")
    }
}

/// The fields are in the order of the JSON.
#[derive(Serialize)]
struct CheckJson<'a> {
    allowed: bool,
    decision: &'static str,
    action: &'static str,
    resource: &'a str,
    by: Option<StatementJson>,
    near_misses: Vec<NearMissJson>,
}

#[derive(Serialize)]
struct StatementJson {
    policy: Option<String>,
    statement: usize,
    sid: Option<String>,
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
