//! Parses a policy document into statements, or returns an error that says what is wrong and where.
//!
//! Nothing is ignored, and only `Version` has a default. Only the rules that affect a decision are
//! checked. IAM has more rules (lengths, unique Sids, existing services), so it may reject a
//! document that is accepted here.

use super::json::Json;

/// The version of the policy language with variables. New policies use it.
pub(super) const VERSION_WITH_VARIABLES: &str = "2012-10-17";
const VERSION_WITHOUT_VARIABLES: &str = "2008-10-17";

const STATEMENT_ELEMENTS: [&str; 6] = [
    "Sid",
    "Effect",
    "Action",
    "NotAction",
    "Resource",
    "NotResource",
];
/// The place that errors outside of statements name.
const PLACE: &str = "policy";
const ACTION_FORM: &str = r#""*" or "service:name", with wildcards only in the name"#;
const RESOURCE_FORM: &str =
    r#""*" or "arn:partition:service:region:account:resource", with no wildcard in the service"#;

/// Returns early with an error that starts with its place.
macro_rules! refuse {
    ($place:expr, $($message:tt)+) => {
        return Err(PolicyError { message: format!("{}: {}", $place, format_args!($($message)+)) })
    };
}

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
    pub(super) patterns: Vec<String>,
}

impl Policy {
    /// Parses an identity policy: a JSON object with `Statement` (an object or a list) and,
    /// optionally, `Version` and `Id`.
    ///
    /// Each statement has `Effect`, one of `Action` and `NotAction`, one of `Resource` and
    /// `NotResource`, and optionally `Sid`. An action is `*` or `service:name`. A resource is `*`
    /// or an ARN. Neither may have a wildcard in its service. The default for `Version` is
    /// `2008-10-17`, where `${…}` is plain text
    /// (<https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_version.html>).
    ///
    /// # Errors
    /// The text is not JSON. An element is unknown, missing, duplicated, invalid or of the wrong
    /// type. A list is empty. Or there is a `Condition`, a `Principal`, a `NotPrincipal` or a
    /// policy variable.
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
                        (Some(at), None) => entries.swap_remove(at).1,
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
        let mut elements = Elements::new(place, json, &["Version", "Id", "Statement"])?;
        let variables = match elements.text("Version")?.as_deref() {
            Some(VERSION_WITH_VARIABLES) => true,
            Some(VERSION_WITHOUT_VARIABLES) | None => false,
            Some(other) => refuse!(
                place,
                "Version is {other:?}; \
                 accepted: {VERSION_WITH_VARIABLES}, {VERSION_WITHOUT_VARIABLES}"
            ),
        };
        // The Id does not affect the decision, but its type is checked too.
        elements.text("Id")?;
        let statements = match elements.take("Statement") {
            Some(Json::List(list)) if list.is_empty() => {
                refuse!(place, "Statement is an empty list; accepted: one or more")
            }
            Some(Json::List(list)) => list,
            Some(one) => vec![one],
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
    match serde_json::from_str(text) {
        Ok(json) => Ok(json),
        Err(error) => refuse!(PLACE, "not JSON: {error}"),
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
            Some(other) => refuse!(place, "Effect is {other:?}; accepted: Allow, Deny"),
            None => refuse!(place, "Effect is missing; accepted: Allow, Deny"),
        };
        let mut action = elements.patterns("Action", "NotAction", is_action, ACTION_FORM)?;
        let resource = elements.patterns("Resource", "NotResource", is_resource, RESOURCE_FORM)?;
        // "The prefix and the action name are case insensitive", says the guide, only of actions.
        // https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_action.html
        for pattern in &mut action.patterns {
            pattern.make_ascii_lowercase();
        }
        let mut all = action.patterns.iter().chain(&resource.patterns);
        if variables && let Some(pattern) = all.find(|pattern| pattern.contains("${")) {
            refuse!(
                place,
                "{pattern:?} contains a policy variable, which rdsign does not evaluate"
            );
        }
        Ok(Self {
            sid,
            effect,
            action,
            resource,
        })
    }
}

/// Returns whether a pattern is a valid action. IAM rejects others with "Actions/Conditions must be
/// prefaced by a vendor", "can contain only one colon" or "Action vendors (e.g., aws, ec2, etc.)
/// must not contain wildcards"
/// (<https://github.com/theserverlessway/aws-baseline/issues/1>).
fn is_action(pattern: &str) -> bool {
    let in_service = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.');
    pattern == "*"
        || pattern.split_once(':').is_some_and(|(service, name)| {
            !service.is_empty()
                && service.chars().all(in_service)
                && !name.is_empty()
                && !name.contains(':')
        })
}

