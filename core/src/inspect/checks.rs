//! Checks the parts of a token that can be parsed: region, service, user, time and access key.
//! [`host`] checks the host name and port.

use std::time::SystemTime;

use super::expected::Expected;
use super::finding::{Finding, FindingId};
use super::host;
use super::lookalikes::{dsql_token, is_masked};
use super::shown::is_service;
use crate::limits::MAX_CLOCK_SKEW;
use crate::message::{has_secret_parameter, quoted, spoken};
use crate::names::{Region, Service, SessionTokenMismatch, is_access_key_id, zone};
use crate::received::Parts;
use crate::timestamp::format_rfc3339;

pub(super) fn check(parts: &Parts, now: SystemTime, expected: &Expected) -> Vec<Finding> {
    let endpoint = parts.endpoint();
    // The service of an unknown one's token is wrong anyway.
    let service = parts.known_service().unwrap_or(Service::Rds);
    let findings = [
        region_or_service(parts, expected),
        host::name(endpoint, service, expected),
        host::wrong_endpoint(endpoint, service, expected),
        host::port(endpoint.port(), service, expected),
        user(parts, service, expected),
        not_yet_valid(parts, now),
        expired(parts.expires_at(), "It", now),
        lifetime(parts.expires_in(), service),
        access_key_id(parts.access_key_id()),
        session_token(parts),
    ];
    findings.into_iter().flatten().collect()
}

fn region_or_service(parts: &Parts, expected: &Expected) -> Option<Finding> {
    let finding = |problem: String, advice: String| {
        Some(Finding::new(
            FindingId::WrongRegionOrService,
            problem,
            advice,
        ))
    };
    let needed = parts.endpoint().service().or(expected.service);
    match (parts.known_service(), needed) {
        (Some(Service::Dsql), Some(Service::Rds)) => return Some(dsql_token()),
        (Some(service), needed) if needed.is_none_or(|needed| needed == service) => {}
        (_, needed) => {
            let other = match is_service(parts.service()) {
                true => format!("the service {}", parts.service()),
                false => "another service".to_owned(),
            };
            let needed = needed.unwrap_or(Service::Rds);
            let (needed, command) = (needed.signing_name(), needed.command());
            return finding(
                format!("It is signed for {other}, but a login needs the service {needed}."),
                format!(
                    "Make the token with `rdsign token` or `{command}`. If you sign it yourself, \
                     use the service name {needed}{}.",
                    match needed == "rds-db" {
                        true => ", although the host name says rds",
                        false => "",
                    }
                ),
            );
        }
    }
    let region = Region::new(parts.region());
    let shown = match &region {
        Ok(region) => region.as_str(),
        Err(_) if zone(parts.region()).is_some() => parts.region(),
        Err(_) => "an invalid region name",
    };
    let (needed, source) = match (parts.endpoint().region(), &expected.region) {
        (Some(in_hostname), _) => (in_hostname, "its host name is in"),
        (None, Some(given)) => (given.clone(), "the database is in"),
        (None, None) if region.is_err() => {
            return finding(
                format!("It is signed for {shown}."),
                "Give the signer the region that the database is in.".to_owned(),
            );
        }
        (None, None) => return None,
    };
    if region.as_ref() == Ok(&needed) {
        return None;
    }
    finding(
        format!("It is signed for {shown}, but {source} {needed}."),
        format!("Sign for {needed}: use the database's region, not the caller's."),
    )
}

