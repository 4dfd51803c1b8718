//! The server's side: whether a token lets a user in, and if not, why.
//!
//! The checks run in the order of [`Refusal`], and the first that fails is the answer. The SDKs
//! differ in how they sign a host name in upper case and the port 443: every form is accepted, as
//! RDS accepts them. Nothing here is used to sign.

mod answer;

use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

pub use answer::{Accepted, Refusal};

use crate::endpoint::{Endpoint, Region};
use crate::inspect::{Parts, parse};
use crate::policy::{CONNECT_ACTION, ConnectResource, Decision, Policy, evaluate};
use crate::signer::MAX_EXPIRES_IN;
use crate::sigv4::{EMPTY_BODY_SHA256, SERVICE, SIGNED_HEADERS, SigningKey, encode};

/// How far ahead of the server's clock a token may be signed. AWS allows five minutes of skew.
///
/// Source: <https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-authenticating-requests.html>
pub(crate) const MAX_CLOCK_SKEW: Duration = Duration::from_secs(300);

/// The database that a token is shown to.
#[derive(Clone, Debug)]
pub struct Server {
    /// The endpoints that tokens may be signed for.
    pub endpoints: Vec<Endpoint>,
    /// The region that it is in.
    pub region: Region,
    /// The AWS account that it belongs to, twelve digits.
    pub account_id: String,
    /// Its resource id: `db-…`, `cluster-…` or `prx-…`.
    pub resource_id: String,
}

/// An access key that the server knows, with what its owner may do.
#[derive(Clone, Debug)]
pub struct AccessKey {
    /// The key; a session token and an expiry where it is temporary.
    pub credentials: Credentials,
    /// The IAM policies of its owner.
    pub policies: Vec<Policy>,
}

/// Decides whether `token` lets `username` in to `server` at the moment `now`.
///
/// # Errors
/// The first [`Refusal`] that applies, in their order.
pub fn verify(
    token: &str,
    username: &str,
    server: &Server,
    keys: &[AccessKey],
    now: SystemTime,
) -> Result<Accepted, Refusal> {
    let parts = parse(token).map_err(Refusal::Malformed)?;
    check_target(&parts, username, server)?;
    check_time(&parts, now)?;
    let key = find_key(&parts, keys, now)?;
    let access_key_id = || parts.access_key_id().to_owned();
    let signed_host =
        signed_host(&parts, &key.credentials).ok_or_else(|| Refusal::WrongSignature {
            access_key_id: access_key_id(),
        })?;
    let arn = ConnectResource {
        partition: server.region.partition().to_owned(),
        region: server.region.as_str().to_owned(),
        account_id: server.account_id.clone(),
        resource_id: server.resource_id.clone(),
        username: username.to_owned(),
    }
    .arn();
    match evaluate(&key.policies, CONNECT_ACTION, &arn) {
        Decision::Allowed { .. } => Ok(Accepted {
            access_key_id: access_key_id(),
            arn,
            signed_host,
        }),
        decision => Err(Refusal::NotAllowed {
            access_key_id: access_key_id(),
            arn,
            decision,
        }),
    }
}

fn check_target(parts: &Parts, username: &str, server: &Server) -> Result<(), Refusal> {
    let is_the_token_s = |endpoint: &&Endpoint| {
        let bare = |endpoint: &Endpoint| {
            let hostname = endpoint.hostname();
            hostname
                .strip_suffix('.')
                .unwrap_or(hostname)
                .to_ascii_lowercase()
        };
        endpoint.port() == parts.endpoint().port() && bare(endpoint) == bare(parts.endpoint())
    };
    if !server.endpoints.iter().any(|e| is_the_token_s(&e)) {
        let endpoints: Vec<_> = server.endpoints.iter().map(Endpoint::to_string).collect();
        return Err(Refusal::WrongEndpoint {
            signed_for: parts.endpoint().clone(),
            endpoints: endpoints.join(", "),
        });
    }
    if parts.username() != username {
        return Err(Refusal::WrongUser {
            signed_for: parts.username().to_owned(),
            login: username.to_owned(),
        });
    }
    let signed_for = format!("{}/{}", parts.region(), parts.service());
    let expected = format!("{}/{SERVICE}", server.region);
    if signed_for != expected {
        return Err(Refusal::WrongRegionOrService {
            signed_for,
            expected,
        });
    }
    Ok(())
}

