//! The ids of access keys: their form, and what their first letters say.
//!
//! An id is not a secret, but a secret is often put in its place: show an id only if it has the
//! form of one.

/// What the id of a temporary key starts with. It works only with its session token.
///
/// Source: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-unique-ids>
const TEMPORARY: &str = "ASIA";
/// What the id of a long-lived key starts with. It has no session token.
const LONG_LIVED: &str = "AKIA";

/// How long a secret access key is, which no id is.
const SECRET_LENGTH: usize = 40;

/// Whether a text has the form that IAM gives the ids of access keys.
///
/// Source: <https://docs.aws.amazon.com/IAM/latest/APIReference/API_AccessKey.html>
pub(crate) fn is_access_key_id(text: &str) -> bool {
    let accepted = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
    (1..=128).contains(&text.len()) && text.len() != SECRET_LENGTH && text.bytes().all(accepted)
}

/// Whether a text is one of the ids that AWS gives out today: 20 characters that say their kind.
pub(crate) fn is_issued_access_key_id(text: &str) -> bool {
    let is_capital = |b: u8| b.is_ascii_uppercase() || b.is_ascii_digit();
    text.len() == 20
        && text.bytes().all(is_capital)
        && (text.starts_with(LONG_LIVED) || text.starts_with(TEMPORARY))
}

/// How an access key and a session token contradict each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SessionTokenMismatch {
    /// The key is temporary (ASIA…), but there is no session token.
    Missing,
    /// The key is long-lived (AKIA…), but there is a session token: another key's.
    LeftOver,
}

impl SessionTokenMismatch {
    /// Tells by the first letters of the id. `None` if nothing is wrong, or the id does not tell.
    pub fn of(access_key_id: &str, has_session_token: bool) -> Option<Self> {
        match has_session_token {
            false if access_key_id.starts_with(TEMPORARY) => Some(Self::Missing),
            true if access_key_id.starts_with(LONG_LIVED) => Some(Self::LeftOver),
            _ => None,
        }
    }
}
