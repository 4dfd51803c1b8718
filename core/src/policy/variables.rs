//! The values of condition keys, which are the values of policy variables too.
//!
//! A key without a value is unknown, not absent from the request. So the default of a variable is
//! not its value.

use crate::message::quoted;

/// The keys that IAM database authentication does not support.
///
/// Source: <https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/UsingWithRDS.IAMDBAuth.html#UsingWithRDS.IAMDBAuth.ConditionKeys>.
/// `rds-db:connect` has no key of its own but `aws:ResourceTag/…`:
/// <https://docs.aws.amazon.com/service-authorization/latest/reference/list_rds-db.html>.
const UNSUPPORTED: [&str; 6] = [
    "aws:Referer",
    "aws:SourceIp",
    "aws:SourceVpc",
    "aws:SourceVpce",
    "aws:UserAgent",
    "aws:VpcSourceIp",
];

/// The known values of condition keys, such as `aws:username`. The default knows none.
#[derive(Clone, Debug, Default)]
pub struct Variables(Vec<(String, String)>);

/// The reason why a text is not `KEY=VALUE`. The message says what is accepted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("variable: {0}")]
pub struct InvalidVariable(String);

impl Variables {
    /// Reads texts of the form `KEY=VALUE`, such as `aws:username=jane`. The case of a key does not
    /// matter. A value may be empty, like that of a tag.
    ///
    /// # Errors
    /// A text has no `=`, or not a condition key before it. A key is given twice, or IAM database
    /// authentication does not support it.
    pub fn new<'a>(texts: impl IntoIterator<Item = &'a str>) -> Result<Self, InvalidVariable> {
        let mut variables = Self::default();
        for text in texts {
            let Some((key, value)) = text.split_once('=') else {
                return Err(invalid(&format!("{} has no value", quoted(text))));
            };
            let problem = if !is_condition_key(key) {
                format!("{} is not a condition key", quoted(key))
            } else if is_unsupported(key) {
                format!("{key} is not supported for rds-db by AWS")
            } else if variables.get(key).is_some() {
                format!("{} is given twice", quoted(key))
            } else {
                variables.0.push((key.to_owned(), value.to_owned()));
                continue;
            };
            return Err(invalid(&problem));
        }
        Ok(variables)
    }

    /// Returns the value of a key. "Condition key names are not case-sensitive"
    /// (<https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition.html>).
    pub(super) fn get(&self, key: &str) -> Option<&str> {
        let mut entries = self.0.iter();
        let (_, value) = entries.find(|(own, _)| own.eq_ignore_ascii_case(key))?;
        Some(value)
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

/// Returns whether IAM database authentication does not support a key.
pub(super) fn is_unsupported(key: &str) -> bool {
    UNSUPPORTED.iter().any(|own| own.eq_ignore_ascii_case(key))
}
