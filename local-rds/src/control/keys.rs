//! Changes access keys and their policies, in the configuration.

use std::sync::PoisonError;
use std::time::SystemTime;

use rdsign::Service;
use rdsign::policy::connect_policy;
use rdsign::timestamp::format_rfc3339;
use rdsign::verify::AccessKey;
use serde_json::{Value, json};
use toml_edit::Table;

use super::{Control, Failure};
use crate::config::Config;
use crate::config::default::{random_text, random_text_of};
use crate::config::document::{self, NewKey};

/// The characters of IDs of AWS.
const OF_IDS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

impl Control {
    /// Adds a key that may connect as `users` only.
    pub(super) fn create_key(
        &self,
        users: &[String],
        has_session_token: bool,
        expires_at: Option<&str>,
    ) -> Result<Value, Failure> {
        let new = Secrets::new(has_session_token)?;
        let config = self.editor.change(|document, config| {
            let resources: Vec<_> = users
                .iter()
                .flat_map(|user| config.resources(user))
                .collect();
            let policy = connect_policy(&resources);
            let policies = match resources.is_empty() {
                true => Vec::new(),
                false => vec![policy.as_str()],
            };
            let is_dsql = resources.iter().any(|one| one.service == Service::Dsql);
            let granted = users.iter().map(String::as_str);
            let granted = granted.filter(|user| is_dsql && Service::Dsql.needs_grant(user));
            document.add_key(&NewKey {
                expires_at,
                policies: &policies,
                granted: &granted.collect::<Vec<_>>(),
                ..new.as_new_key()
            })
        })?;
        self.remember(users);
        self.described(&config, &new.id)
    }

    /// Ends a key: at a time, or now.
    pub(super) fn expire_key(&self, id: &str, at: Option<String>) -> Result<Value, Failure> {
        let config = self.editor.change(|document, config| {
            let now = || format_rfc3339(config.server_time(SystemTime::now()));
            document::set_expiry(document.key(id)?, &at.clone().unwrap_or_else(now))
        })?;
        self.described(&config, id)
    }

    /// Gives a key another ID and secrets.
    pub(super) fn replace_key(&self, id: &str) -> Result<Value, Failure> {
        let has_session_token = find(&self.config()?, id)?
            .credentials
            .session_token()
            .is_some();
        let new = Secrets::new(has_session_token)?;
        let config = self.editor.change(|document, config| {
            document.replace_key(find(config, id)?, &new.as_new_key())
        })?;
        self.described(&config, &new.id)
    }

    pub(super) fn remove_key(&self, id: &str) -> Result<(), Failure> {
        self.editor.change(|document, _| document.remove_key(id))?;
        Ok(())
    }

    /// Replaces the policies of a key. Each is an object, or the text of one.
    pub(super) fn put_policies(&self, id: &str, policies: &[Value]) -> Result<Value, Failure> {
        let text = |policy: &Value| match policy {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        let policies: Vec<String> = policies.iter().map(text).collect();
        let config = self.editor.change(|document, _| {
            document::set_policies(document.key(id)?, policies.iter().map(String::as_str));
            Ok(())
        })?;
        self.described(&config, id)
    }

    /// Adds a Deny for a user to one key, or to all.
    pub(super) fn deny(&self, user: &str, id: Option<&str>) -> Result<(), Failure> {
        self.change_denial(user, id, document::add_policy)?;
        Ok(())
    }

    /// Takes back what [`deny`](Self::deny) added. With an ID, that key may then connect as the user.
    pub(super) fn allow(&self, user: &str, id: Option<&str>) -> Result<(), Failure> {
        let config = self.change_denial(user, id, document::remove_policy)?;
        let Some(id) = id else { return Ok(()) };
        if !config.may_connect(find(&config, id)?, user) {
            self.editor.change(|document, config| {
                document::add_policy(document.key(id)?, &connect_policy(&config.resources(user)));
                Ok(())
            })?;
        }
        self.remember(&[user.to_owned()]);
        Ok(())
    }

    /// Adds or removes the Deny for a user.
    fn change_denial(
        &self,
        user: &str,
        id: Option<&str>,
        change: fn(&mut Table, &str),
    ) -> Result<Config, String> {
        self.editor.change(|document, config| {
            let policy = deny_policy(config, user)?;
            match id {
                Some(id) => change(document.key(id)?, &policy),
                None => document.keys()?.for_each(|key| change(key, &policy)),
            }
            Ok(())
        })
    }

    pub(super) fn described(&self, config: &Config, id: &str) -> Result<Value, Failure> {
        Ok(self.describe_key(config, find(config, id)?))
    }

    /// Lets the description of a key name these users.
    pub(super) fn remember(&self, users: &[String]) {
        let mut known = self.users.lock().unwrap_or_else(PoisonError::into_inner);
        known.extend(users.iter().cloned());
    }

    pub(super) fn forget(&self, user: &str) {
        self.users
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(user);
    }
}

/// Returns the key with this ID.
pub(super) fn find<'a>(config: &'a Config, id: &str) -> Result<&'a AccessKey, String> {
    config.key(id).ok_or_else(document::unknown_key)
}

/// Returns a policy that denies every login as `user`. The ARNs of DSQL do not name a user, so there it can
/// only deny `admin`, who has an action of its own.
fn deny_policy(config: &Config, user: &str) -> Result<String, String> {
    let resources = config.resources(user);
    let names_user = resources
        .iter()
        .filter(|one| one.service == Service::Rds || !one.service.needs_grant(user));
    let statements: Vec<Value> = names_user
        .map(|one| json!({"Effect": "Deny", "Action": one.action(), "Resource": one.arn()}))
        .collect();
    if statements.is_empty() {
        return Err(
            "user: a policy of DSQL does not name a user; remove the role from iam_grants in the configuration"
                .to_owned(),
        );
    }
    Ok(json!({"Version": "2012-10-17", "Statement": statements}).to_string())
}

/// The secrets of a new key.
struct Secrets {
    id: String,
    secret: String,
    session_token: Option<String>,
}

impl Secrets {
    fn new(has_session_token: bool) -> Result<Self, String> {
        let random = |length| random_text(length).map_err(|error| error.to_string());
        let id = random_text_of(16, OF_IDS).map_err(|error| error.to_string())?;
        Ok(Self {
            id: match has_session_token {
                true => format!("ASIA{id}"),
                false => format!("AKIA{id}"),
            },
            secret: random(40)?,
            session_token: has_session_token.then(|| random(1000)).transpose()?,
        })
    }

    fn as_new_key(&self) -> NewKey<'_> {
        NewKey {
            access_key_id: &self.id,
            secret_access_key: &self.secret,
            session_token: self.session_token.as_deref(),
            ..NewKey::default()
        }
    }
}
