//! Says which actions and resources a statement may name. IAM rejects others when a policy is saved,
//! so here they are errors too. The message names a space or a placeholder that explains the error.

use super::placeholder;
use crate::message::quoted;

/// The form of an element, and of its negation.
pub(super) struct Form {
    pub(super) name: &'static str,
    pub(super) negated_name: &'static str,
    pub(super) accepted: &'static str,
    is_valid: fn(&str) -> bool,
}

pub(super) const ACTION: Form = Form {
    name: "Action",
    negated_name: "NotAction",
    accepted: r#""*" or "service:name", with letters, digits and wildcards in the name"#,
    is_valid: is_action,
};

pub(super) const RESOURCE: Form = Form {
    name: "Resource",
    negated_name: "NotResource",
    accepted: r#""*" or "arn:partition:service:region:account:resource", with no wildcard in the service"#,
    is_valid: is_resource,
};

impl Form {
    /// Returns why a text does not have the form, or `None` if it has.
    pub(super) fn problem(&self, text: &str) -> Option<String> {
        if (self.is_valid)(text) {
            return None;
        }
        let why = if text != text.trim() && (self.is_valid)(text.trim()) {
            match text.starts_with(char::is_whitespace) {
                true => ": a space stands before it".to_owned(),
                false => ": a space stands after it".to_owned(),
            }
        } else {
            match placeholder::find(text) {
                Some(found) => format!(
                    ": {} is a placeholder that was not filled in",
                    quoted(found)
                ),
                None => String::new(),
            }
        };
        Some(format!("is invalid{why}"))
    }
}

/// Returns whether a pattern is a valid action. IAM rejects others with "Actions/Conditions must be
/// prefaced by a vendor", "can contain only one colon" or "Action vendors (e.g., aws, ec2, etc.)
/// must not contain wildcards"
/// (<https://github.com/theserverlessway/aws-baseline/issues/1>).
fn is_action(pattern: &str) -> bool {
    let in_service = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.');
    let in_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '*' | '?');
    pattern == "*"
        || pattern.split_once(':').is_some_and(|(service, name)| {
            !service.is_empty()
                && service.chars().all(in_service)
                && !name.is_empty()
                && name.chars().all(in_name)
        })
}

/// Returns whether a pattern is a valid resource. An ARN has six parts, or fewer if a part ends
/// with a `*`, which matches the rest, as in `arn:aws:rds-db:*`. How IAM treats other short ARNs is
/// not documented. It rejects a wildcard in the service ("Resource vendor must be fully qualified
/// and cannot contain regexes").
fn is_resource(pattern: &str) -> bool {
    let pattern = without_variables(pattern);
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

/// Replaces each `${…}`, which may contain colons, by a letter.
fn without_variables(pattern: &str) -> String {
    let mut text = String::with_capacity(pattern.len());
    let mut rest = pattern;
    while let Some((before, after)) = rest.split_once("${") {
        let Some((_, after)) = after.split_once('}') else {
            break;
        };
        text.push_str(before);
        text.push('v');
        rest = after;
    }
    text + rest
}
