//! The server's side: whether a token lets a user in, and if not, why.
//!
//! The checks run in the order of [`Refusal`], and the first that fails is the answer. The SDKs
//! sign a host name in upper case and the port 443 each in their own way; every way is accepted
//! here, as RDS accepts them, and [`Accepted`] says which it was. Nothing here is used to sign.

use std::fmt;
use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::endpoint::{Endpoint, Region, quoted};
use crate::inspect::{Malformed, Parts, parse};
use crate::policy::{CONNECT_ACTION, ConnectResource, Decision, Policy, evaluate};
use crate::signer::MAX_EXPIRES_IN;
use crate::sigv4::{EMPTY_BODY_SHA256, SERVICE, SIGNED_HEADERS, SigningKey, encode};
use crate::timestamp::format_rfc3339;

/// How far ahead of the server's clock a token may be signed. AWS allows five minutes of skew.
///
/// Source: <https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-authenticating-requests.html>
const MAX_CLOCK_SKEW: Duration = Duration::from_secs(300);

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

/// A login that is allowed. `Display` gives a line for a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Accepted {
    /// The access key that signed the token.
    pub access_key_id: String,
    /// The resource that the policies allow.
    pub arn: String,
    /// The `host` header as it was signed.
    pub signed_host: String,
    /// Whose way of signing it is, where that can be told from the host.
    pub form: HostForm,
    /// Whether the parameters stand in the order of botocore and the AWS CLI.
    pub in_botocore_order: bool,
}

/// How the host was signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HostForm {
    /// In the one way that all SDKs share, or as botocore does where they differ.
    Botocore,
    /// With the letters' case as printed in the token.
    CaseKept,
    /// With https's own port 443.
    PortKept,
    /// Both.
    CaseAndPortKept,
}

impl fmt::Display for HostForm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Botocore => "as botocore signs it",
            Self::CaseKept => "with its upper case kept, as other SDKs sign it",
            Self::PortKept => "with :443 kept, as other SDKs sign it",
            Self::CaseAndPortKept => "with its upper case and :443 kept, as other SDKs sign it",
        })
    }
}

impl fmt::Display for Accepted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "access key {} may connect to {}; host {} {}, parameters in {} order",
            quoted(&self.access_key_id),
            quoted(&self.arn),
            self.signed_host,
            self.form,
            if self.in_botocore_order {
                "botocore's"
            } else {
                "another SDK's"
            }
        )
    }
}

/// Why a login is refused. `Display` gives a line for a log, without any secret in it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// The text is not a token.
    #[error("not a token: {0}")]
    Malformed(Malformed),
    /// It is signed for another endpoint.
    #[error("signed for {signed_for}, but this server is {endpoints}")]
    WrongEndpoint {
        /// The token's endpoint.
        signed_for: Endpoint,
        /// The server's own, separated by commas.
        endpoints: String,
    },
    /// It is signed for another user.
    #[error(
        "signed for user {}, but the login is for {}",
        quoted(signed_for),
        quoted(login)
    )]
    WrongUser {
        /// The token's user.
        signed_for: String,
        /// The user that wants to log in.
        login: String,
    },
    /// It is signed for another region or another service.
    #[error("signed for {}, but this server needs {expected}", quoted(signed_for))]
    WrongRegionOrService {
        /// `REGION/SERVICE` of the token.
        signed_for: String,
        /// `REGION/SERVICE` of the server.
        expected: String,
    },
    /// It is signed more than 300 seconds ahead of the server's clock.
    #[error("signed at {}, {seconds_ahead} s ahead of this server's clock; accepted: up to 300", format_rfc3339(*signing_time))]
    NotYetValid {
        /// When it says it was signed.
        signing_time: SystemTime,
        /// How far that is ahead.
        seconds_ahead: u64,
    },
    /// Its own life, or that of the credentials that signed it, is over.
    #[error("{what} expired at {}, {seconds_ago} s ago", format_rfc3339(*at))]
    Expired {
        /// What ended: the token, or the credentials.
        what: &'static str,
        /// The end.
        at: SystemTime,
        /// How long ago that was.
        seconds_ago: u64,
    },
    /// It asks for a life of more than 900 seconds.
    #[error("its lifetime is {expires_in} s; accepted: 1 to 900")]
    LifetimeTooLong {
        /// The life it asks for, in seconds.
        expires_in: u64,
    },
    /// No access key of that id is known.
    #[error("access key {} is not known", quoted(access_key_id))]
    UnknownAccessKey {
        /// The token's access key id.
        access_key_id: String,
    },
    /// The session token is not the one that goes with the key.
    #[error("the session token {problem} for access key {}", quoted(access_key_id))]
    WrongSessionToken {
        /// The token's access key id.
        access_key_id: String,
        /// Missing, not expected, or another.
        problem: &'static str,
    },
    /// The signature is not what the secret access key gives.
    #[error("the signature is wrong for access key {}", quoted(access_key_id))]
    WrongSignature {
        /// The token's access key id.
        access_key_id: String,
    },
    /// The policies do not allow it.
    #[error(
        "the policies of access key {} do not allow {CONNECT_ACTION} on {}: {decision}",
        quoted(access_key_id),
        quoted(arn)
    )]
    NotAllowed {
        /// The token's access key id.
        access_key_id: String,
        /// The resource that was asked for.
        arn: String,
        /// What the policies say.
        decision: Decision,
    },
}

