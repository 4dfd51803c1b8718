//! Finds keys that can sign, but whose tokens a database probably refuses.
//!
//! The libraries sign with them and say nothing; the command line warns. No warning quotes a key,
//! because a secret may be in the wrong place.

use super::access_key::{SessionTokenMismatch, is_access_key_id, is_issued_access_key_id};

/// A sign that keys were copied wrongly.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum OddKeys {
    /// The access key ID or the secret access key has quotes around it.
    Quoted,
    /// The access key ID does not have the form of one, or the secret access key has it.
    NotAnId,
    /// The session token is missing, or belongs to another key.
    SessionToken(SessionTokenMismatch),
}

impl OddKeys {
    /// Returns all signs in these keys.
    pub fn of(id: &str, secret: &str, has_session_token: bool) -> Vec<Self> {
        let mut odd = Vec::new();
        if is_quoted(id) || is_quoted(secret) {
            odd.push(Self::Quoted);
        } else if !is_access_key_id(id) || is_issued_access_key_id(secret) {
            odd.push(Self::NotAnId);
        }
        let mismatch = SessionTokenMismatch::of(unquoted(id), has_session_token);
        odd.extend(mismatch.map(Self::SessionToken));
        odd
    }

    /// Returns the problem, and a sentence that says what to do.
    pub fn problem_and_advice(self) -> (&'static str, &'static str) {
        match self {
            Self::Quoted => (
                "access key id or secret access key: has quotes around it",
                "Write it without the quotes.",
            ),
            Self::NotAnId => (
                "access key id: does not look like one, so it is not shown",
                "Check whether it and the secret access key are swapped. If so, replace the key: \
                 every token signed with it shows the secret.",
            ),
            Self::SessionToken(SessionTokenMismatch::Missing) => (
                "session token: missing, but keys that start with ASIA are temporary and work only with theirs",
                "Set AWS_SESSION_TOKEN, or aws_session_token, to the session token of this key.",
            ),
            Self::SessionToken(SessionTokenMismatch::LeftOver) => (
                "session token: belongs to another key, because keys that start with AKIA are long-lived and have none",
                "Unset AWS_SESSION_TOKEN.",
            ),
        }
    }
}

fn is_quoted(text: &str) -> bool {
    let is_quote = |c: char| matches!(c, '"' | '\'');
    text.starts_with(is_quote) || text.ends_with(is_quote)
}

fn unquoted(text: &str) -> &str {
    text.trim_matches(['"', '\''])
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "AKIAEXAMPLE000000001";
    const SECRET: &str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";

    #[test]
    fn keys_as_aws_issues_them_are_not_odd() {
        assert_eq!(OddKeys::of(ID, SECRET, false), []);
        assert_eq!(OddKeys::of("ASIAEXAMPLE000000001", SECRET, true), []);
        assert_eq!(OddKeys::of("local", "x", false), []);
    }

    #[test]
    fn a_swapped_pair_quotes_and_session_tokens_are_odd() {
        assert_eq!(OddKeys::of(SECRET, ID, false), [OddKeys::NotAnId]);
        assert_eq!(OddKeys::of("an-id", ID, false), [OddKeys::NotAnId]);
        for (id, secret) in [(&*format!("\"{ID}\""), SECRET), (ID, "'secret'")] {
            assert_eq!(OddKeys::of(id, secret, false), [OddKeys::Quoted]);
        }
        let missing = OddKeys::SessionToken(SessionTokenMismatch::Missing);
        assert_eq!(
            OddKeys::of("ASIAEXAMPLE000000001", SECRET, false),
            [missing]
        );
        assert_eq!(
            OddKeys::of("'ASIAEXAMPLE000000001'", SECRET, false),
            [OddKeys::Quoted, missing]
        );
        let left_over = OddKeys::SessionToken(SessionTokenMismatch::LeftOver);
        assert_eq!(OddKeys::of(ID, SECRET, true), [left_over]);
    }
}
