//! Checks connection strings: a token must reach no other server than the one it is signed for.
//!
//! The check is stricter than libpq: whatever could name another server is refused, wherever it is.

use super::keywords::{DANGEROUS, HARMLESS};
use crate::error::{Error, ErrorCode};

const SCHEMES: [&str; 2] = ["postgresql://", "postgres://"];

/// Checks a text that libpq, or psql, may read as a connection string. A name passes.
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

/// Checks a value of libpq's `host`. An empty one passes, because then PGHOST counts.
///
/// # Errors
/// `INVALID_HOSTNAME` if it is not the endpoint's host name.
pub fn check_host(host: &str, hostname: &str) -> Result<(), Error> {
    let check = Check {
        hostname,
        sslmode: None,
    };
    check.host(host).map_err(refused)
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
    /// Checks a text that may be a connection string.
    pub(super) fn text(&self, text: &str) -> Result<(), String> {
        let text = text.trim_start();
        if let Some(rest) = SCHEMES.iter().find_map(|scheme| text.strip_prefix(scheme)) {
            return self.uri(rest);
        }
        if let Some(rest) = text.strip_prefix("\\c") {
            return check_connect(rest);
        }
        if keyword_at_end(text.split('=').next().unwrap_or_default())
            != text.split('=').next().map(str::trim_end)
        {
            return Ok(());
        }
        // Not parsed as libpq does: a keyword counts wherever it is, even within quotes.
        for (at, _) in text.match_indices('=') {
            if let Some(keyword) = keyword_at_end(&text[..at])
                && DANGEROUS.contains(&keyword)
            {
                let value = text[at + 1..].trim_start().trim_start_matches('\'');
                let end = value.find(|c: char| c.is_whitespace() || c == '\'');
                self.setting(keyword, &value[..end.unwrap_or(value.len())])?;
            }
        }
        Ok(())
    }

    /// Checks what follows the scheme of a URI.
    fn uri(&self, rest: &str) -> Result<(), String> {
        // As for libpq: the user ends at the first @ before any slash.
        let before_slash = rest.split('/').next().unwrap_or_default();
        let at = before_slash.find('@').map_or(0, |at| at + 1);
        let rest = &rest[at..];
        let end = rest.find([':', '/', '?']).unwrap_or(rest.len());
        self.host(&rest[..end])?;
        let parameters = rest[end..].split_once('?').map_or("", |(_, after)| after);
        let mut parameters = parameters.split('&').filter(|text| !text.is_empty());
        parameters.try_for_each(|parameter| {
            let (keyword, value) = parameter.split_once('=').unwrap_or((parameter, ""));
            self.setting(keyword, value)
        })
    }

    fn setting(&self, keyword: &str, value: &str) -> Result<(), String> {
        match keyword {
            // libpq connects to a Unix socket then, without TLS.
            "host" if value.is_empty() => Err(format!(
                "host: empty; accepted: {:?}, or no host",
                self.hostname
            )),
            "host" => self.host(value),
            "sslmode" if value == "verify-full" || self.sslmode.is_some() => Ok(()),
            "sslmode" => Err(format!(
                "sslmode: {value:?} would send the token to a server that is not verified; accepted: \
                 verify-full, or --sslmode of rdsign"
            )),
            keyword if HARMLESS.contains(&keyword) => Ok(()),
            _ => Err(elsewhere(keyword)),
        }
    }

    pub(super) fn host(&self, host: &str) -> Result<(), String> {
        if host.is_empty() || host.eq_ignore_ascii_case(self.hostname) {
            return Ok(());
        }
        Err(format!(
            "host: {host:?} is not the endpoint that the token is signed for, {:?}; accepted: \
             --hostname of rdsign for another endpoint, --hostaddr to dial another address",
            self.hostname
        ))
    }
}

pub(super) fn elsewhere(what: &str) -> String {
    format!(
        "{what}: could send the token to another server; accepted: --hostname, --port, --username and \
         --dbname of rdsign, or PGSERVICE"
    )
}

/// Checks psql's `\connect`, which would send the same password to another server.
fn check_connect(rest: &str) -> Result<(), String> {
    let rest = rest.strip_prefix("onnect").unwrap_or(rest);
    let names_a_server = rest.contains(['=', ':']) || rest.split_whitespace().count() > 2;
    if rest.starts_with(char::is_whitespace) && names_a_server {
        return Err(
            "\\connect: could send the token to another server; accepted: \\connect DATABASE"
                .to_owned(),
        );
    }
    Ok(())
}

/// Returns the word that a text ends with, blanks aside, if it has the form of a keyword.
fn keyword_at_end(text: &str) -> Option<&str> {
    let text = text.trim_end();
    let is_keyword = |c: char| c.is_ascii_lowercase() || c == '_';
    let start = text.trim_end_matches(is_keyword).len();
    (start < text.len()).then(|| &text[start..])
}
