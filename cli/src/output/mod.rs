//! Writes what rdsign prints: text for people, JSON for programs, and help.
//!
//! Standard output is flushed here, so that a full disk or a closed pipe makes the command fail and
//! no line is lost silently.

pub(crate) mod help;
pub(crate) mod json;
pub(crate) mod terminal;

use std::io::{self, Write};

use rdsign::names::{OddKeys, SessionTokenMismatch, access_key_kind};

/// Writes the parts one after the other, with nothing between them.
pub(crate) fn print(parts: impl IntoIterator<Item = impl AsRef<str>>) -> io::Result<()> {
    let mut output = io::stdout().lock();
    for part in parts {
        output.write_all(part.as_ref().as_bytes())?;
    }
    output.flush()
}

/// Describes a key: its kind, and whether its session token fits.
pub(crate) fn key(id: &str, has_session_token: bool) -> String {
    let kind = access_key_kind(id, has_session_token);
    match SessionTokenMismatch::of(id, has_session_token) {
        Some(mismatch) => format!("{kind}; {}", mismatch.in_short()),
        None => kind.to_owned(),
    }
}

/// Warns on standard error about keys that sign tokens which a database may refuse.
pub(crate) fn warn_about(odd: &[OddKeys]) {
    for odd in odd {
        let (problem, advice) = odd.problem_and_advice();
        crate::failure::complain(&format!("warning: {problem}. {advice}"));
    }
}