impl Refusal {
    /// A stable name for the kind of refusal.
    pub fn id(&self) -> &'static str {
        match self {
            Self::Malformed(_) => "malformed",
            Self::WrongEndpoint { .. } => "wrong-endpoint",
            Self::WrongUser { .. } => "wrong-user",
            Self::WrongRegionOrService { .. } => "wrong-region-or-service",
            Self::NotYetValid { .. } => "not-yet-valid",
            Self::Expired { .. } => "expired",
            Self::LifetimeTooLong { .. } => "lifetime-too-long",
            Self::UnknownAccessKey { .. } => "unknown-access-key",
            Self::WrongSessionToken { .. } => "wrong-session-token",
            Self::WrongSignature { .. } => "wrong-signature",
            Self::NotAllowed { .. } => "not-allowed",
        }
    }
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
    let (signed_host, form) =
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
            form,
            in_botocore_order: in_botocore_order(&parts),
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
    let known = key.credentials.session_token().filter(|t| !t.is_empty());
    let problem = match (known, parts.session_token()) {
        (None, None) => None,
        (Some(_), None) => Some("is missing"),
        (None, Some(_)) => Some("is there, but none is known"),
        (Some(known), Some(shown)) => {
            let same: bool = known.as_bytes().ct_eq(shown.as_bytes()).into();
            (!same).then_some("is not the right one")
        }
    };
    if let Some(problem) = problem {
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

/// The `host` header that makes the signature right, and whose form it is.
fn signed_host(parts: &Parts, credentials: &Credentials) -> Option<(String, HostForm)> {
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
    candidates(parts.endpoint()).into_iter().find(|(host, _)| {
        let canonical_request =
            format!("GET\n/\n{query}\nhost:{host}\n\n{SIGNED_HEADERS}\n{EMPTY_BODY_SHA256}");
        let hash = Sha256::digest(canonical_request.as_bytes()).into();
        let right = key.sign(amz_date.as_str(), &hash);
        let same = right
            .as_str()
            .as_bytes()
            .ct_eq(parts.signature().as_bytes());
        same.into()
    })
}

/// Every `host` header that some SDK signs for an endpoint, botocore's first.
fn candidates(endpoint: &Endpoint) -> Vec<(String, HostForm)> {
    let kept = endpoint.hostname();
    let lower = kept.to_ascii_lowercase();
    let mut candidates = vec![(endpoint.host_header(), HostForm::Botocore)];
    for (host, form) in [
        (format!("{lower}:{}", endpoint.port()), HostForm::PortKept),
        (
            format!("{kept}:{}", endpoint.port()),
            match endpoint.port() {
                443 if kept != lower => HostForm::CaseAndPortKept,
                _ => HostForm::CaseKept,
            },
        ),
    ] {
        if candidates.iter().all(|(known, _)| *known != host) {
            candidates.push((host, form));
        }
    }
    if endpoint.port() == 443 && kept != lower {
        candidates.push((kept.to_owned(), HostForm::CaseKept));
    }
    candidates
}

fn in_botocore_order(parts: &Parts) -> bool {
    const ORDER: [&str; 8] = [
        "Action",
        "DBUser",
        "X-Amz-Algorithm",
        "X-Amz-Credential",
        "X-Amz-Date",
        "X-Amz-Expires",
        "X-Amz-SignedHeaders",
        "X-Amz-Security-Token",
    ];
    let names = parts
        .signed_parameters()
        .iter()
        .map(|(name, _)| name.as_str());
    let expected = ORDER.into_iter().take(parts.signed_parameters().len());
    names.eq(expected)
}
