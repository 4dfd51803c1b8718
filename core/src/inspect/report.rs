//! What `examine` found: the parts that could be read, the findings, and both as JSON.

use std::fmt;
use std::time::{Duration, SystemTime};

use serde::Serialize;

use super::finding::{Finding, Severity};
use super::shown::is_service;
use crate::names::{Region, is_access_key_id};
use crate::received::Parts;
use crate::timestamp::format_rfc3339;

/// The parts of a token, as far as they could be read and may be shown: neither its signature nor
/// its session token, nor anything that may be a secret in their place.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Details {
    /// The host name it is signed for.
    pub hostname: Option<String>,
    /// The port it is signed for.
    pub port: Option<u16>,
    /// The database user it is signed for.
    pub username: Option<String>,
    /// The region in its scope.
    pub region: Option<String>,
    /// The service in its scope: `rds-db` for a token that can log in.
    pub service: Option<String>,
    /// The id of the access key that it says it is signed with.
    pub access_key_id: Option<String>,
    /// When it was signed.
    pub signing_time: Option<SystemTime>,
    /// How long after its signing time it is valid, in seconds.
    pub expires_in: Option<u64>,
    /// Whether it is signed with temporary credentials, which have a session token.
    pub is_temporary: Option<bool>,
}

impl Details {
    pub(super) fn of(parts: &Parts) -> Self {
        let endpoint = parts.endpoint();
        let region = Some(parts.region()).filter(|name| Region::new(*name).is_ok());
        let service = Some(parts.service()).filter(|name| is_service(name));
        let access_key_id = Some(parts.access_key_id()).filter(|id| is_access_key_id(id));
        Self {
            hostname: Some(endpoint.hostname().to_owned()),
            port: Some(endpoint.port()),
            username: Some(parts.username().to_owned()),
            region: region.map(str::to_owned),
            service: service.map(str::to_owned),
            access_key_id: access_key_id.map(str::to_owned),
            signing_time: Some(parts.signing_time()),
            expires_in: Some(parts.expires_in()),
            is_temporary: Some(parts.has_session_token()),
        }
    }

    /// The end of its own life. The credentials that signed it may end before.
    pub fn expires_at(&self) -> Option<SystemTime> {
        self.signing_time?
            .checked_add(Duration::from_secs(self.expires_in?))
    }
}

/// What is known of a token's signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signature {
    /// It was not signed again, or cannot be.
    NotChecked,
    /// It is what the credentials give.
    Right,
    /// The credentials of that access key id give another.
    Wrong,
    /// The credentials have another access key id, so that nothing can be said.
    OtherKey,
}

impl Signature {
    /// `not-checked`, `right`, `wrong` or `other-key`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NotChecked => "not-checked",
            Self::Right => "right",
            Self::Wrong => "wrong",
            Self::OtherKey => "other-key",
        }
    }
}

/// A token taken apart, with what is wrong with it. All of it may be shown and logged.
pub struct Report {
    pub(super) details: Details,
    pub(super) findings: Vec<Finding>,
    pub(super) signature: Signature,
    /// All of the token, where it could be read.
    pub(super) parts: Option<Parts>,
    pub(super) now: SystemTime,
}

impl Report {
    /// The parts that could be read.
    pub fn details(&self) -> &Details {
        &self.details
    }

    /// What is wrong with it, in the order of [`FindingId`](super::FindingId).
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// Whether a server refuses it, or may: whether a finding is an error.
    pub fn has_errors(&self) -> bool {
        let mut findings = self.findings.iter();
        findings.any(|finding| finding.severity() == Severity::Error)
    }

    /// What is known of its signature.
    pub fn signature(&self) -> Signature {
        self.signature
    }

    /// The moment that it was judged by.
    pub fn now(&self) -> SystemTime {
        self.now
    }

    /// Seconds until its own life ends; less than 0 from then on.
    pub fn seconds_left(&self) -> Option<i64> {
        let end = self.details.expires_at()?;
        let seconds = |duration: Duration| i64::try_from(duration.as_secs()).unwrap_or(i64::MAX);
        Some(match end.duration_since(self.now) {
            Ok(left) => seconds(left),
            Err(since) => -seconds(since.duration()),
        })
    }

    /// All of it as JSON, indented. What could not be read is `null`; times are RFC 3339 in UTC.
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

/// The order of its fields is that of the JSON.
#[derive(Serialize)]
struct ReportJson<'a> {
    hostname: Option<&'a str>,
    port: Option<u16>,
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