/// Returns whether a pattern is a valid resource. An ARN has six parts, or fewer if a part ends
/// with a `*`, which matches the rest, as in `arn:aws:rds-db:*`. How IAM treats other short ARNs is
/// not documented. It rejects a wildcard in the service ("Resource vendor must be fully qualified
/// and cannot contain regexes").
fn is_resource(pattern: &str) -> bool {
    let parts: Vec<&str> = pattern.split(':').collect();
    match parts[..] {
        ["*"] => true,
        ["arn", partition, service, ref rest @ ..] => {
            !partition.is_empty()
                && !service.is_empty()
                && !service.contains(['*', '?'])
                && (rest.len() >= 3 || rest.iter().any(|part| part.ends_with('*')))
        }
        _ => false,
    }
}

/// The elements of an object. All are known, and each occurs once.
struct Elements<'a> {
    place: &'a str,
    entries: Vec<(String, Json)>,
}

impl<'a> Elements<'a> {
    fn new(place: &'a str, json: Json, accepted: &[&str]) -> Result<Self, PolicyError> {
        let Json::Object(entries) = json else {
            refuse!(place, "is {}; accepted: an object", json.kind());
        };
        for (index, (name, _)) in entries.iter().enumerate() {
            match name.as_str() {
                name if accepted.contains(&name) => {}
                "Condition" => refuse!(
                    place,
                    "Condition is not evaluated by rdsign, and without it the statement would mean \
                     something else"
                ),
                "Principal" | "NotPrincipal" => refuse!(
                    place,
                    "{name} is for resource-based policies; an identity policy has none"
                ),
                _ => refuse!(
                    place,
                    "unknown element {name:?}; accepted: {}",
                    accepted.join(", ")
                ),
            }
            if entries[..index].iter().any(|(earlier, _)| earlier == name) {
                refuse!(place, "{name} occurs twice; accepted: once");
            }
        }
        Ok(Self { place, entries })
    }

    fn take(&mut self, name: &str) -> Option<Json> {
        let index = self.entries.iter().position(|(entry, _)| entry == name)?;
        Some(self.entries.swap_remove(index).1)
    }

    fn text(&mut self, name: &str) -> Result<Option<String>, PolicyError> {
        match self.take(name) {
            None => Ok(None),
            Some(Json::Text(text)) => Ok(Some(text)),
            Some(other) => refuse!(self.place, "{name} is {}; accepted: a string", other.kind()),
        }
    }

    /// Takes the strings of `name` or `negated_name`, whichever is present.
    fn patterns(
        &mut self,
        name: &str,
        negated_name: &str,
        is_accepted: fn(&str) -> bool,
        accepted: &str,
    ) -> Result<Patterns, PolicyError> {
        let place = self.place;
        let (name, negated, json) = match (self.take(name), self.take(negated_name)) {
            (Some(json), None) => (name, false, json),
            (None, Some(json)) => (negated_name, true, json),
            (Some(_), Some(_)) => refuse!(
                place,
                "{name} and {negated_name} are both present; accepted: one of them"
            ),
            (None, None) => refuse!(
                place,
                "{name} is missing; accepted: {name} or {negated_name}"
            ),
        };
        let list = match json {
            Json::List(list) => list,
            one => vec![one],
        };
        // IAM rejects an empty list ("Policy statement must contain resources"), and its Access
        // Analyzer says that such a statement "does not affect the policy". An empty NotResource
        // in a Deny would deny nothing, and its author cannot have meant that.
        if list.is_empty() {
            refuse!(place, "{name} is an empty list; accepted: {accepted}");
        }
        let patterns = list.into_iter().map(|item| match item {
            Json::Text(text) if is_accepted(&text) => Ok(text),
            Json::Text(text) => {
                refuse!(place, "{name} {text:?} is invalid; accepted: {accepted}")
            }
            other => refuse!(
                place,
                "{name} is or contains {}; accepted: a string or a list of strings",
                other.kind()
            ),
        });
        Ok(Patterns {
            negated,
            patterns: patterns.collect::<Result<_, _>>()?,
        })
    }
}
