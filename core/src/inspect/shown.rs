//! What of a received text may be shown: nothing that could be a piece of a secret.

use std::collections::HashSet;

use crate::names::is_issued_access_key_id;
use crate::received::Parts;

/// How many characters of a secret may be shown: so few that they are of no use.
const LONGEST_PIECE: usize = 15;

/// Whether a piece of the signature or the session token has got into a part that is shown, as when
/// a token was pasted into another.
pub(super) fn repeats_a_secret(parts: &Parts) -> bool {
    let shown = [
        parts.endpoint().hostname(),
        parts.username(),
        parts.access_key_id(),
        parts.region(),
        parts.service(),
    ];
    let length = LONGEST_PIECE + 1;
    let shown = shown.map(|text| text.as_bytes().windows(length));
    let shown: HashSet<&[u8]> = shown.into_iter().flatten().collect();
    let secrets = [parts.signature(), parts.session_token().unwrap_or_default()];
    let mut pieces = secrets
        .iter()
        .flat_map(|secret| secret.as_bytes().windows(length));
    pieces.any(|piece| shown.contains(piece))
}

/// Whether a text can be no piece of a secret: no long run of base64's characters but a word.
pub(super) fn is_plain(text: &str) -> bool {
    let is_short = |run: &str| run.len() <= LONGEST_PIECE;
    let is_word = |run: &str| run.bytes().all(|b| b.is_ascii_lowercase());
    text.len() <= 253
        && text
            .split(|c: char| !c.is_ascii_alphanumeric() && !matches!(c, '+' | '/' | '='))
            .all(|run| is_short(run) || is_word(run))
}

/// Whether a text looks like an access key id: one that AWS gives out, or a short made-up one.
pub(super) fn is_plain_id(text: &str) -> bool {
    is_issued_access_key_id(text) || text.len() <= 16 && is_plain(text)
}

/// Whether a text looks like the name of an AWS service.
pub(super) fn is_service(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= 20
        && text
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        && is_plain(text)
}
