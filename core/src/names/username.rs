//! Checks the names of database users.

use crate::error::{Error, ErrorCode};
use crate::message::{has_secret_parameter, quoted};

/// Checks the name of a database user. Accepts any Unicode text without control characters
/// that is not a token.
///
/// # Errors
/// [`ErrorCode::InvalidUsername`] if the name is empty, contains a control character or U+FFFD, or
/// is a token.
pub(crate) fn check_username(username: &str) -> Result<(), Error> {
    let problem = match username {
        "" => "empty".to_owned(),
        // Languages with UTF-16 strings convert a lone surrogate to U+FFFD.
        name if name.contains(char::REPLACEMENT_CHARACTER) => {
            format!(
                "{} contains U+FFFD, which replaces damaged text",
                quoted(name)
            )
        }
        name if name.contains(char::is_control) => {
            format!("{} contains a control character", quoted(name))
        }
        // The token would contain the other one, and whatever shows its user name would show it.
        name if has_secret_parameter(name) => format!("{} is a token", quoted(name)),
        _ => return Ok(()),
    };
    Err(invalid_username(&problem))
}

/// Returns the error for a missing user name.
pub(crate) fn username_required() -> Error {
    invalid_username("missing")
}

fn invalid_username(problem: &str) -> Error {
    Error::new(
        ErrorCode::InvalidUsername,
        format!("username: {problem}; accepted: a database user name without control characters"),
    )
}
