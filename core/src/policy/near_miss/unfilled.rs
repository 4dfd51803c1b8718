//! Prepares a resource for the comparison with what a login needs: fills in variables, and reports
//! and removes what a person or a template left in it: placeholders, spaces, and variables where
//! IAM does not replace them.

use super::{Difference, difference};
use crate::message::shortened;
use crate::names::ConnectResource;
use crate::policy::pattern::{Pattern, Token};
use crate::policy::placeholder::{self, is_placeholder};
use crate::policy::variables::Variables;

/// A resource in which `*` stands for everything that is unknown or reported.
pub(super) struct Filled {
    pub(super) pattern: String,
    pub(super) differences: Vec<Difference>,
}

impl Filled {
    pub(super) fn new(pattern: &Pattern, wanted: &ConnectResource, variables: &Variables) -> Self {
        let mut placeholders = Vec::new();
        let mut misplaced = Vec::new();
        let text = with_values(pattern, variables, &mut placeholders, &mut misplaced);
        let text = without_placeholders(&text, &mut placeholders, &mut misplaced);
        let text = without_words(&text, &mut placeholders);
        let mut differences = Vec::new();
        if !placeholders.is_empty() {
            let are = match placeholders.len() {
                1 => "is a placeholder that was",
                _ => "are placeholders that were",
            };
            differences.push(difference(
                "placeholder",
                format!(
                    "{} {are} not filled in: a login needs {:?}.",
                    placeholders.join(", "),
                    wanted.arn()
                ),
            ));
        }
        if let Some(variable) = misplaced.first() {
            differences.push(difference(
                "variable-not-replaced",
                format!(
                    "IAM does not replace {variable} here: it replaces variables only after the \
                     fifth colon of an ARN, and only in a policy with \"Version\": \"2012-10-17\"."
                ),
            ));
        }
        let pattern = without_spaces(text, wanted, &mut differences);
        Self {
            pattern,
            differences,
        }
    }
}

fn with_values(
    pattern: &Pattern,
    variables: &Variables,
    placeholders: &mut Vec<String>,
    misplaced: &mut Vec<String>,
) -> String {
    let mut text = String::new();
    for token in &pattern.tokens {
        match token {
            Token::Char(c) => text.push(*c),
            Token::Star => text.push('*'),
            Token::Question => text.push('?'),
            Token::Variable(variable) => {
                let shown = || format!("${{{}}}", shortened(&variable.key));
                if is_placeholder(&variable.key) {
                    placeholders.push(shown());
                } else if !variable.is_replaced {
                    misplaced.push(shown());
                }
                text.push_str(variable.value(variables).unwrap_or("*"));
            }
        }
    }
    text
}

/// Replaces placeholders by `*`. In a policy without variables, a `${…}` is here too.
fn without_placeholders(
    text: &str,
    placeholders: &mut Vec<String>,
    misplaced: &mut Vec<String>,
) -> String {
    let mut cleaned = String::new();
    let mut rest = text;
    while let Some(found) = placeholder::find(rest) {
        let (before, after) = rest.split_once(found).unwrap_or((rest, ""));
        cleaned.push_str(before);
        cleaned.push('*');
        rest = after;
        let name = found
            .strip_prefix("${")
            .and_then(|name| name.strip_suffix('}'));
        match name {
            Some(name) if !is_placeholder(name) => misplaced.push(found.to_owned()),
            _ => placeholders.push(found.to_owned()),
        }
    }
    cleaned + rest
}

/// Replaces words such as `ACCOUNT_ID` by `*` where a region, an account ID or a resource ID stands.
fn without_words(text: &str, placeholders: &mut Vec<String>) -> String {
    let mut parts: Vec<String> = text.splitn(7, ':').map(str::to_owned).collect();
    for (index, part) in parts.iter_mut().enumerate().skip(3) {
        let end = match index {
            3 | 4 => part.len(),
            6 => part.find('/').unwrap_or(part.len()),
            _ => continue,
        };
        if placeholder::is_word(&part[..end]) {
            placeholders.push(part[..end].to_owned());
            part.replace_range(..end, "*");
        }
    }
    parts.join(":")
}

/// Removes white space if the login needs none.
fn without_spaces(
    text: String,
    wanted: &ConnectResource,
    differences: &mut Vec<Difference>,
) -> String {
    let needs_space = wanted.arn().contains(char::is_whitespace);
    let Some(at) = text.find(char::is_whitespace).filter(|_| !needs_space) else {
        return text;
    };
    let after = text[at..].trim();
    let message = match after {
        "" => format!("A space stands after {:?}: remove it.", text.trim_end()),
        after => format!("A space stands before {after:?}: remove it."),
    };
    differences.push(difference("white-space", message));
    text.split_whitespace().collect()
}
