//! Decides whether to accept a login, and writes the log line that says why.
//!
//! Any problem is a refusal with a reason. There is no third outcome: while the configuration
//! cannot be read, every login is refused.

use std::path::PathBuf;
use std::time::SystemTime;

use rdsign::verify::verify;

use super::variables::{CONFIG_VARIABLE, ENDPOINTS_VARIABLE, PORT_VARIABLE};
use crate::config::Config;

/// The configuration cannot be read.
const BROKEN_CONFIGURATION: &str = "broken-configuration";
/// The role logs in with its password, and the password is wrong.
pub const WRONG_PASSWORD: &str = "wrong-password";
/// A bug in rdsign.
pub const INTERNAL: &str = "internal";
/// The ids in the log that are not in core's [`Refusal::IDS`](rdsign::verify::Refusal::IDS).
#[cfg(test)]
const OWN_IDS: [&str; 3] = [BROKEN_CONFIGURATION, WRONG_PASSWORD, INTERNAL];

/// Whether a login is accepted, with the line for the server's log. The line never contains a
/// token.
#[derive(Debug, PartialEq, Eq)]
pub enum Decision {
    /// Accepted.
    Accepted(String),
    /// Refused.
    Refused(String),
}

/// Decides about a login as `username` with `password`, using the configuration that this
/// process's environment names.
pub fn decide(username: &[u8], password: &[u8]) -> Decision {
    match try_to_decide(username, password, SystemTime::now()) {
        Ok(accepted) => Decision::Accepted(format!("rdsign: accepted: {accepted}")),
        Err((id, reason)) => Decision::Refused(format!("rdsign: refused ({id}): {reason}")),
    }
}

/// Reports whether tokens may be used to replicate. Also true if the configuration cannot be read:
/// [`decide`] then refuses the token.
pub fn may_replicate_with_tokens() -> bool {
    read_config().map_or(true, |config| config.iam_auth_for_replication)
}

/// A refusal's id and its explanation.
type Reason = (&'static str, String);

fn try_to_decide(username: &[u8], password: &[u8], now: SystemTime) -> Result<String, Reason> {
    let config = read_config().map_err(|problem| (BROKEN_CONFIGURATION, problem))?;
    let now = config.server_time(now);
    let utf8 = |bytes| std::str::from_utf8(bytes);
    let username =
        utf8(username).map_err(|_| ("wrong-user", "the user name is not UTF-8 text".to_owned()))?;
    let token =
        utf8(password).map_err(|_| ("malformed", "the password is not UTF-8 text".to_owned()))?;
    verify(token, username, &config.server, &config.access_keys, now)
        .map(|accepted| accepted.to_string())
        .map_err(|refusal| (refusal.id(), refusal.to_string()))
}

fn read_config() -> Result<Config, String> {
    let variable = |name| std::env::var(name).map_err(|_| format!("{name} is not set"));
    let path = std::env::var_os(CONFIG_VARIABLE)
        .map(PathBuf::from)
        .ok_or_else(|| format!("{CONFIG_VARIABLE} is not set"))?;
    let port = variable(PORT_VARIABLE)?
        .parse()
        .map_err(|_| format!("{PORT_VARIABLE} is not a port"))?;
    let endpoints: Vec<String> = std::env::var(ENDPOINTS_VARIABLE)
        .unwrap_or_default()
        .split(',')
        .filter(|endpoint| !endpoint.is_empty())
        .map(str::to_owned)
        .collect();
    Config::read(&path, port, &endpoints).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::OWN_IDS;

    #[test]
    fn own_ids_are_those_of_the_contract() {
        let contract = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/ids.tsv"));
        let ids: Vec<_> = contract
            .lines()
            .filter_map(|line| line.strip_prefix("local\t"))
            .collect();
        assert_eq!(ids, OWN_IDS);
    }
}