fn check_time(parts: &Parts, now: SystemTime) -> Result<(), Refusal> {
    let signing_time = parts.signing_time();
    if let Ok(ahead) = signing_time.duration_since(now)
        && ahead > MAX_CLOCK_SKEW
    {
        return Err(Refusal::NotYetValid {
            signing_time,
            seconds_ahead: ahead.as_secs(),
        });
    }
    check_end("the token", parts.expires_at(), now)?;
    if parts.expires_in() > MAX_EXPIRES_IN.into() {
        return Err(Refusal::LifetimeTooLong {
            expires_in: parts.expires_in(),
        });
    }
    Ok(())
}

fn check_end(what: &'static str, end: SystemTime, now: SystemTime) -> Result<(), Refusal> {
    match now.duration_since(end) {
        Ok(since) => Err(Refusal::Expired {
            what,
            at: end,
            seconds_ago: since.as_secs(),
        }),
        Err(_) => Ok(()),
    }
}

fn find_key<'a>(
    parts: &Parts,
    keys: &'a [AccessKey],
    now: SystemTime,
) -> Result<&'a AccessKey, Refusal> {
    let access_key_id = || parts.access_key_id().to_owned();
    let key = keys
        .iter()
        .find(|key| key.credentials.access_key_id() == parts.access_key_id())
        .ok_or_else(|| Refusal::UnknownAccessKey {
            access_key_id: access_key_id(),
        })?;
    if let Some(problem) = session_token_problem(parts, &key.credentials) {
        return Err(Refusal::WrongSessionToken {
            access_key_id: access_key_id(),
            problem,
        });
    }
    if let Some(expiry) = key.credentials.expiry() {
        check_end("the credentials that signed it", expiry, now)?;
    }
    Ok(key)
}

/// What is wrong with the session token beside that of the credentials.
pub(crate) fn session_token_problem(
    parts: &Parts,
    credentials: &Credentials,
) -> Option<&'static str> {
    let known = credentials.session_token().filter(|t| !t.is_empty());
    match (known, parts.session_token()) {
        (None, None) => None,
        (Some(_), None) => Some("is missing"),
        (None, Some(_)) => Some("is there, but none is known"),
        (Some(known), Some(shown)) => {
            let same: bool = known.as_bytes().ct_eq(shown.as_bytes()).into();
            (!same).then_some("is not the right one")
        }
    }
}

/// The `host` header for which the signature is right.
pub(crate) fn signed_host(parts: &Parts, credentials: &Credentials) -> Option<String> {
    let mut query: Vec<(String, String)> = parts
        .signed_parameters()
        .iter()
        .map(|(name, value)| (encode(name).to_string(), encode(value).to_string()))
        .collect();
    query.sort();
    let query: Vec<String> = query.iter().map(|(n, v)| format!("{n}={v}")).collect();
    let query = query.join("&");
    let key = SigningKey::derive(
        credentials.secret_access_key(),
        parts.scope_date(),
        parts.region(),
    );
    let amz_date = parts.signed_at().amz_date();
    candidates(parts.endpoint()).into_iter().find(|host| {
        let canonical_request =
            format!("GET\n/\n{query}\nhost:{host}\n\n{SIGNED_HEADERS}\n{EMPTY_BODY_SHA256}");
        let right = key.sign(&amz_date, Sha256::new_with_prefix(canonical_request));
        let same = right
            .as_str()
            .as_bytes()
            .ct_eq(parts.signature().as_bytes());
        same.into()
    })
}

/// Every `host` header that some SDK signs for an endpoint, botocore's first. Duplicates do no harm.
fn candidates(endpoint: &Endpoint) -> Vec<String> {
    let (kept, port) = (endpoint.hostname(), endpoint.port());
    let lower = kept.to_ascii_lowercase();
    let mut candidates = vec![
        endpoint.host_header(),
        format!("{lower}:{port}"),
        format!("{kept}:{port}"),
    ];
    if port == 443 {
        candidates.push(kept.to_owned());
    }
    candidates
}
