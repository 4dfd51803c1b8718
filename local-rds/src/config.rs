//! The configuration of an RDS on this machine: the file that says who the server is and whom it
//! lets in.
//!
//! The launcher reads it once, the preloaded library again at every login, so an edit works at
//! once. It holds secrets: no error of this module quotes a value of the file.

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use rdsign::Credentials;
use rdsign::endpoint::{Endpoint, Region};
use rdsign::policy::Policy;
use rdsign::verify::{AccessKey, Server};
use serde::Deserialize;

/// A hundred years, in seconds.
const MAX_CLOCK_OFFSET: u64 = 100 * 365 * 24 * 60 * 60;

/// A configuration whose every field has been checked.
pub struct Config {
    /// Who the server is. Only endpoints without a port depend on the port it listens on.
    pub server: Server,
    /// The access keys it knows, in the order of the file.
    pub access_keys: Vec<AccessKey>,
    /// How far the server's clock is ahead of the machine's (negative: behind), in seconds.
    pub clock_offset_seconds: i64,
    /// The password that the role `postgres` is made with.
    pub postgres_password: String,
}

/// What is wrong with a configuration, and where. Never a value of the file.
#[derive(Debug, thiserror::Error)]
#[error("{}: {problem}", path.display())]
pub struct ConfigError {
    path: PathBuf,
    problem: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    region: String,
    account_id: String,
    resource_id: String,
    endpoints: Vec<String>,
    #[serde(default)]
    clock_offset_seconds: i64,
    postgres_password: String,
    #[serde(default)]
    access_keys: Vec<FileKey>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FileKey {
    access_key_id: String,
    secret_access_key: String,
    session_token: Option<String>,
    expires_at: Option<toml::value::Datetime>,
    #[serde(default)]
    policies: Vec<String>,
}

impl Config {
    /// Reads and checks the file at `path`.
    ///
    /// `port` is the one the server listens on, which endpoints without a port take;
    /// `more_endpoints` come before the file's own.
    ///
    /// # Errors
    /// [`ConfigError`], which names the field.
    pub fn read(path: &Path, port: u16, more_endpoints: &[String]) -> Result<Self, ConfigError> {
        let at = |problem| ConfigError {
            path: path.to_owned(),
            problem,
        };
        let text = std::fs::read_to_string(path).map_err(|error| at(error.to_string()))?;
        Self::parse(&text, port, more_endpoints).map_err(at)
    }

    fn parse(text: &str, port: u16, more_endpoints: &[String]) -> Result<Self, String> {
        let file: File = toml::from_str(text).map_err(|error| without_values(&error, text))?;
        check_digits("account_id", &file.account_id)?;
        check_resource_id(&file.resource_id)?;
        if file.postgres_password.is_empty() || file.postgres_password.contains(char::is_control) {
            return Err("postgres_password: is empty or has a control character in it".to_owned());
        }
        if file.clock_offset_seconds.unsigned_abs() > MAX_CLOCK_OFFSET {
            return Err(format!(
                "clock_offset_seconds: accepted: -{MAX_CLOCK_OFFSET} to {MAX_CLOCK_OFFSET}"
            ));
        }
        let endpoints = more_endpoints
            .iter()
            .chain(&file.endpoints)
            .enumerate()
            .map(|(index, text)| {
                endpoint(text, port).map_err(|error| format!("endpoints[{index}]: {error}"))
            })
            .collect::<Result<Vec<_>, _>>()?;
        if endpoints.is_empty() {
            return Err("endpoints: is empty; name at least one".to_owned());
        }
        let access_keys = file
            .access_keys
            .into_iter()
            .enumerate()
            .map(|(index, key)| {
                access_key(key).map_err(|problem| format!("access_keys[{index}].{problem}"))
            })
            .collect::<Result<Vec<_>, _>>()?;
        check_unique(&access_keys)?;
        Ok(Self {
            server: Server {
                endpoints,
                region: Region::new(file.region).map_err(|error| error.to_string())?,
                account_id: file.account_id,
                resource_id: file.resource_id,
            },
            access_keys,
            clock_offset_seconds: file.clock_offset_seconds,
            postgres_password: file.postgres_password,
        })
    }

