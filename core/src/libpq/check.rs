//! Checks settings and connection strings: a token must reach no other server than the one it is
//! signed for.
//!
//! A text that libpq would reject may be refused here, too. A message never shows a password or a
//! whole token, which a user may have put in the wrong place.

use super::keywords::is_dangerous;
use super::{conninfo, uri};
use crate::error::{Error, ErrorCode};
use crate::message::quoted;
use crate::names::is_same_hostname;

const SCHEMES: [&str; 2] = ["postgresql://", "postgres://"];

/// Checks a text that libpq may read as a connection string. A name passes.
///
/// `hostname` is the endpoint's. `sslmode` is the mode that the caller agreed to, outside the
/// text; `None` means that only `verify-full` is accepted.
///
/// # Errors
/// `INVALID_HOSTNAME` if the token could reach another server, or one that is not verified.
pub fn check_connection_string(
    text: &str,
    hostname: &str,
    sslmode: Option<&str>,
) -> Result<(), Error> {
    Check { hostname, sslmode }.text(text).map_err(refused)
}

/// Checks a value of one of libpq's keywords, as [`check_connection_string`] does.
///
/// # Errors
/// `INVALID_HOSTNAME` if the token could reach another server, or one that is not verified.
pub fn check_setting(
    keyword: &str,
    value: &str,
    hostname: &str,
    sslmode: Option<&str>,
) -> Result<(), Error> {
    let check = Check { hostname, sslmode };
    check.setting(keyword, value).map_err(refused)
}

pub(super) fn refused(problem: String) -> Error {
    Error::new(ErrorCode::InvalidHostname, problem)
}

/// What the token is for.
#[derive(Clone, Copy)]
pub(super) struct Check<'a> {
    pub(super) hostname: &'a str,
    /// The mode that the caller agreed to, unless it must be `verify-full`.
    pub(super) sslmode: Option<&'a str>,
}

impl Check<'_> {
    /// Checks a text that may be a connection string, by libpq's rule for that.
    pub(super) fn text(&self, text: &str) -> Result<(), String> {
        if !is_connection_string(text) {
            return Ok(());
        }
        let settings = match SCHEMES.iter().find_map(|scheme| text.strip_prefix(scheme)) {
            Some(rest) => uri::parse(rest),
            None => conninfo::parse(text),
        };
        let settings = settings.map_err(|problem| format!("connection string: {problem}"))?;
        let mut settings = settings.iter();
        settings.try_for_each(|(keyword, value)| self.setting(keyword, value))
    }

    pub(super) fn setting(&self, keyword: &str, value: &str) -> Result<(), String> {
        match keyword {
            // libpq connects to a Unix socket then, without TLS.
            "host" if value.is_empty() => Err(format!(
                "host: empty; accepted: {}, or no host",
                quoted(self.hostname)
            )),
            "host" => self.host(value),
            "sslmode" if value == "verify-full" || self.sslmode == Some(value) => Ok(()),
            "sslmode" => Err(format!(
                "sslmode: {} would send the token to a server that is not verified; accepted: {}",
                shown(value),
                self.sslmode.unwrap_or("verify-full")
            )),
            "gssencmode" if value == "disable" => Ok(()),
            "gssencmode" => Err(format!(
                "gssencmode: {} could encrypt the connection without TLS; accepted: disable",
                shown(value)
            )),
            // libpq reads no connection string inside another. To check one within one within one would
            // need as much stack as the caller likes.
            "dbname" if is_connection_string(value) => Err(
                "dbname: a connection string in a connection string; accepted: a name".to_owned(),
            ),
            _ if is_dangerous(keyword) => Err(self.elsewhere(keyword)),
            // libpq rejects a keyword that is unknown.
            _ => Ok(()),
        }
    }

    pub(super) fn host(&self, host: &str) -> Result<(), String> {
        // In URIs, only the brackets of an address are not part of it.
        let bare = |name: &str| name.trim_matches(['[', ']']).to_owned();
        if host.is_empty() || is_same_hostname(&bare(host), &bare(self.hostname)) {
            return Ok(());
        }
        Err(format!(
            "host: {} is not the endpoint that the token is signed for, {}; accepted: the endpoint, and \
             hostaddr to dial another address",
            shown(host),
            quoted(self.hostname)
        ))
    }

    pub(super) fn elsewhere(&self, what: &str) -> String {
        format!(
            "{what}: could send the token to another server, or to one that is not verified; accepted: \
             {} and verify-full",
            quoted(self.hostname)
        )
    }
}

/// Returns whether libpq reads a text as a connection string, and not as a name.
fn is_connection_string(text: &str) -> bool {
    text.contains('=') || SCHEMES.iter().any(|scheme| text.starts_with(scheme))
}

/// Quotes a value, unless it may be a part of a password or of a token.
fn shown(value: &str) -> String {
    match value.contains(['@', '=']) {
        true => "the value".to_owned(),
        false => quoted(value),
    }
}
