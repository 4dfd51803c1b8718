//! The configuration of a local RDS: the server's names, and who may log in.
//!
//! The launcher reads it once. The preloaded library reads it again at every login, so an edit
//! takes effect at once. It contains secrets, so no error of this module quotes a value of the
//! file.

pub(crate) mod choose;
pub(crate) mod default;
pub(crate) mod document;
pub(crate) mod edit;
mod parse;
#[cfg(test)]
mod tests;

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use rdsign::Service;
use rdsign::names::{ConnectResource, Endpoint};
use rdsign::policy::check;
use rdsign::verify::{AccessKey, Server};

/// A configuration whose every field has been checked.
pub struct Config {
    /// The server's names. Endpoints without a port got the port that the server listens on.
    pub server: Server,
    /// The access keys that the server knows, in the order of the file.
    pub access_keys: Vec<AccessKey>,
    /// How many seconds the server's clock is ahead of the machine's. Negative: behind.
    pub clock_offset_seconds: i64,
    /// Whether members of rds_iam replicate with tokens. If not, they need a password for that.
    pub iam_auth_for_replication: bool,
    /// The password of the role `postgres`, set at every start.
    pub postgres_password: String,
}

/// What is wrong with a configuration, and where. Never contains a value of the file.
#[derive(Debug, thiserror::Error)]
#[error("{}: {problem}", path.display())]
pub struct ConfigError {
    path: PathBuf,
    problem: String,
}

impl Config {
    /// Reads and checks the file at `path`.
    ///
    /// Endpoints without a port get `port`, the one that the server listens on. `more_endpoints`
    /// come before the endpoints of the file.
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

    /// Returns the time on the server's clock when the machine's clock shows `now`.
    pub fn server_time(&self, now: SystemTime) -> SystemTime {
        let offset = Duration::from_secs(self.clock_offset_seconds.unsigned_abs());
        if self.clock_offset_seconds < 0 {
            now - offset
        } else {
            now + offset
        }
    }

    /// Returns what a policy must name to let `username` log in, once for each database of the endpoints.
    pub(crate) fn resources(&self, username: &str) -> Vec<ConnectResource> {
        let mut resources: Vec<ConnectResource> = Vec::new();
        for endpoint in &self.server.endpoints {
            let service = endpoint.service().unwrap_or_default();
            let resource_id = match service {
                Service::Dsql => endpoint.cluster_id().unwrap_or_default(),
                _ => self.server.resource_id.clone(),
            };
            // Every user of RDS is in the ARN, but admin exists only for DSQL.
            let is_new = |one: &ConnectResource| one.resource_id != resource_id;
            if resources.iter().all(is_new)
                && (service == Service::Dsql || Some(username) != Service::Dsql.admin())
            {
                resources.push(ConnectResource {
                    service,
                    partition: self.server.region.partition().to_owned(),
                    region: self.server.region.to_string(),
                    account_id: self.server.account_id.clone(),
                    resource_id,
                    username: username.to_owned(),
                });
            }
        }
        resources
    }

    /// Reports whether a key may connect as `username`, at one endpoint at least.
    pub(crate) fn may_connect(&self, key: &AccessKey, username: &str) -> bool {
        let names =
            |to: &String| to == key.credentials.access_key_id() || Some(to) == key.arn.as_ref();
        let is_granted = || {
            let mut grants = self.server.grants.iter();
            grants.any(|grant| grant.role == username && grant.to.iter().any(names))
        };
        self.resources(username).iter().any(|resource| {
            let decision = check(&key.policies, resource, &key.variables).decision;
            decision.is_allowed() && (!resource.service.needs_grant(username) || is_granted())
        })
    }

    /// Returns the key with this ID.
    pub(crate) fn key(&self, access_key_id: &str) -> Option<&AccessKey> {
        let mut keys = self.access_keys.iter();
        keys.find(|key| key.credentials.access_key_id() == access_key_id)
    }
}

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Config").finish_non_exhaustive()
    }
}

/// Reads `host:port`, or `host`, which gets `port`.
pub(crate) fn endpoint(text: &str, port: u16) -> Result<Endpoint, rdsign::Error> {
    let after_brackets = text.rfind(']').map_or(0, |at| at + 1);
    match text[after_brackets..].split_once(':') {
        Some((rest, own)) => match own.parse::<u16>() {
            Ok(own) => Endpoint::new(&text[..after_brackets + rest.len()], own),
            // Core then reports the invalid host name.
            Err(_) => Endpoint::new(text, port),
        },
        None => Endpoint::new(text, port),
    }
}
