//! Parses a policy document into statements, or returns an error that says what is wrong and where.
//!
//! Nothing is ignored, and only `Version` has a default. Only the rules that affect a decision are
//! checked. IAM has more rules (lengths, unique Sids, existing services), so it may reject a
//! document that is accepted here.

use super::condition::Condition;
use super::elements::{Elements, refuse, refuse_duplicates};
use super::form::{ACTION, RESOURCE};
use super::json::Json;
use super::pattern::{Pattern, Syntax};
use super::template::{self, DEPLOYED};
use super::text::{check_length, without_mark};
use crate::message::quoted;

/// The version of the policy language with variables. New policies use it.
pub(super) const VERSION_WITH_VARIABLES: &str = "2012-10-17";
const VERSION_WITHOUT_VARIABLES: &str = "2008-10-17";

const STATEMENT_ELEMENTS: [&str; 7] = [
    "Sid",
    "Effect",
    "Action",
    "NotAction",
    "Resource",
    "NotResource",
    "Condition",
];
/// The place that errors outside of statements name.
const PLACE: &str = "policy";

/// A valid identity policy.
#[derive(Clone, Debug)]
pub struct Policy {
    pub(super) statements: Vec<Statement>,
}

/// The reason why a text is not a policy that can be evaluated. The message names the place, such
/// as `Statement 2`. Statements are counted from 1.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct PolicyError {
    message: String,
}

#[derive(Clone, Debug)]
pub(super) struct Statement {
    pub(super) sid: Option<String>,
    pub(super) effect: Effect,
    pub(super) action: Patterns,
    pub(super) resource: Patterns,
    pub(super) conditions: Vec<Condition>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Effect {
    Allow,
    Deny,
}

/// The patterns of an `Action` (in lower case) or a `Resource`. They are `negated` if they are from
/// `NotAction` or `NotResource`.
#[derive(Clone, Debug)]
pub(super) struct Patterns {
    pub(super) negated: bool,
    pub(super) patterns: Vec<Pattern>,
}

impl PolicyError {
    pub(super) fn new(place: &str, problem: &str) -> Self {
        Self {
            message: format!("{place}: {problem}"),
        }
    }
}

impl Policy {
    /// Parses an identity policy: a JSON object with `Statement` (an object or a list) and,
    /// optionally, `Version` and `Id`. Skips a byte order mark.
    ///
    /// Each statement has `Effect`, one of `Action` and `NotAction`, one of `Resource` and
    /// `NotResource`, and optionally `Sid` and `Condition`. An action is `*` or `service:name`. A
    /// resource is `*` or an ARN. Neither may have a wildcard in its service. The default for
    /// `Version` is `2008-10-17`, where `${…}` is plain text
    /// (<https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_version.html>).
    ///
    /// # Errors
    /// The text is longer than 1 MiB or not JSON. An element is unknown, missing, duplicated, invalid or of the wrong
    /// type. A list is empty. Or there is a `Principal` or a `NotPrincipal`.
    pub fn from_json(text: &str) -> Result<Self, PolicyError> {
        Self::from_value(read(text)?)
    }

    /// Parses an identity policy, or the output of `aws iam get-policy-version`,
    /// `get-role-policy`, `get-user-policy` or `get-group-policy`, which contains one.
    ///
    /// # Errors
    /// As [`Policy::from_json`].
    pub fn from_json_or_answer(text: &str) -> Result<Self, PolicyError> {
        let mut json = read(text)?;
        for name in ["PolicyVersion", "PolicyDocument", "Document"] {
            json = match json {
                Json::Object(mut entries) => {
                    let place = |name| entries.iter().position(|(entry, _)| entry == name);
                    match (place(name), place("Statement")) {
                        (Some(at), None) => {
                            refuse_duplicates(PLACE, &entries)?;
                            entries.swap_remove(at).1
                        }
                        _ => Json::Object(entries),
                    }
                }
                other => other,
            };
        }
        Self::from_value(json)
    }

    fn from_value(json: Json) -> Result<Self, PolicyError> {
        let place = PLACE;
        if let Some(template) = template::of_json(&json) {
            refuse!(place, "{template}; {DEPLOYED}");
        }
        let mut elements = Elements::new(place, json, &["Version", "Id", "Statement"])?;
        let variables = match elements.text("Version")?.as_deref() {
            Some(VERSION_WITH_VARIABLES) => true,
            Some(VERSION_WITHOUT_VARIABLES) | None => false,
            Some(other) => refuse!(
                place,
                "Version is {}; \
                 accepted: {VERSION_WITH_VARIABLES}, {VERSION_WITHOUT_VARIABLES}",
                quoted(other)
            ),
        };
        // The Id does not affect the decision, but its type is checked too.
        elements.text("Id")?;
        let statements = match elements.take("Statement") {
            Some(Json::List(list)) if list.is_empty() => {
                refuse!(place, "Statement is an empty list; accepted: one or more")
            }
            Some(json) => json.into_list(),
            None => refuse!(place, "Statement is missing"),
        };
        let statements = (1..).zip(statements).map(|(number, json)| {
            Statement::from_json(&format!("Statement {number}"), json, variables)
        });
        Ok(Self {
            statements: statements.collect::<Result<_, _>>()?,
        })
    }
}

fn read(text: &str) -> Result<Json, PolicyError> {
    check_length(text.len())?;
    match serde_json::from_str(without_mark(text)) {
        Ok(json) => Ok(json),
        Err(error) => match template::of_text(text) {
            Some(form) => refuse!(PLACE, "not JSON: {form}; {DEPLOYED}"),
            None => refuse!(PLACE, "not JSON: {error}"),
        },
    }
}

impl Statement {
    fn from_json(place: &str, json: Json, variables: bool) -> Result<Self, PolicyError> {
        let mut elements = Elements::new(place, json, &STATEMENT_ELEMENTS)?;
        // An empty Sid is the same as none.
        let sid = elements.text("Sid")?.filter(|sid| !sid.is_empty());
        let effect = match elements.text("Effect")?.as_deref() {
            Some("Allow") => Effect::Allow,
            Some("Deny") => Effect::Deny,
            Some(other) => refuse!(place, "Effect is {}; accepted: Allow, Deny", quoted(other)),
            None => refuse!(place, "Effect is missing; accepted: Allow, Deny"),
        };
        // "The prefix and the action name are case insensitive", says the guide, only of actions.
        // https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_action.html
        let action = elements.patterns(&ACTION, |mut text| {
            text.make_ascii_lowercase();
            let syntax = Syntax {
                wildcards: true,
                variables: false,
            };
            Pattern::new(text, syntax)
        })?;
        let resource = elements.patterns(&RESOURCE, |text| Pattern::resource(text, variables))?;
        let conditions = match elements.take("Condition") {
            Some(json) => Condition::parse(place, json, variables)?,
            None => Vec::new(),
        };
        Ok(Self {
            sid,
            effect,
            action,
            resource,
            conditions,
        })
    }
}
