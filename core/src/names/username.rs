//! The name of a database user: what a token may be signed for.

use crate::error::{Error, ErrorCode};
use crate::message::quoted;

/// Checks the name of a database user. Any Unicode text is one, but for control characters.
///
/// # Errors
/// [`ErrorCode::InvalidUsername`] if it is empty, or has a control character or U+FFFD in it.
pub(crate) fn check_username(username: &str) -> Result<(), Error> {
    let problem = match username {
        "" => "is empty".to_owned(),
        // What a lone surrogate becomes on its way from a language of 16-bit characters.
        name if name.contains(char::REPLACEMENT_CHARACTER) => {
            format!("{} has U+FFFD in it, a damaged character", quoted(name))
        }
        name if name.contains(char::is_control) => {
            format!("{} has a control character in it", quoted(name))
        }
        _ => return Ok(()),
    };
    Err(invalid_username(&problem))
}

/// The error for a user name that is missing.
pub(crate) fn username_required() -> Error {
    invalid_username("none is given")
}

fn invalid_username(problem: &str) -> Error {
    Error::new(
        ErrorCode::InvalidUsername,
        format!("username: {problem}; accepted: the name of a database user, in Unicode"),
    )
}
