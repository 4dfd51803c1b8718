//! What an open decision depends on: a condition, or whether a resource matches. The texts quote a
//! policy, so they escape its names, which may contain control characters.

use std::fmt;

use super::doubt::Doubt;
use super::variables::Variables;
use crate::message::{quoted_as_is, shortened};

/// A requirement that the known values do not decide. `Display` writes it so that it can follow
/// "if".
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Requirement {
    id: &'static str,
    operator: Option<String>,
    keys: Vec<String>,
    values: Vec<String>,
    message: String,
}

impl Requirement {
    /// Returns the stable ID of the kind of requirement, such as `variable`.
    pub fn id(&self) -> &'static str {
        self.id
    }

    /// Returns the operator of a condition, or `None` for a variable in a resource.
    pub fn operator(&self) -> Option<&str> {
        self.operator.as_deref()
    }

    /// Returns the condition keys whose values decide.
    pub fn keys(&self) -> &[String] {
        &self.keys
    }

    /// Returns the values that the policy names for the key, or needs. Empty if they are not known.
    pub fn values(&self) -> &[String] {
        &self.values
    }

    /// The condition stays open because the key has no known value, because its operator is not
    /// `evaluated`, or because of a `doubt` about its values.
    pub(super) fn condition(
        operator: &str,
        key: &str,
        values: Vec<String>,
        evaluated: bool,
        doubt: Doubt,
        variables: &Variables,
    ) -> Self {
        let shown = shown_condition(operator, key, &values);
        let keys = match &doubt.keys[..] {
            [] => vec![key.to_owned()],
            _ => doubt.keys.clone(),
        };
        let (id, why) = if let Some(key) = keys.iter().find(|key| variables.is_unsupported(key)) {
            ("unsupported-key", variables.not_supported(key))
        } else if !doubt.placeholders.is_empty() {
            ("placeholder", depends_on(&doubt.reasons()))
        } else if !evaluated {
            (
                "unsupported-operator",
                ", which rdsign does not evaluate".to_owned(),
            )
        } else {
            ("condition", String::new())
        };
        Self {
            id,
            operator: Some(operator.to_owned()),
            keys,
            values,
            message: format!("the condition {shown} holds{why}"),
        }
    }

    /// One of `patterns` matches, or none if they are `negated`.
    pub(super) fn pattern(
        doubt: Doubt,
        patterns: &[String],
        negated: bool,
        variables: &Variables,
    ) -> Self {
        let reasons = doubt.reasons();
        let keys = doubt.keys;
        let values = doubt.values.unwrap_or_default();
        let shown: Vec<_> = keys.iter().map(|key| shortened(key)).collect();
        let shown = shown.join(" and ");
        let unsupported = keys.iter().find(|key| variables.is_unsupported(key));
        let id = match (doubt.placeholders.is_empty(), doubt.colons, unsupported) {
            (false, ..) => "placeholder",
            (true, true, _) => "wildcard-colon",
            (true, false, Some(_)) => "unsupported-key",
            (true, false, None) => "variable",
        };
        let verb = match (keys.len(), negated) {
            (1, false) => "makes",
            (1, true) => "does not make",
            (_, false) => "make",
            (_, true) => "do not make",
        };
        let condition = match (&reasons[..], &values[..], negated) {
            ([], [], _) => format!("{shown} {verb} {} match", any_of(patterns)),
            ([], values, false) => format!("{shown} is {}", any_of(values)),
            ([], values, true) => format!("{shown} is not {}", any_of(values)),
            (reasons, ..) => {
                let matches = match (patterns, negated) {
                    (_, false) => format!("{} matches", any_of(patterns)),
                    ([pattern], true) => format!("{} does not match", quoted_as_is(pattern)),
                    (_, true) => format!("neither {} matches", list(patterns, " nor ")),
                };
                let keys = (!shown.is_empty()).then_some(shown);
                let all: Vec<_> = keys.into_iter().chain(reasons.iter().cloned()).collect();
                matches + &depends_on(&all)
            }
        };
        let why = unsupported.map(|key| variables.not_supported(key));
        Self {
            id,
            operator: None,
            message: condition + &why.unwrap_or_default(),
            keys,
            values,
        }
    }
}

impl fmt::Display for Requirement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

/// Writes a condition as `OPERATOR KEY VALUES`.
pub(super) fn shown_condition(operator: &str, key: &str, values: &[impl AsRef<str>]) -> String {
    let (operator, key) = (shortened(operator), shortened(key));
    format!("{operator} {key} {}", any_of(values))
}

fn any_of(texts: &[impl AsRef<str>]) -> String {
    list(texts, " or ")
}

fn list(texts: &[impl AsRef<str>], separator: &str) -> String {
    let texts: Vec<_> = texts
        .iter()
        .map(|text| quoted_as_is(text.as_ref()))
        .collect();
    texts.join(separator)
}

fn depends_on(reasons: &[String]) -> String {
    format!(", which depends on {}", reasons.join(" and on "))
}
