//! The values of condition keys, which are the values of policy variables too.
//!
//! A key without a value is unknown, not absent from the request. So the default of a variable is
//! not its value.

use crate::message::quoted;
use crate::names::Service;

/// The known values of condition keys, such as `aws:username`, for logins to one service. The default
/// knows none, and is for RDS.
#[derive(Clone, Debug, Default)]
pub struct Variables {
    service: Service,
    values: Vec<(String, String)>,
}

/// The reason why a text is not `KEY=VALUE`. The message says what is accepted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("variable: {0}")]
pub struct InvalidVariable(String);

impl Variables {
    /// Reads texts of the form `KEY=VALUE`, such as `aws:username=jane`. The case of a key does not
    /// matter. A value may be empty, like that of a tag.
    ///
    /// # Errors
    /// A text has no `=`, or not a condition key before it. A key is given twice, or the service does
    /// not support it.
    pub fn new<'a>(
        service: Service,
        texts: impl IntoIterator<Item = &'a str>,
    ) -> Result<Self, InvalidVariable> {
        let mut variables = Self {
            service,
            values: Vec::new(),
        };
        for text in texts {
            let Some((key, value)) = text.split_once('=') else {
                return Err(invalid(&format!("{} has no value", quoted(text))));
            };
            let problem = if !is_condition_key(key) {
                format!("{} is not a condition key", quoted(key))
            } else if variables.is_unsupported(key) {
                let service = service.signing_name();
                format!("{key} is not supported for {service} by AWS")
            } else if variables.get(key).is_some() {
                format!("{} is given twice", quoted(key))
            } else {
                variables.values.push((key.to_owned(), value.to_owned()));
                continue;
            };
            return Err(invalid(&problem));
        }
        Ok(variables)
    }

    /// Returns the values that count for a login to a service.
    pub(crate) fn of(&self, service: Service) -> Self {
        let mut variables = Self {
            service,
            values: Vec::new(),
        };
        let known = |(key, _): &&(String, String)| !variables.is_unsupported(key);
        variables.values = self.values.iter().filter(known).cloned().collect();
        variables
    }

    /// Returns the value of a key. "Condition key names are not case-sensitive"
    /// (<https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition.html>).
    pub(super) fn get(&self, key: &str) -> Option<&str> {
        let mut entries = self.values.iter();
        let (_, value) = entries.find(|(own, _)| own.eq_ignore_ascii_case(key))?;
        Some(value)
    }

    /// Returns whether the service does not support a key.
    pub(super) fn is_unsupported(&self, key: &str) -> bool {
        let mut keys = self.service.unsupported_keys().iter();
        keys.any(|own| own.eq_ignore_ascii_case(key))
    }

    /// Returns why a key is open: the service does not support it.
    pub(super) fn not_supported(&self, key: &str) -> String {
        let service = self.service.signing_name();
        format!(", but AWS does not support {key} for {service}")
    }
}

/// Returns whether a text is a condition key. The key of a tag, after the first `/`, may contain
/// spaces.
fn is_condition_key(key: &str) -> bool {
    let prefix = key.split('/').next().unwrap_or_default();
    key.contains(':')
        && !prefix.contains(' ')
        && !key.contains(|c: char| c.is_control() || matches!(c, '$' | '{' | '}'))
}

fn invalid(problem: &str) -> InvalidVariable {
    InvalidVariable(format!(
        "{problem}; accepted: KEY=VALUE, such as aws:username=jane, once for each key"
    ))
}