    /// The server's clock while the machine's says `now`.
    pub fn server_time(&self, now: SystemTime) -> SystemTime {
        let offset = Duration::from_secs(self.clock_offset_seconds.unsigned_abs());
        if self.clock_offset_seconds < 0 {
            now - offset
        } else {
            now + offset
        }
    }
}

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Config").finish_non_exhaustive()
    }
}

/// Reads `host`, which takes `port`, or `host:port`.
pub(crate) fn endpoint(text: &str, port: u16) -> Result<Endpoint, rdsign::Error> {
    let after_brackets = text.rfind(']').map_or(0, |at| at + 1);
    match text[after_brackets..].split_once(':') {
        Some((rest, own)) => match own.parse::<u16>() {
            Ok(own) => Endpoint::new(&text[..after_brackets + rest.len()], own),
            // Core says what is wrong with a host name that has such a tail.
            Err(_) => Endpoint::new(text, port),
        },
        None => Endpoint::new(text, port),
    }
}

fn access_key(key: FileKey) -> Result<AccessKey, String> {
    for (field, value) in [
        ("access_key_id", Some(&key.access_key_id)),
        ("secret_access_key", Some(&key.secret_access_key)),
        ("session_token", key.session_token.as_ref()),
    ] {
        if value.is_some_and(|value| value.is_empty() || value.contains(char::is_control)) {
            return Err(format!(
                "{field}: is empty or has a control character in it"
            ));
        }
    }
    let expires_at = key
        .expires_at
        .map(|time| rdsign::timestamp::parse_rfc3339(&time.to_string()))
        .transpose()
        .map_err(
            |_| "expires_at: accepted: a date, a time and an offset, such as 2026-01-01T00:00:00Z",
        )?;
    let policies = key
        .policies
        .iter()
        .enumerate()
        .map(|(index, json)| {
            Policy::from_json(json).map_err(|error| format!("policies[{index}]: {error}"))
        })
        .collect::<Result<Vec<_>, _>>()?;
    Ok(AccessKey {
        credentials: Credentials::new(
            key.access_key_id,
            key.secret_access_key,
            key.session_token,
            expires_at,
            "rdsign local",
        ),
        policies,
    })
}

fn check_digits(field: &str, value: &str) -> Result<(), String> {
    if value.len() == 12 && value.bytes().all(|b| b.is_ascii_digit()) {
        return Ok(());
    }
    Err(format!(
        "{field}: accepted: 12 digits, such as 123456789012"
    ))
}

fn check_resource_id(value: &str) -> Result<(), String> {
    let known = ["db-", "cluster-", "prx-"]
        .iter()
        .find_map(|prefix| value.strip_prefix(prefix));
    match known {
        Some(id) if !id.is_empty() && id.bytes().all(|b| b.is_ascii_alphanumeric()) => Ok(()),
        _ => Err(
            "resource_id: accepted: db-, cluster- or prx- with letters and digits behind it"
                .to_owned(),
        ),
    }
}

/// Two keys of one id would make the answer depend on their order.
fn check_unique(keys: &[AccessKey]) -> Result<(), String> {
    for (index, key) in keys.iter().enumerate() {
        let id = key.credentials.access_key_id();
        if keys[..index]
            .iter()
            .any(|other| other.credentials.access_key_id() == id)
        {
            return Err(format!(
                "access_keys[{index}].access_key_id: {id} is there twice"
            ));
        }
    }
    Ok(())
}

/// The parser's own `Display` prints the line that is wrong, which may hold a secret; so does its
/// message where a text has the wrong type.
fn without_values(error: &toml::de::Error, text: &str) -> String {
    let message = error.message();
    let message = match message.split_once("invalid type: string \"") {
        Some(_) => "a text where something else belongs",
        None => message,
    };
    match error.span().and_then(|span| text.get(..span.start)) {
        Some(before) => format!("line {}: {message}", before.matches('\n').count() + 1),
        None => message.to_owned(),
    }
}

#[cfg(test)]
#[path = "config_tests.rs"]
mod tests;
