//! Finds placeholders that a template or a reader of a manual did not fill in: `<REGION>`,
//! `${db_region}`, `{{ user }}`, `%ACCOUNT%`, `ACCOUNT_ID`. A user name may have any of these forms,
//! so they only explain why a resource does not match. Only a `${…}` affects a decision.

/// The start and the end of each kind of placeholder, the longest start first.
const KINDS: [(&str, &str); 6] = [
    ("${", "}"),
    ("{{", "}}"),
    ("<", ">"),
    ("{", "}"),
    ("[", "]"),
    ("%", "%"),
];

/// Prefixes of variables of the Serverless Framework, which IAM does not have.
const NOT_IAM: [&str; 8] = ["cf", "env", "file", "opt", "param", "self", "sls", "ssm"];

/// Returns whether the name of a `${…}` is not a condition key of IAM. Condition keys have a prefix
/// that ends with a colon, and CloudFormation's `${AWS::Region}` has two colons.
pub(super) fn is_placeholder(name: &str) -> bool {
    match name.split_once(':') {
        Some((prefix, rest)) => rest.starts_with(':') || NOT_IAM.contains(&prefix),
        None => true,
    }
}

/// Returns the first placeholder of a text.
pub(super) fn find(text: &str) -> Option<&str> {
    let starts = text.char_indices().map(|(at, _)| at);
    starts.filter_map(|at| starting(&text[at..])).next()
}

/// Returns the placeholder that a text starts with.
fn starting(text: &str) -> Option<&str> {
    let (start, end) = KINDS.iter().find(|(start, _)| text.starts_with(start))?;
    let inner = &text[start.len()..];
    let (name, rest) = inner.split_at(name_length(inner.chars()));
    let is_placeholder = !name.trim().is_empty() && rest.starts_with(end);
    is_placeholder.then(|| &text[..start.len() + name.len() + end.len()])
}

/// Returns how many bytes of a text can be the name in a placeholder. Reads no further, so that a
/// text of many starts takes no quadratic time.
pub(super) fn name_length(text: impl Iterator<Item = char>) -> usize {
    let in_name = |c: &char| c.is_alphanumeric() || " _-.:/,'()".contains(*c);
    text.take_while(in_name).map(char::len_utf8).sum()
}

/// Returns whether a part of an ARN that has no capital words is one, such as `ACCOUNT_ID`.
pub(super) fn is_word(part: &str) -> bool {
    part.len() > 2
        && part.contains(|c: char| c.is_ascii_uppercase())
        && part
            .bytes()
            .all(|b| b.is_ascii_uppercase() || matches!(b, b'_' | b'-'))
}
