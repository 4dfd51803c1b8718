//! Checks the form of access key IDs, and reads the kind of key from their prefix.
//!
//! An access key ID is not a secret, but users often pass a secret in its place. Show an ID only if
//! it has the form of one.

/// The prefix of temporary access keys, which work only with their session token.
///
/// Source: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-unique-ids>
const TEMPORARY: &str = "ASIA";
/// The prefix of long-lived access keys, which have no session token.
const LONG_LIVED: &str = "AKIA";

/// The length of a secret access key. No access key ID has this length.
const SECRET_LENGTH: usize = 40;

/// Returns whether the text has the form of an access key ID.
///
/// Source: <https://docs.aws.amazon.com/IAM/latest/APIReference/API_AccessKey.html>
pub(crate) fn is_access_key_id(text: &str) -> bool {
    let accepted = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
    (1..=128).contains(&text.len()) && text.len() != SECRET_LENGTH && text.bytes().all(accepted)
}

/// Returns an access key ID for a message. Hides a text that does not have the form of one, because it
/// may be a secret.
pub fn shown_access_key_id(text: &str) -> &str {
    match is_access_key_id(text) {
        true => text,
        false => "(not shown: it does not look like one)",
    }
}

/// Returns whether the text has the form of the access key IDs that AWS issues today: `AKIA` or
/// `ASIA`, and 20 capital letters and digits in all.
pub(crate) fn is_issued_access_key_id(text: &str) -> bool {
    let is_capital = |b: u8| b.is_ascii_uppercase() || b.is_ascii_digit();
    text.len() == 20
        && text.bytes().all(is_capital)
        && (text.starts_with(LONG_LIVED) || text.starts_with(TEMPORARY))
}

/// Returns the kind of an access key: `temporary` if it has a session token or needs one, else
/// `long-lived`.
pub fn access_key_kind(access_key_id: &str, has_session_token: bool) -> &'static str {
    match SessionTokenMismatch::of(access_key_id, has_session_token) {
        Some(SessionTokenMismatch::Missing) => "temporary",
        None if has_session_token => "temporary",
        Some(SessionTokenMismatch::LeftOver) | None => "long-lived",
    }
}

/// A contradiction between an access key ID and a session token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SessionTokenMismatch {
    /// The key is temporary (ASIA…), but the session token is missing.
    Missing,
    /// The key is long-lived (AKIA…), so the session token belongs to another key.
    LeftOver,
}

impl SessionTokenMismatch {
    /// Compares the prefix of the access key ID with the presence of a session token. Returns
    /// `None` if they fit together, or if the ID has another prefix.
    pub fn of(access_key_id: &str, has_session_token: bool) -> Option<Self> {
        match has_session_token {
            false if access_key_id.starts_with(TEMPORARY) => Some(Self::Missing),
            true if access_key_id.starts_with(LONG_LIVED) => Some(Self::LeftOver),
            _ => None,
        }
    }

    /// Returns a few words that can follow the key's kind.
    pub fn in_short(self) -> &'static str {
        match self {
            Self::Missing => "session token missing",
            Self::LeftOver => "session token of another key",
        }
    }
}
