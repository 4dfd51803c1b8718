//! Parses a configuration's TOML and checks every field.
//!
//! Each problem starts with the name of its field, and none quotes a value.

use std::collections::HashSet;

use rdsign::credentials::key_problem;
use rdsign::names::{Region, is_account_id, is_iam_arn, is_resource_id};
use rdsign::policy::{Policy, Variables};
use rdsign::verify::{AccessKey, Grant, Server};
use rdsign::{Credentials, Service};
use serde::Deserialize;

use super::{Config, endpoint};

/// A hundred years, in seconds.
const MAX_CLOCK_OFFSET: u64 = 100 * 365 * 24 * 60 * 60;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    region: String,
    account_id: String,
    resource_id: Option<String>,
    endpoints: Vec<String>,
    #[serde(default)]
    clock_offset_seconds: i64,
    #[serde(default)]
    iam_auth_for_replication: bool,
    postgres_password: String,
    #[serde(default)]
    access_keys: Vec<FileKey>,
    #[serde(default)]
    iam_grants: Vec<FileGrant>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FileGrant {
    role: String,
    to: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FileKey {
    access_key_id: String,
    secret_access_key: String,
    session_token: Option<String>,
    arn: Option<String>,
    expires_at: Option<toml::value::Datetime>,
    #[serde(default)]
    policies: Vec<String>,
    #[serde(default)]
    variables: Vec<String>,
}

impl Config {
    /// Parses and checks a configuration. See [`Config::read`].
    ///
    /// # Errors
    /// The problem, which names the field.
    pub fn parse(text: &str, port: u16, more_endpoints: &[String]) -> Result<Self, String> {
        let file: File = toml::from_str(text).map_err(|error| without_values(&error, text))?;
        if !is_account_id(&file.account_id) {
            return Err("account_id: accepted: 12 digits, such as 123456789012".to_owned());
        }
        if file.postgres_password.is_empty() || file.postgres_password.contains(char::is_control) {
            return Err(
                "postgres_password: accepted: text without control characters, not empty"
                    .to_owned(),
            );
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
            return Err("endpoints: empty; accepted: at least one host or host:port".to_owned());
        }
        let services: Vec<_> = endpoints
            .iter()
            .map(|endpoint| endpoint.service().unwrap_or_default())
            .collect();
        let resource_id = resource_id(file.resource_id, &services)?;
        let access_keys = file
            .access_keys
            .into_iter()
            .enumerate()
            .map(|(index, key)| {
                access_key(key, &services)
                    .map_err(|problem| format!("access_keys[{index}].{problem}"))
            })
            .collect::<Result<Vec<_>, _>>()?;
        check_unique(&access_keys)?;
        let grants = file.iam_grants.into_iter().enumerate();
        let grants = grants
            .map(|(index, file)| {
                grant(file, &access_keys)
                    .map_err(|problem| format!("iam_grants[{index}].{problem}"))
            })
            .collect::<Result<_, _>>()?;
        Ok(Self {
            server: Server {
                endpoints,
                region: Region::new(file.region).map_err(|error| error.to_string())?,
                account_id: file.account_id,
                resource_id,
                grants,
            },
            access_keys,
            clock_offset_seconds: file.clock_offset_seconds,
            iam_auth_for_replication: file.iam_auth_for_replication,
            postgres_password: file.postgres_password,
        })
    }
}

/// Only RDS needs it: the names of DSQL's endpoints have the ID.
fn resource_id(given: Option<String>, services: &[Service]) -> Result<String, String> {
    let accepted = "accepted: db-, cluster- or prx- followed by letters and digits";
    match given {
        Some(id) if is_resource_id(&id) => Ok(id),
        Some(_) => Err(format!("resource_id: {accepted}")),
        None if services.contains(&Service::Rds) => Err(format!(
            "resource_id: missing, but an endpoint is one of RDS; {accepted}"
        )),
        None => Ok(String::new()),
    }
}

/// Reads what stands for `AWS IAM GRANT role TO …`.
fn grant(grant: FileGrant, keys: &[AccessKey]) -> Result<Grant, String> {
    if grant.role.is_empty() || !Service::Dsql.needs_grant(&grant.role) {
        return Err(
            "role: accepted: a database role other than admin, which needs no grant".to_owned(),
        );
    }
    let is_key = |id: &String| keys.iter().any(|key| key.credentials.access_key_id() == id);
    let unknown = grant
        .to
        .iter()
        .position(|to| !is_key(to) && !is_iam_arn(to));
    if let Some(index) = unknown {
        return Err(format!(
            "to[{index}]: accepted: the access_key_id of a key in this file, or an ARN such as \
             arn:aws:iam::123456789012:role/app, which keys have as arn"
        ));
    }
    Ok(Grant {
        role: grant.role,
        to: grant.to,
    })
}

fn access_key(key: FileKey, services: &[Service]) -> Result<AccessKey, String> {
    if key.arn.as_deref().is_some_and(|arn| !is_iam_arn(arn)) {
        return Err(
            "arn: accepted: the ARN of an IAM role or user, such as arn:aws:iam::123456789012:role/app"
                .to_owned(),
        );
    }
    for (field, value) in [
        ("access_key_id", Some(&key.access_key_id)),
        ("secret_access_key", Some(&key.secret_access_key)),
        ("session_token", key.session_token.as_ref()),
    ] {
        if let Some(problem) = value.and_then(|value| key_problem(value)) {
            return Err(format!("{field}: {problem}"));
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
    let variables =
        |service: &Service| Variables::new(*service, key.variables.iter().map(String::as_str)).ok();
    let variables = services.iter().find_map(variables).ok_or(
        "variables: accepted: KEY=VALUE, such as aws:username=jane, once for each key that the service \
         supports",
    )?;
    Ok(AccessKey {
        credentials: Credentials::new(
            key.access_key_id,
            key.secret_access_key,
            key.session_token,
            expires_at,
            "rdsign local",
        ),
        arn: key.arn,
        policies,
        variables,
    })
}

/// Rejects duplicate ids: the decision would depend on the order of the keys.
fn check_unique(keys: &[AccessKey]) -> Result<(), String> {
    let mut ids = HashSet::new();
    for (index, key) in keys.iter().enumerate() {
        let id = key.credentials.access_key_id();
        if !ids.insert(id) {
            return Err(format!(
                "access_keys[{index}].access_key_id: {id} appears twice"
            ));
        }
    }
    Ok(())
}

/// Describes a TOML error without quoting the file. The parser's `Display` prints the wrong line,
/// which may contain a secret; its message quotes a string that has the wrong type.
fn without_values(error: &toml::de::Error, text: &str) -> String {
    let message = error.message();
    let message = match message.split_once("invalid type: string \"") {
        Some(_) => "a string, but another type is expected",
        None => message,
    };
    match error.span().and_then(|span| text.get(..span.start)) {
        Some(before) => format!("line {}: {message}", before.matches('\n').count() + 1),
        None => message.to_owned(),
    }
}
