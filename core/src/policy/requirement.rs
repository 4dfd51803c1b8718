//! What an open decision depends on: a condition, or a variable in a resource. The texts quote a
//! policy, so they escape its names, which may contain control characters.

use std::fmt;

use super::variables::is_unsupported;
use crate::message::{quoted, shortened};

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

    /// The condition stays open because the key has no known value, or because its operator is not
    /// `evaluated`.
    pub(super) fn condition(
        operator: &str,
        key: &str,
        values: Vec<String>,
        evaluated: bool,
    ) -> Self {
        let shown = shown_condition(operator, key, &values);
        let (id, why) = if is_unsupported(key) {
            ("unsupported-key", not_supported(key))
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
            keys: vec![key.to_owned()],
            values,
            message: format!("the condition {shown} holds{why}"),
        }
    }

    /// The values of `keys` decide whether one of `patterns` matches. If there is one key, and its
    /// `values` with which one matches are known, they are given.
    pub(super) fn variable(
        keys: Vec<String>,
        values: Vec<String>,
        patterns: &[String],
        negated: bool,
    ) -> Self {
        let or = |texts: &[String]| {
            let texts: Vec<_> = texts.iter().map(|text| quoted(text)).collect();
            texts.join(" or ")
        };
        let unsupported = keys.iter().find(|key| is_unsupported(key));
        let why = unsupported.map(|key| not_supported(key));
        let shown: Vec<_> = keys.iter().map(|key| shortened(key)).collect();
        let shown = shown.join(" and ");
        let verb = match (keys.len(), negated) {
            (1, false) => "makes",
            (1, true) => "does not make",
            (_, false) => "make",
            (_, true) => "do not make",
        };
        let condition = match (&values[..], negated) {
            ([], _) => format!("{shown} {verb} {} match", or(patterns)),
            (values, false) => format!("{shown} is {}", or(values)),
            (values, true) => format!("{shown} is not {}", or(values)),
        };
        Self {
            id: match unsupported {
                Some(_) => "unsupported-key",
                None => "variable",
            },
            operator: None,
            keys,
            values,
            message: condition + &why.unwrap_or_default(),
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
    let values: Vec<_> = values.iter().map(|value| quoted(value.as_ref())).collect();
    let (operator, key) = (shortened(operator), shortened(key));
    format!("{operator} {key} {}", values.join(" or "))
}

fn not_supported(key: &str) -> String {
    format!(", but AWS does not support {key} for rds-db")
}
