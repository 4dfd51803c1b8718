//! Holds the results of `examine`, the readable parts and the findings, and formats them as JSON.

use std::fmt;
use std::time::{Duration, SystemTime};

use serde::Serialize;

use super::finding::{Finding, Severity};
use super::shown::is_service;
use crate::message::has_secret_parameter;
use crate::names::{Region, is_access_key_id};
use crate::received::Parts;
use crate::timestamp::format_rfc3339;

/// The parts of a token that could be read and are safe to show. Contains neither the signature nor
/// the session token, nor text that may be a secret.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Details {
    /// The host name that the token is signed for.
    pub hostname: Option<String>,
    /// The port that the token is signed for. A token for DSQL has none.
    pub port: Option<u16>,
    /// The action: `connect`, or for DSQL `DbConnect` or `DbConnectAdmin`.
    pub action: Option<String>,
    /// The database user that the token is signed for. A token for DSQL has none.
    pub username: Option<String>,
    /// The region in the credential scope.
    pub region: Option<String>,
    /// The service in the credential scope: `rds-db` or `dsql` for a token that can log in.
    pub service: Option<String>,
    /// The access key ID in the credential scope.
    pub access_key_id: Option<String>,
    /// The signing time.
    pub signing_time: Option<SystemTime>,
    /// The lifetime in seconds, which starts at the signing time.
    pub expires_in: Option<u64>,
    /// Whether the token contains a session token, as with temporary credentials.
    pub is_temporary: Option<bool>,
}

impl Details {
    pub(super) fn of(parts: &Parts) -> Self {
        let endpoint = parts.endpoint();
        let region = Some(parts.region()).filter(|name| Region::new(*name).is_ok());
        let service = Some(parts.service()).filter(|name| is_service(name));
        let username = parts.username().filter(|name| !has_secret_parameter(name));
        let known = parts.known_service();
        let names_port = known.is_none_or(|service| service.names_login());
        let access_key_id = Some(parts.access_key_id()).filter(|id| is_access_key_id(id));
        Self {
            hostname: Some(endpoint.hostname().to_owned()),
            port: Some(endpoint.port()).filter(|_| names_port),
            action: Some(parts.action().to_owned()),
            username: username.map(str::to_owned),
            region: region.map(str::to_owned),
            service: service.map(str::to_owned),
            access_key_id: access_key_id.map(str::to_owned),
            signing_time: Some(parts.signing_time()),
            expires_in: Some(parts.expires_in()),
            is_temporary: Some(parts.has_session_token()),
        }
    }

    /// Returns when the token expires. The credentials that signed it may expire earlier.
    pub fn expires_at(&self) -> Option<SystemTime> {
        self.signing_time?
            .checked_add(Duration::from_secs(self.expires_in?))
    }
}

/// The result of checking a token's signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signature {
    /// The signature was not checked, or cannot be.
    NotChecked,
    /// The credentials produce this signature.
    Right,
    /// The credentials have the token's access key ID, but produce another signature.
    Wrong,
    /// The credentials have another access key ID, so the signature cannot be checked.
    OtherKey,
}

impl Signature {
    /// Returns `not-checked`, `right`, `wrong` or `other-key`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NotChecked => "not-checked",
            Self::Right => "right",
            Self::Wrong => "wrong",
            Self::OtherKey => "other-key",
        }
    }
}

/// The readable parts of a token and its findings. All texts are safe to show and log.
pub struct Report {
    pub(super) details: Details,
    pub(super) findings: Vec<Finding>,
    pub(super) signature: Signature,
    /// All parts of the token, if it could be parsed.
    pub(super) parts: Option<Parts>,
    pub(super) now: SystemTime,
}

impl Report {
    /// Returns the parts that could be read.
    pub fn details(&self) -> &Details {
        &self.details
    }

    /// Returns the findings, in the order of [`FindingId`](super::FindingId).
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// Returns whether a finding is an error, so that a server rejects the token or may reject it.
    pub fn has_errors(&self) -> bool {
        let mut findings = self.findings.iter();
        findings.any(|finding| finding.severity() == Severity::Error)
    }

    /// Returns the result of checking the signature.
    pub fn signature(&self) -> Signature {
        self.signature
    }

    /// Returns the time at which the token was examined.
    pub fn now(&self) -> SystemTime {
        self.now
    }

    /// Returns the seconds until the token expires, negative afterwards.
    pub fn seconds_left(&self) -> Option<i64> {
        let end = self.details.expires_at()?;
        let seconds = |duration: Duration| i64::try_from(duration.as_secs()).unwrap_or(i64::MAX);
        Some(match end.duration_since(self.now) {
            Ok(left) => seconds(left),
            Err(since) => -seconds(since.duration()),
        })
    }

    /// Formats the report as indented JSON. Parts that could not be read are `null`. Times are RFC
    /// 3339 in UTC.
    pub fn to_json(&self) -> String {
        let details = &self.details;
        let findings = self.findings.iter().map(|finding| FindingJson {
            id: finding.id().as_str(),
            severity: finding.severity().as_str(),
            problem: finding.problem(),
            advice: finding.advice(),
        });
        let report = ReportJson {
            hostname: details.hostname.as_deref(),
            port: details.port,
            action: details.action.as_deref(),
            username: details.username.as_deref(),
            region: details.region.as_deref(),
            service: details.service.as_deref(),
            access_key_id: details.access_key_id.as_deref(),
            temporary: details.is_temporary,
            signed_at: details.signing_time.map(format_rfc3339),
            expires_in: details.expires_in,
            expires_at: details.expires_at().map(format_rfc3339),
            seconds_left: self.seconds_left(),
            signature: self.signature.as_str(),
            findings: findings.collect(),
        };
        serde_json::to_string_pretty(&report).expect("strings and numbers are always JSON")
    }

    pub(super) fn add(&mut self, finding: Finding) {
        if !self.findings.contains(&finding) {
            self.findings.push(finding);
        }
        self.findings.sort_by_key(Finding::id);
    }
}

impl fmt::Debug for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Report")
            .field("details", &self.details)
            .field("findings", &self.findings)
            .field("signature", &self.signature)
            .finish_non_exhaustive()
    }
}

/// The fields are in the order of the JSON.
#[derive(Serialize)]
struct ReportJson<'a> {
    hostname: Option<&'a str>,
    port: Option<u16>,
    action: Option<&'a str>,
    username: Option<&'a str>,
    region: Option<&'a str>,
    service: Option<&'a str>,
    access_key_id: Option<&'a str>,
    temporary: Option<bool>,
    signed_at: Option<String>,
    expires_in: Option<u64>,
    expires_at: Option<String>,
    seconds_left: Option<i64>,
    signature: &'static str,
    findings: Vec<FindingJson<'a>>,
}

#[derive(Serialize)]
struct FindingJson<'a> {
    id: &'static str,
    severity: &'static str,
    problem: &'a str,
    advice: &'a str,
}
