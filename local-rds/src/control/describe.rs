//! Describes the server and its keys as JSON. It contains secrets, so it goes to the caller only.

use rdsign::names::Endpoint;
use rdsign::timestamp::format_rfc3339;
use rdsign::verify::AccessKey;
use serde_json::{Map, Value, json};

use std::sync::PoisonError;

use super::{Control, PROTOCOL, database};
use crate::config::Config;
use crate::environment::{Environment, endpoint};

impl Control {
    /// Returns what a client needs to know.
    pub(super) fn describe(&self, config: &Config) -> Value {
        let about = &self.about;
        let defaults = Environment::new(config, &self.places());
        let keys = config
            .access_keys
            .iter()
            .map(|key| self.describe_key(config, key));
        let endpoints = config.server.endpoints.iter().map(|one| {
            let service = one.service().unwrap_or_default();
            json!({"host": one.hostname(), "port": one.port(), "service": service.to_string()})
        });
        json!({
            "protocol": PROTOCOL,
            "version": env!("CARGO_PKG_VERSION"),
            "postgres": about.version,
            "postgres_major": about.major,
            "pid": about.process,
            "host": endpoint(config, about.port).map(Endpoint::hostname),
            "hostaddr": "127.0.0.1",
            "port": about.port,
            "authorities": about.authorities.to_string_lossy(),
            "region": config.server.region.as_str(),
            "endpoints": endpoints.collect::<Value>(),
            "user": defaults.get("PGUSER"),
            "database": defaults.get("PGDATABASE"),
            "administrator": {"user": database::ADMINISTRATOR, "password": about.password},
            "config": about.config.to_string_lossy(),
            "log": about.log.to_string_lossy(),
            "folder": about.folder.to_string_lossy(),
            "control": about.socket.as_ref().map(|path| path.to_string_lossy()),
            "access_keys": keys.collect::<Value>(),
            "remark": about.remark,
            "environment": describe_environment(&defaults),
        })
    }

    /// Returns a key, with the users that it may connect as.
    pub(super) fn describe_key(&self, config: &Config, key: &AccessKey) -> Value {
        let users = self.users.lock().unwrap_or_else(PoisonError::into_inner);
        let users = users.iter().filter(|user| config.may_connect(key, user));
        let credentials = &key.credentials;
        json!({
            "access_key_id": credentials.access_key_id(),
            "secret_access_key": credentials.secret_access_key(),
            "session_token": credentials.session_token(),
            "expires_at": credentials.expiry().map(format_rfc3339),
            "arn": key.arn,
            "users": users.collect::<Vec<_>>(),
        })
    }
}

/// Returns the variables with which a client logs in.
pub(super) fn describe_environment(environment: &Environment) -> Value {
    let (set, unset) = environment.variables();
    let set = set.map(|(name, value)| (name.to_owned(), value.to_string_lossy().into()));
    json!({"set": set.collect::<Map<_, Value>>(), "unset": unset})
}
