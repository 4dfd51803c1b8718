//! Reads the token's text from an argument, PGPASSWORD or standard input. The caller learns whether
//! it came from PGPASSWORD, because then libpq would send it to PostgreSQL.

use std::ffi::OsString;
use std::io::{self, IsTerminal, Read};

use crate::failure::Failure;

/// In bytes. A token has a few thousand.
const LONGEST_INPUT: u64 = 1 << 20;

/// Returns the text, and whether it came from PGPASSWORD.
pub(super) fn token(argument: Option<OsString>) -> Result<(String, bool), Failure> {
    let password = std::env::var_os("PGPASSWORD");
    let text = match (argument, password) {
        (Some(argument), _) if argument != "-" => argument,
        (None, Some(password)) if !password.is_empty() => {
            return Ok((password.to_string_lossy().into_owned(), true));
        }
        (None, password) if io::stdin().is_terminal() => match password {
            Some(empty) => empty,
            None => {
                return Err(Failure::Usage(
                    "token: missing; accepted: an argument, PGPASSWORD or standard input"
                        .to_owned(),
                ));
            }
        },
        _ => return Ok((standard_input()?, false)),
    };
    Ok((text.to_string_lossy().into_owned(), false))
}

fn standard_input() -> Result<String, Failure> {
    let mut bytes = Vec::new();
    io::stdin()
        .take(LONGEST_INPUT)
        .read_to_end(&mut bytes)
        .map_err(|error| Failure::Usage(format!("token: cannot read standard input: {error}")))?;
    if bytes.ends_with(b"\n") {
        bytes.pop();
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
