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

/// The variables to set and those to remove.
pub(crate) struct Environment {
    set: Vec<(&'static str, OsString)>,
    removed: Vec<&'static str>,
}

impl Environment {
    /// Uses the first access key of `config`.
    pub(crate) fn new(
        config: &Config,
        config_path: &Path,
        port: u16,
        ca: &Path,
        log: &Path,
    ) -> Self {
        let mut set: Vec<(&'static str, OsString)> = Vec::new();
        let mut put = |name, value: &OsStr| set.push((name, value.to_owned()));
        if let Some(key) = config.access_keys.first() {
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
        let endpoints = &config.server.endpoints;
        // Programs that sign for the port they connect to need an endpoint with this port.
        let endpoint = endpoints.iter().find(|endpoint| endpoint.port() == port);
        let endpoint = endpoint.or(endpoints.first());
        if let Some(endpoint) = endpoint {
            put("PGHOST", endpoint.hostname().as_ref());
        }
        let service = endpoint.and_then(Endpoint::service).unwrap_or_default();
        put("PGHOSTADDR", "127.0.0.1".as_ref());
        put("PGPORT", port.to_string().as_ref());
        put("PGUSER", service.admin().unwrap_or("iam_user").as_ref());
        let database = service.default_database();
        put("PGDATABASE", database.unwrap_or("testdb").as_ref());
        put("PGSSLMODE", "verify-full".as_ref());
        put("PGSSLROOTCERT", ca.as_ref());
        put(CONFIG_VARIABLE, config_path.as_ref());
        put(LOG_VARIABLE, log.as_ref());
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
