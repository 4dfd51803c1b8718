//! What is odd about keys that can sign, and often explains why a database refuses their tokens.
//!
//! A library signs with any keys. The command line warns, and never repeats what may be a secret in
//! the wrong place.

use super::access_key::{SessionTokenMismatch, is_access_key_id, is_issued_access_key_id};

/// Something odd about keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum OddKeys {
    /// The access key id or the secret access key has quotes around it.
    Quoted,
    /// What stands for the access key id does not look like one.
    NotAnId,
    /// The session token is missing, or another key's.
    SessionToken(SessionTokenMismatch),
}

impl OddKeys {
    /// All that is odd about these keys.
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

    /// What is odd, and a sentence that says what to do.
    pub fn problem_and_advice(self) -> (&'static str, &'static str) {
        match self {
            Self::Quoted => (
                "access key id or secret access key: has quotes around it",
                "Write it without the quotes.",
            ),
            Self::NotAnId => (
                "access key id: does not look like one, and is not shown",
                "See whether it and the secret access key were swapped. If so, replace the key: \
                 every token that it signed shows the secret.",
            ),
            Self::SessionToken(SessionTokenMismatch::Missing) => (
                "session token: missing, but the key is a temporary one (ASIA…)",
                "Set AWS_SESSION_TOKEN, or aws_session_token, to the one that came with the key.",
            ),
            Self::SessionToken(SessionTokenMismatch::LeftOver) => (
                "session token: another key's, since this key is a long-lived one (AKIA…)",
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
    fn keys_as_aws_gives_them_out_are_not_odd() {
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
