//! The step that checks the credentials: whether they can work, and for how long. It does not ask
//! AWS: it compares the key ID with the session token, and the expiry with the clock.

use std::time::{Duration, SystemTime};

use rdsign::credentials::{Visit, VisitResult};
use rdsign::names::{OddKeys, SessionTokenMismatch};
use rdsign::timestamp::format_rfc3339;
use rdsign::{Error, ErrorCode};

use super::entry::{Entry, Step};
use super::finding::Finding;

/// Reports a failed search, with what came of each source.
pub(super) fn no_credentials(error: &Error, steps: &[Visit]) -> Entry {
    let entry = Entry::of_error(Step::Credentials, error);
    // Its message lists them all.
    if error.code() == ErrorCode::CredentialsNotFound {
        return entry.next("Set up one of these sources: docs/credentials.md describes them.");
    }
    let line = |visit: &Visit| match visit.result {
        VisitResult::Nothing => format!("{}: {}", visit.source, visit.reason),
        result => format!("{}: {}", visit.source, result.as_str()),
    };
    steps.iter().map(line).fold(entry, Entry::next)
}

pub(super) fn credentials(found: &rdsign::credentials::Found) -> Entry {
    let id = found.access_key_id();
    let has_session_token = found.credentials.session_token().is_some();
    let kind = if has_session_token {
        "temporary"
    } else {
        "long-lived"
    };
    match found.odd_keys().into_iter().next() {
        Some(OddKeys::SessionToken(SessionTokenMismatch::Missing)) => {
            let says = format!(
                "{}: {id} is a temporary key, and its session token is missing",
                found.source
            );
            return Entry::failed(Step::Credentials, Finding::SessionTokenMissing, says).next(
                "Set AWS_SESSION_TOKEN, or aws_session_token, to the one that came with the key.",
            );
        }
        Some(OddKeys::SessionToken(SessionTokenMismatch::LeftOver)) => {
            let says = format!(
                "{}: {id} is a long-lived key, but there is a session token",
                found.source
            );
            return Entry::failed(Step::Credentials, Finding::SessionTokenLeftOver, says)
                .next("Unset AWS_SESSION_TOKEN: it belongs to another key.");
        }
        Some(odd) => {
            let finding = match odd {
                OddKeys::Quoted => Finding::QuotedKey,
                _ => Finding::OddAccessKeyId,
            };
            let (problem, advice) = odd.problem_and_advice();
            let says = format!("{}: {problem}", found.source);
            return Entry::warning(Step::Credentials, finding, says).next(advice);
        }
        None => {}
    }
    let mut says = format!("{}: {id} ({kind})", found.source);
    let Some(end) = found.expires_at() else {
        return Entry::fine(Step::Credentials, says);
    };
    let time = format_rfc3339(end);
    let Ok(left) = end.duration_since(SystemTime::now()) else {
        let code = ErrorCode::CredentialsExpired.as_str();
        return Entry::with_id(
            Step::Credentials,
            code,
            format!("{says}, expired at {time}"),
        )
        .next("Get new credentials, with `aws sso login` or from where you got these.");
    };
    says.push_str(&format!(", expires at {time}"));
    if left < Duration::from_secs(rdsign::DEFAULT_EXPIRES_IN.into()) {
        return Entry::warning(Step::Credentials, Finding::CredentialsEndSoon, says)
            .next("A token expires with the credentials that signed it.");
    }
    Entry::fine(Step::Credentials, says)
}
