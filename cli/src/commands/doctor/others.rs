//! Compares the login with what the environment makes other programs do. doctor signs its own token
//! and always verifies the server; psql reads PGPASSWORD and PGSSLMODE.

use std::time::SystemTime;

use rdsign::inspect::{Driver, Expected, Finding as InspectFinding, FindingId, Severity, examine};
use rdsign::timestamp::format_rfc3339;

use super::entry::Entry;
use super::examination::Examination;
use super::finding::Finding;
use super::signing::Signing;
use crate::args::variable;

impl Examination {
    /// Warns if PGPASSWORD is not a token for this login. It often has one from an earlier attempt.
    pub(super) fn with_pgpassword(&self, entry: Entry, signing: &Signing) -> Entry {
        let Some(text) = variable("PGPASSWORD") else {
            return entry;
        };
        let expected = Expected {
            hostname: Some(self.endpoint.hostname().to_owned()),
            port: Some(self.endpoint.port()),
            username: Some(self.username.clone()),
            driver: Some(Driver::Postgresql),
            ..Expected::default()
        };
        let mut report = examine(&text, SystemTime::now(), &expected);
        report.check_signature(&signing.credentials);
        // The steps name and credentials report these about the new token, too.
        let about_both = [
            FindingId::LoopbackHost,
            FindingId::NotAnRdsHost,
            FindingId::OddAccessKeyId,
            FindingId::WrongSessionToken,
        ];
        let is_error = |finding: &&InspectFinding| {
            finding.severity() == Severity::Error && !about_both.contains(&finding.id())
        };
        let Some(error) = report.findings().iter().find(is_error) else {
            return entry;
        };
        match (error.id(), report.details().expires_at()) {
            (FindingId::Expired, Some(end)) if end <= SystemTime::now() => {
                let end = format_rfc3339(end);
                entry.warn(
                    Finding::OldToken.id(),
                    &format!("; the token in PGPASSWORD expired at {end}"),
                    "Get a new token for each connection; `rdsign exec` gets one for you.",
                )
            }
            _ => entry.warn(
                Finding::WrongPgpassword.id(),
                "; but PGPASSWORD is not a token for this login",
                &format!(
                    "{} psql would send it. Run psql with `rdsign exec`, which sets PGPASSWORD to \
                     a new token, or unset it.",
                    error.problem()
                ),
            ),
        }
    }
}

/// Warns if PGSSLMODE makes other programs send a token to a server that they have not verified.
pub(super) fn with_sslmode(entry: Entry) -> Entry {
    let Some(mode) = variable("PGSSLMODE").filter(|mode| mode != "verify-full") else {
        return entry;
    };
    let others = match mode.as_str() {
        "disable" => "psql would not use TLS, and RDS rejects tokens without TLS",
        "allow" | "prefer" | "require" | "verify-ca" => {
            "psql would send a token to a server whose name it has not verified"
        }
        _ => "libpq does not know that mode",
    };
    entry.warn(
        Finding::WeakSslmode.id(),
        &format!("; but PGSSLMODE is {mode:?}: {others}"),
        "Set PGSSLMODE to verify-full, or unset it and use `rdsign exec`.",
    )
}
