//! Reads the remains of a token that the strict parser rejects, and says what happened to it.
//!
//! The text may be a password or a damaged token. A part is shown only if it is between known
//! parameters and cannot be something else. Otherwise, part of a signature could be shown as the
//! user name when the text between them was lost.

use super::cut::{cut, cut_short};
use super::finding::{Finding, FindingId};
use super::lookalikes::{dsql_token, is_masked, masked};
use super::reading::Reading;
use super::report::Details;
use super::shown::{is_plain, is_plain_id, is_service};
use super::wrapping::has_parameters;
use crate::names::{Endpoint, Region, Service};
use crate::received::{self, Malformed};
use crate::timestamp::Timestamp;

/// Returns the findings on a text that the strict parser rejects, and the parts that are safe to
/// show.
pub(super) fn read(text: &str, reason: &Malformed) -> (Details, Vec<Finding>) {
    let mut findings = Vec::new();
    if !has_parameters(text) {
        findings.push(not_a_token(text, reason));
        return (Details::default(), findings);
    }
    let reading = Reading::of(text);
    let details = details(&reading);
    let for_dsql = is_dsql(&reading, &details);
    let host = parse_endpoint(reading.before).and_then(|endpoint| endpoint.service());
    if for_dsql && host == Some(Service::Rds) {
        findings.push(dsql_token());
    } else if let Some(service) = &details.service
        && Service::of_signing_name(service).is_none()
        && !for_dsql
    {
        findings.push(not_for_a_database(service));
    }
    if reading
        .closed("X-Amz-Security-Token")
        .is_some_and(|token| token.is_empty())
    {
        findings.push(empty_session_token());
    }
    findings.extend(cut_short(text, &reading));
    if findings.is_empty() && !is_masked(text) {
        findings.push(malformed(reason));
    }
    (details, findings)
}

/// A presigned URL or a token of another service, such as S3, EKS or ElastiCache.
fn not_for_a_database(service: &str) -> Finding {
    Finding::new(
        FindingId::WrongRegionOrService,
        format!(
            "It is a presigned URL or a token for the service {service}, not a token for RDS or \
             DSQL."
        ),
        "Make the token with `rdsign token`, `aws rds generate-db-auth-token` or `aws dsql \
         generate-db-connect-auth-token`.",
    )
}

fn empty_session_token() -> Finding {
    Finding::new(
        FindingId::EmptySessionToken,
        "It has a session token (X-Amz-Security-Token), but that is empty.",
        "Unset AWS_SESSION_TOKEN, or remove the empty aws_session_token from the profile, and sign \
         again. rdsign ignores an empty session token, but other signers sign it.",
    )
}

fn malformed(reason: &Malformed) -> Finding {
    Finding::new(
        FindingId::Malformed,
        format!("It is not a valid token: {reason}."),
        "Make a new token, and pass it on unchanged and in one piece.",
    )
}

/// Handles a text without any parameter of a token: a password, a mask or the beginning of a token.
fn not_a_token(text: &str, reason: &Malformed) -> Finding {
    if is_masked(text) {
        return masked();
    }
    let reading = Reading::of(text);
    let service = parse_endpoint(reading.before).and_then(|endpoint| endpoint.service());
    match service.map(|service| service.names_login()) {
        Some(true) => return cut(text, "after the host name and the port"),
        Some(false) => return cut(text, "after the host name"),
        None => {}
    }
    Finding::new(
        FindingId::Malformed,
        format!("It is not a token: {reason}."),
        "Give the driver the output of `rdsign token`: a token starts with the host name and the \
         port of the endpoint.",
    )
}

fn parse_endpoint(before: &str) -> Option<Endpoint> {
    let before = before.strip_suffix('/').unwrap_or(before);
    received::parse_endpoint(&format!("{before}/")).ok()
}

fn is_dsql(reading: &Reading<'_>, details: &Details) -> bool {
    let dsql = Service::Dsql;
    let action = reading.closed("Action");
    action.is_some_and(|action| action.starts_with(dsql.common_action().name))
        || details.service.as_deref() == Some(dsql.signing_name())
}

fn details(reading: &Reading<'_>) -> Details {
    // A single word before the ? may be a password. A host name has a domain or a port.
    let endpoint = parse_endpoint(reading.before)
        .filter(|e| is_plain(e.hostname()) && reading.before.contains(['.', ':']));
    let scope = reading.closed("X-Amz-Credential");
    let scope = scope.and_then(|scope| received::parse_scope(&scope).ok());
    let [access_key_id, _, region, service] =
        scope.map_or([const { None }; 4], |scope| scope.map(Some));
    let known = service.as_deref().and_then(Service::of_signing_name);
    let names_port = known.is_none_or(|service| service.names_login());
    Details {
        hostname: endpoint.as_ref().map(|e| e.hostname().to_owned()),
        port: endpoint.filter(|_| names_port).map(|e| e.port()),
        action: reading
            .closed("Action")
            .filter(|name| {
                let mut services = Service::ALL.iter();
                services.any(|service| service.actions().contains(&name.as_str()))
            })
            .map(|name| String::clone(&name)),
        username: reading
            .closed("DBUser")
            .filter(|name| is_plain(name))
            .map(|name| String::clone(&name)),
        access_key_id: access_key_id.filter(|id| is_plain_id(id)),
        region: region.filter(|name| Region::new(name.as_str()).is_ok() && is_plain(name)),
        service: service.filter(|name| is_service(name)),
        signing_time: reading
            .closed("X-Amz-Date")
            .and_then(|text| Timestamp::from_amz_date(&text))
            .map(Timestamp::system_time),
        expires_in: reading
            .closed("X-Amz-Expires")
            .filter(|text| text.bytes().all(|b| b.is_ascii_digit()))
            .and_then(|text| text.parse::<u32>().ok())
            .map(u64::from),
        is_temporary: None,
    }
}
