//! Decides which parts of a received text are safe to show: only those that cannot be part of a
//! secret.

use crate::names::is_issued_access_key_id;
use crate::received::LONGEST_PIECE;

/// Returns whether a text cannot be part of a secret: it has no long run of base64 characters,
/// except for words in lower case.
pub(super) fn is_plain(text: &str) -> bool {
    let is_short = |run: &str| run.len() <= LONGEST_PIECE;
    let is_word = |run: &str| run.bytes().all(|b| b.is_ascii_lowercase());
    text.len() <= 253
        && text
            .split(|c: char| !c.is_ascii_alphanumeric() && !matches!(c, '+' | '/' | '='))
            .all(|run| is_short(run) || is_word(run))
}

/// Returns whether a text looks like an access key ID: one that AWS issues, or a short made-up one.
pub(super) fn is_plain_id(text: &str) -> bool {
    is_issued_access_key_id(text) || text.len() <= 16 && is_plain(text)
}

/// Returns whether a text looks like the name of an AWS service.
pub(super) fn is_service(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= 20
        && text
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        && is_plain(text)
}