fn user(parts: &Parts, service: Service, expected: &Expected) -> Option<Finding> {
    let Some(username) = parts.username() else {
        return action(parts.action(), service, expected);
    };
    if username.is_empty() {
        return Some(Finding::new(
            FindingId::Malformed,
            "Its user name (DBUser) is empty.",
            "Give the signer the name of the database user.",
        ));
    }
    if has_secret_parameter(username) {
        return Some(Finding::new(
            FindingId::Malformed,
            "Its user name (DBUser) is another token, so it is not shown.",
            "Check whether the user name and the password were swapped, and give the signer the \
             name of the database user.",
        ));
    }
    let login = expected.username.as_deref()?;
    if login == username {
        return None;
    }
    let case = match login.to_lowercase() == username.to_lowercase() {
        true => " They differ only in case, and PostgreSQL folds unquoted names to lower case.",
        false => "",
    };
    Some(Finding::new(
        FindingId::WrongUser,
        format!(
            "It is signed for user {}, but the login is for {}.{case}",
            quoted(username),
            quoted(login)
        ),
        "Sign for the user that logs in, spelled as in the database.",
    ))
}

/// Checks the action of a token that names no user.
fn action(action: &str, service: Service, expected: &Expected) -> Option<Finding> {
    let login = expected.username.as_deref()?;
    let needed = service.action(login).name;
    (action != needed).then(|| {
        Finding::new(
            FindingId::WrongUser,
            format!(
                "It is signed for the action {action}, but a login of user {} needs {needed}.",
                quoted(login)
            ),
            "Give the signer the user that logs in: it chooses the action.",
        )
    })
}

fn not_yet_valid(parts: &Parts, now: SystemTime) -> Option<Finding> {
    let signing_time = parts.signing_time();
    let ahead = signing_time.duration_since(now).ok()?;
    (ahead > MAX_CLOCK_SKEW).then(|| {
        Finding::new(
            FindingId::NotYetValid,
            format!(
                "It was signed at {}, {} ahead of the current time ({}).",
                format_rfc3339(signing_time),
                spoken(ahead),
                format_rfc3339(now)
            ),
            "Correct the clock of the machine that signed the token, or of this one if it is \
             wrong. AWS tolerates five minutes.",
        )
    })
}

pub(super) fn expired(expiry: SystemTime, what: &str, now: SystemTime) -> Option<Finding> {
    let since = now.duration_since(expiry).ok()?;
    Some(Finding::new(
        FindingId::Expired,
        format!(
            "{what} expired at {}, {} ago.",
            format_rfc3339(expiry),
            spoken(since)
        ),
        "Make a new token right before each new connection: a pool that reuses one token fails \
         after 15 minutes. Open connections are not affected.",
    ))
}

fn lifetime(expires_in: u64, service: Service) -> Option<Finding> {
    let most = service.max_expires_in();
    (expires_in > most.into()).then(|| {
        Finding::new(
            FindingId::LifetimeTooLong,
            format!("Its lifetime is {expires_in} s; accepted: 1 to {most}."),
            format!(
                "Sign with at most {most} seconds, and make a new token for each \
                 connection."
            ),
        )
    })
}

fn access_key_id(access_key_id: &str) -> Option<Finding> {
    (!is_access_key_id(access_key_id) && !is_masked(access_key_id)).then(|| {
        Finding::new(
            FindingId::OddAccessKeyId,
            "Its access key ID does not look like one, so it is not shown.",
            "Check whether the access key ID and the secret access key were swapped. If so, every \
             token made this way contains the secret in plain text: replace the key.",
        )
    })
}

fn session_token(parts: &Parts) -> Option<Finding> {
    let mismatch = SessionTokenMismatch::of(parts.access_key_id(), parts.has_session_token())?;
    let (problem, advice) = match mismatch {
        SessionTokenMismatch::Missing => (
            "Its access key is temporary (ASIA…), but it has no session token.",
            "Give the signer the session token too (AWS_SESSION_TOKEN), not only the access key ID \
             and the secret access key.",
        ),
        SessionTokenMismatch::LeftOver => (
            "It has a session token, but its access key is long-lived (AKIA…).",
            "Unset AWS_SESSION_TOKEN: it is left over from other credentials.",
        ),
    };
    Some(Finding::new(FindingId::WrongSessionToken, problem, advice))
}
