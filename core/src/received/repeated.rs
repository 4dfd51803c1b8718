//! Finds parts of a token that repeat a piece of its signature or session token, such as after
//! pasting one token into another. They must not be shown or logged.

use std::collections::HashSet;

use super::Parts;

/// How many characters of a secret may be shown: too few to be useful.
pub(crate) const LONGEST_PIECE: usize = 15;

/// Returns whether part of the signature or the session token is also in a part that is shown, or
/// in `login`, the name of the user that logs in.
pub(crate) fn repeats_a_secret(parts: &Parts, login: Option<&str>) -> bool {
    let shown = [
        parts.endpoint().hostname(),
        parts.username().unwrap_or_default(),
        parts.access_key_id(),
        parts.region(),
        parts.service(),
        login.unwrap_or_default(),
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

/// The reason to give instead of one that would show the part.
pub(crate) fn repeats() -> super::Malformed {
    super::Malformed::new("part of its signature or session token is also in another part")
}
