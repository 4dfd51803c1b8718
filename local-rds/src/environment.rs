//! The environment variables with which a client logs in to the server, as an environment for the
//! command or as lines for a shell.
//!
//! Variables of the caller that select other credentials or another server are removed, even if
//! nothing replaces them: in some SDKs a profile would take precedence over this server's keys.

use std::ffi::{OsStr, OsString};
use std::fmt::Write;
use std::path::Path;
use std::process::Command;

use rdsign::names::Endpoint;
use rdsign::timestamp::format_rfc3339;
use rdsign::verify::AccessKey;

use crate::config::Config;
use crate::login::variables::CONFIG_VARIABLE;

/// The environment variable that names the server's log.
const LOG_VARIABLE: &str = "RDSIGN_LOCAL_LOG";
/// The environment variable with the password of the role `postgres`.
const PASSWORD_VARIABLE: &str = "RDSIGN_LOCAL_ADMIN_PASSWORD";

/// Variables that would select other credentials, another server or other TLS settings.
const REMOVED: [&str; 27] = [
    "AWS_CONFIG_FILE",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CREDENTIAL_EXPIRATION",
    "AWS_DEFAULT_PROFILE",
    "AWS_DEFAULT_REGION",
    "AWS_PROFILE",
    "AWS_ROLE_ARN",
    "AWS_ROLE_SESSION_NAME",
    "AWS_SECURITY_TOKEN",
    "AWS_SESSION_TOKEN",
    "AWS_SHARED_CREDENTIALS_FILE",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "PGCHANNELBINDING",
    "PGGSSENCMODE",
    "PGREQUIREAUTH",
    "PGREQUIRESSL",
    "PGSERVICE",
    "PGSSLCERT",
    "PGSSLCERTMODE",
    "PGSSLCRL",
    "PGSSLCRLDIR",
    "PGSSLKEY",
    "PGSSLNEGOTIATION",
    "PGTARGETSESSIONATTRS",
];

/// Where a server is and where its files are.
pub(crate) struct Places<'a> {
    pub(crate) port: u16,
    pub(crate) authorities: &'a Path,
    pub(crate) config: &'a Path,
    pub(crate) log: &'a Path,
}

/// Returns the endpoint that clients use. Programs that sign for the port they connect to need one with
/// this port.
pub(crate) fn endpoint(config: &Config, port: u16) -> Option<&Endpoint> {
    let endpoints = &config.server.endpoints;
    let with_port = endpoints.iter().find(|endpoint| endpoint.port() == port);
    with_port.or(endpoints.first())
}

/// The variables to set and those to remove.
pub(crate) struct Environment {
    set: Vec<(&'static str, OsString)>,
    removed: Vec<&'static str>,
}

impl Environment {
    /// Uses the first access key of `config`, and logs in as the default user.
    pub(crate) fn new(config: &Config, places: &Places<'_>) -> Self {
        Self::of_login(config, places, config.access_keys.first(), None, None)
    }

    /// Uses `key`, and logs in as `user` to `database`. `None` is the default one.
    pub(crate) fn of_login(
        config: &Config,
        places: &Places<'_>,
        key: Option<&AccessKey>,
        user: Option<&str>,
        database: Option<&str>,
    ) -> Self {
        let port = places.port;
        let mut set: Vec<(&'static str, OsString)> = Vec::new();
        let mut put = |name, value: &OsStr| set.push((name, value.to_owned()));
        if let Some(key) = key {
            let key = &key.credentials;
            put("AWS_ACCESS_KEY_ID", key.access_key_id().as_ref());
            put("AWS_SECRET_ACCESS_KEY", key.secret_access_key().as_ref());
            if let Some(token) = key.session_token() {
                put("AWS_SESSION_TOKEN", token.as_ref());
            }
            if let Some(expiry) = key.expiry() {
                put("AWS_CREDENTIAL_EXPIRATION", format_rfc3339(expiry).as_ref());
            }
        }
        put("AWS_REGION", config.server.region.as_str().as_ref());
        let endpoint = endpoint(config, port);
        if let Some(endpoint) = endpoint {
            put("PGHOST", endpoint.hostname().as_ref());
        }
        let service = endpoint.and_then(Endpoint::service).unwrap_or_default();
        put("PGHOSTADDR", "127.0.0.1".as_ref());
        put("PGPORT", port.to_string().as_ref());
        let user = user.unwrap_or(service.admin().unwrap_or("iam_user"));
        put("PGUSER", user.as_ref());
        let database = database.unwrap_or(service.default_database().unwrap_or("testdb"));
        put("PGDATABASE", database.as_ref());
        put("PGSSLMODE", "verify-full".as_ref());
        put("PGSSLROOTCERT", places.authorities.as_ref());
        put(CONFIG_VARIABLE, places.config.as_ref());
        put(LOG_VARIABLE, places.log.as_ref());
        put(PASSWORD_VARIABLE, config.postgres_password.as_ref());
        let is_set = |name: &str| set.iter().any(|(other, _)| *other == name);
        let keys = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"];
        let removed = REMOVED
            .into_iter()
            .chain(keys)
            .filter(|name| !is_set(name))
            .collect();
        Self { set, removed }
    }

    /// Returns the value of a variable, or "" if it is not set.
    pub(crate) fn get(&self, name: &str) -> String {
        let mut set = self.set.iter();
        let found = set.find(|(other, _)| *other == name);
        found.map_or_else(String::new, |(_, value)| {
            value.to_string_lossy().into_owned()
        })
    }

    /// Returns the variables to set, and the names of those to remove.
    pub(crate) fn variables(&self) -> (impl Iterator<Item = (&str, &OsStr)>, &[&str]) {
        let set = self
            .set
            .iter()
            .map(|(name, value)| (*name, value.as_os_str()));
        (set, &self.removed)
    }

    pub(crate) fn apply(&self, command: &mut Command) {
        for name in &self.removed {
            command.env_remove(name);
        }
        command.envs(self.set.iter().map(|(name, value)| (name, value)));
    }

    /// Returns lines for a shell. They unset only variables that this process has, because the
    /// user's shell most likely has the same ones.
    pub(crate) fn exports(&self) -> String {
        let mut lines = String::new();
        let present = self
            .removed
            .iter()
            .filter(|name| std::env::var_os(name).is_some());
        let present: Vec<&str> = present.copied().collect();
        if !present.is_empty() {
            let _ = writeln!(lines, "unset {}", present.join(" "));
        }
        for (name, value) in &self.set {
            let _ = writeln!(lines, "export {name}={}", quoted(&value.to_string_lossy()));
        }
        lines
    }
}

/// Makes every line of `text` a comment of a shell.
pub(crate) fn commented(text: &str) -> String {
    text.lines().map(|line| format!("# {line}\n")).collect()
}

/// Quotes `text` as one word of a shell.
pub(crate) fn quoted(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:@%+=,".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shell_reads_quoted_text_back() {
        for text in [
            "",
            "plain",
            "a b",
            "it's",
            "$HOME `id` \\ \"x\" !",
            "*",
            "é\n;#",
            "a=b/c+d",
        ] {
            let output = Command::new("sh")
                .arg("-c")
                .arg(format!("printf %s {}", quoted(text)))
                .output()
                .unwrap();
            assert_eq!(String::from_utf8(output.stdout).unwrap(), text);
        }
    }
}
