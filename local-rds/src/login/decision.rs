//! Decides whether to accept a login, and writes the log line that says why.
//!
//! Any problem is a refusal with a reason. There is no third outcome: while the configuration
//! cannot be read, every login is refused.

use std::path::PathBuf;
use std::time::SystemTime;

use rdsign::Service;
use rdsign::names::Endpoint;
use rdsign::verify::{Refusal, SignedFor, verify};

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
    Refused {
        /// The line for the log.
        line: String,
        /// What the client sees. `None`: what PostgreSQL shows if PAM refuses a login, as on RDS.
        shown: Option<Shown>,
    },
}

/// An error for the client that has the words of a service.
#[derive(Debug, PartialEq, Eq)]
pub struct Shown {
    /// SQLSTATE.
    pub state: [u8; 5],
    /// The message.
    pub message: &'static str,
    /// The hint, if there is one.
    pub hint: Option<String>,
}

/// Decides about a login as `username` with `password`, using the configuration that this
/// process's environment names.
pub fn decide(username: &[u8], password: &[u8]) -> Decision {
    match try_to_decide(username, password, SystemTime::now()) {
        Ok(accepted) => Decision::Accepted(format!("rdsign: accepted: {accepted}")),
        Err(Reason { id, text, shown }) => Decision::Refused {
            line: format!("rdsign: refused ({id}): {text}"),
            shown,
        },
    }
}

/// Appends to a line of the log who wanted to log in.
pub fn with_login(line: &str, username: &[u8]) -> String {
    let username = String::from_utf8_lossy(username);
    format!("{line}{LOGIN_AS}{}", rdsign::quoted(&username))
}

/// What is between a line of the log and the user's name, which is quoted.
pub(crate) const LOGIN_AS: &str = "; login as ";

/// Reports whether tokens may be used to replicate. Also true if the configuration cannot be read:
/// [`decide`] then refuses the token.
pub fn may_replicate_with_tokens() -> bool {
    read_config().map_or(true, |config| config.iam_auth_for_replication)
}

/// A refusal's id and its explanation, and what the client sees.
struct Reason {
    id: &'static str,
    text: String,
    shown: Option<Shown>,
}

fn try_to_decide(username: &[u8], password: &[u8], now: SystemTime) -> Result<String, Reason> {
    let config = read_config().map_err(|text| Reason {
        id: BROKEN_CONFIGURATION,
        text,
        shown: None,
    })?;
    let now = config.server_time(now);
    let not_utf8 = |id, what| Reason {
        id,
        text: format!("the {what} is not UTF-8 text"),
        shown: shown(password, &config, None),
    };
    let utf8 = |bytes| std::str::from_utf8(bytes);
    let username = utf8(username).map_err(|_| not_utf8("wrong-user", "user name"))?;
    let token = utf8(password).map_err(|_| not_utf8("malformed", "password"))?;
    verify(token, username, &config.server, &config.access_keys, now)
        .map(|accepted| accepted.to_string())
        .map_err(|refusal| Reason {
            id: refusal.id(),
            text: refusal.to_string(),
            shown: shown(password, &config, Some(&refusal)),
        })
}

/// Returns what the client sees of a refusal: the words of DSQL if the login is to DSQL.
///
/// DSQL shows the reason of some refusals as a hint, but AWS documents only the one about the action:
/// <https://docs.aws.amazon.com/aurora-dsql/latest/userguide/troubleshooting.html>
fn shown(password: &[u8], config: &Config, refusal: Option<&Refusal>) -> Option<Shown> {
    if service(password, config) != Service::Dsql {
        return None;
    }
    let hint = match refusal {
        Some(Refusal::WrongUser {
            signed_for: SignedFor::Action { action, .. },
            login,
        }) => Some(format!(
            "Wrong user to action mapping. user: {login}, action: {action}"
        )),
        _ => None,
    };
    Some(Shown {
        state: *b"28000",
        message: "unable to accept connection, access denied",
        hint,
    })
}

/// Returns the service that the client wants: that of the host which the password starts with, if the
/// server has an endpoint of it, else that of the first endpoint.
fn service(password: &[u8], config: &Config) -> Service {
    let is_host = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.".contains(byte);
    let host: Vec<u8> = password.iter().copied().take_while(is_host).collect();
    let host = Endpoint::new(String::from_utf8_lossy(&host), rdsign::DEFAULT_PORT);
    let wanted = host.ok().and_then(|endpoint| endpoint.service());
    let endpoints = config.server.endpoints.iter();
    let mut services = endpoints.map(|endpoint| endpoint.service().unwrap_or_default());
    let first = services.next().unwrap_or_default();
    wanted
        .filter(|wanted| services.any(|own| own == *wanted))
        .unwrap_or(first)
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
