//! Checks settings and connection strings: a token must reach no other server than the one it is
//! signed for, and no other port, user or password may make the server refuse it.
//!
//! A text that libpq would reject may be refused here, too. A message never shows a password or a
//! whole token, which a user may have put in the wrong place.

use super::keywords::is_dangerous;
use super::{conninfo, uri};
use crate::error::{Error, ErrorCode};
use crate::message::quoted;
use crate::names::is_same_hostname;

const SCHEMES: [&str; 2] = ["postgresql://", "postgres://"];

/// The login that a token is for.
#[derive(Clone, Copy, Debug)]
pub struct Login<'a> {
    /// The host name of the endpoint.
    pub hostname: &'a str,
    /// The ports that may be dialed: the endpoint's, and a tunnel's. If empty, every port is accepted.
    pub ports: &'a [u16],
    /// The user that the token is signed for. `None` accepts every user, and a password.
    pub username: Option<&'a str>,
    /// The `sslmode` that the caller agreed to, outside of what is checked. `None`: only
    /// `verify-full` is accepted.
    pub sslmode: Option<&'a str>,
}

/// Checks a text that libpq may read as a connection string. A name passes.
///
/// # Errors
/// `INVALID_HOSTNAME` if the token could reach another server, or one that is not verified. Else
/// `INVALID_PORT`, `INVALID_USERNAME` or `INVALID_CREDENTIALS` if the text names another port or
/// user, or has a password, which would replace the token.
pub fn check_connection_string(text: &str, login: Login<'_>) -> Result<(), Error> {
    login.text(text)
}

/// Checks a value of one of libpq's keywords, as [`check_connection_string`] does.
///
/// # Errors
/// As [`check_connection_string`].
pub fn check_setting(keyword: &str, value: &str, login: Login<'_>) -> Result<(), Error> {
    login.setting(keyword, value)
}

/// An error about the server.
pub(super) fn refused(problem: String) -> Error {
    Error::new(ErrorCode::InvalidHostname, problem)
}

impl Login<'_> {
    /// Checks a text that may be a connection string, by libpq's rule for that.
    pub(super) fn text(&self, text: &str) -> Result<(), Error> {
        if !is_connection_string(text) {
            return Ok(());
        }
        let settings = match SCHEMES.iter().find_map(|scheme| text.strip_prefix(scheme)) {
            Some(rest) => uri::parse(rest),
            None => conninfo::parse(text),
        };
        let settings =
            settings.map_err(|problem| refused(format!("connection string: {problem}")))?;
        // Another server is worse than another port.
        let (login, server): (Vec<_>, Vec<_>) = settings
            .iter()
            .partition(|(keyword, _)| ["port", "user", "password"].contains(&keyword.as_str()));
        let mut settings = server.iter().chain(&login);
        settings.try_for_each(|(keyword, value)| self.setting(keyword, value))
    }

    pub(super) fn setting(&self, keyword: &str, value: &str) -> Result<(), Error> {
        match keyword {
            "port" => self.port(value),
            // libpq logs in as the user of this process then.
            "user" if value.is_empty() => self.other_user(value),
            "user" => self.user(value),
            "password" => self.password(value),
            _ => self.server(keyword, value).map_err(refused),
        }
    }

    fn server(&self, keyword: &str, value: &str) -> Result<(), String> {
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

    /// An empty port or user counts as none.
    pub(super) fn port(&self, port: &str) -> Result<(), Error> {
        let [own, ..] = self.ports else {
            return Ok(());
        };
        let number = port.trim().parse();
        if port.is_empty() || number.is_ok_and(|port| self.ports.contains(&port)) {
            return Ok(());
        }
        let problem = format!(
            "port: {} is not the port that the token is signed for, {own}; accepted: {own}, or no port",
            shown(port)
        );
        Err(Error::new(ErrorCode::InvalidPort, problem))
    }

    pub(super) fn user(&self, user: &str) -> Result<(), Error> {
        match user.is_empty() || self.username == Some(user) {
            true => Ok(()),
            false => self.other_user(user),
        }
    }

    fn other_user(&self, user: &str) -> Result<(), Error> {
        let Some(own) = self.username.map(quoted) else {
            return Ok(());
        };
        let problem = format!(
            "user: {} is not the user that the token is signed for, {own}; accepted: {own}, or no user",
            shown(user)
        );
        Err(Error::new(ErrorCode::InvalidUsername, problem))
    }

    fn password(&self, password: &str) -> Result<(), Error> {
        if password.is_empty() || self.username.is_none() {
            return Ok(());
        }
        let problem = "password: would replace the token; accepted: no password";
        Err(Error::new(ErrorCode::InvalidCredentials, problem))
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
