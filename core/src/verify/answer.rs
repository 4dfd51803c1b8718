//! The answers of [`verify`](super::verify): a login that is allowed, or why it is not.
//!
//! Their text is for the server's log. It may name ids, hosts and users, which a log escapes, but
//! never a token, a signature or a secret.

use std::fmt;
use std::time::SystemTime;

use crate::endpoint::{Endpoint, quoted};
use crate::inspect::Malformed;
use crate::policy::{CONNECT_ACTION, Decision};
use crate::timestamp::format_rfc3339;

/// A login that is allowed. `Display` gives a line for a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Accepted {
    /// The access key that signed the token.
    pub access_key_id: String,
    /// The resource that the policies allow.
    pub arn: String,
    /// The `host` header as it was signed.
    pub signed_host: String,
}

impl fmt::Display for Accepted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "access key {} may connect to {}; host {}",
            quoted(&self.access_key_id),
            quoted(&self.arn),
            self.signed_host,
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
