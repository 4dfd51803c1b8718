//! Defines the results of [`verify`](super::verify): an allowed login, or the reason for a refusal.
//!
//! Their texts are for the server's log. They may name IDs, hosts and users, but never contain a
//! token, a signature or a secret.

use std::fmt;
use std::time::SystemTime;

use crate::message::{quoted, shortened};
use crate::names::{Endpoint, is_access_key_id, shown_access_key_id};
use crate::policy::{Decision, OpenStatement};
use crate::received::Malformed;
use crate::timestamp::format_rfc3339;

/// An allowed login. `Display` writes a line for a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Accepted {
    /// The ID of the access key that signed the token.
    pub access_key_id: String,
    /// The ARN of the resource that the policies allow.
    pub arn: String,
    /// The signed `host` header.
    pub signed_host: String,
    /// The statements that would deny the login under a condition that is not known to hold. They
    /// did not count.
    pub undecided: Vec<OpenStatement>,
}

impl fmt::Display for Accepted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "access key {} may connect to {}; host {}",
            shown_key(&self.access_key_id),
            quoted(&self.arn),
            self.signed_host,
        )?;
        for deny in &self.undecided {
            write!(f, "; ignored: a Deny that applies if {deny}")?;
        }
        Ok(())
    }
}

/// A swapped pair has its secret here.
fn shown_key(id: &str) -> String {
    match is_access_key_id(id) {
        true => quoted(id),
        false => shown_access_key_id(id).to_owned(),
    }
}

/// Says that an undecided Allow did not count.
fn ignored(decision: &Decision) -> &'static str {
    match decision {
        Decision::Undecided {
            allowed_by: None, ..
        } => "ignored: a statement that may not apply: ",
        _ => "",
    }
}

/// The reason why a login is refused. `Display` writes a line for a log, without secrets, and `Debug` the
/// same with the ID.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// The text is not a token.
    #[error("not a token: {0}")]
    Malformed(Malformed),
    /// The token is signed for another endpoint.
    #[error("signed for {signed_for}, but this server is {endpoints}")]
    WrongEndpoint {
        /// The token's endpoint.
        signed_for: Endpoint,
        /// The server's endpoints, separated by commas.
        endpoints: String,
    },
    /// The token is signed for another user, or for DSQL for an action that the user does not need.
    #[error("signed for {}", signed_for.compared_with(login))]
    WrongUser {
        /// The token's user or action.
        signed_for: SignedFor,
        /// The user that logs in.
        login: String,
    },
    /// The token is signed for another region or another service.
    #[error("signed for {}, but this server needs {expected}", quoted(signed_for))]
    WrongRegionOrService {
        /// `REGION/SERVICE` of the token.
        signed_for: String,
        /// `REGION/SERVICE` of the server.
        expected: String,
    },
    /// The signing time is more than 300 seconds ahead of the server's clock.
    #[error(
        "signed at {}, {seconds_ahead} s ahead of this server's clock; accepted: up to 300",
        format_rfc3339(*signing_time)
    )]
    NotYetValid {
        /// The token's signing time.
        signing_time: SystemTime,
        /// How far the signing time is ahead of the server's clock.
        seconds_ahead: u64,
    },
    /// The token expired, or the credentials that signed it did.
    #[error("{what} expired at {}, {seconds_ago} s ago", format_rfc3339(*at))]
    Expired {
        /// What expired: `the token` or `the credentials that signed it`.
        what: &'static str,
        /// When it expired.
        at: SystemTime,
        /// How long ago it expired.
        seconds_ago: u64,
    },
    /// The lifetime is more than 900 seconds, or for DSQL more than 604,800.
    #[error("its lifetime is {expires_in} s; accepted: 1 to {most}")]
    LifetimeTooLong {
        /// The token's lifetime in seconds.
        expires_in: u64,
        /// The longest lifetime of the service's tokens, in seconds.
        most: u32,
    },
    /// The server does not know the access key.
    #[error("access key {} is not known", shown_key(access_key_id))]
    UnknownAccessKey {
        /// The token's access key ID.
        access_key_id: String,
    },
    /// The session token does not belong to the access key.
    #[error(
        "the session token {problem} for access key {}",
        shown_key(access_key_id)
    )]
    WrongSessionToken {
        /// The token's access key ID.
        access_key_id: String,
        /// What is wrong: `is missing`, `is unexpected` or `is wrong`.
        problem: &'static str,
    },
    /// The secret access key produces another signature.
    #[error("the signature is wrong for access key {}", shown_key(access_key_id))]
    WrongSignature {
        /// The token's access key ID.
        access_key_id: String,
    },
    /// The policies do not allow the login.
    #[error(
        "the policies of access key {} do not allow {action} on {}: {}{decision}",
        shown_key(access_key_id),
        quoted(arn),
        ignored(decision)
    )]
    NotAllowed {
        /// The token's access key ID.
        access_key_id: String,
        /// The action that the login needs.
        action: &'static str,
        /// The ARN of the requested resource.
        arn: String,
        /// What the policies decide. Boxed because it is larger than all other refusals.
        decision: Box<Decision>,
    },
    /// The policies allow to connect to the DSQL cluster, but no grant lets the owner of the key be
    /// this database role.
    #[error(
        "role {} is not granted to access key {}, or to the ARN of its owner; accepted: as with AWS IAM \
         GRANT",
        quoted(role),
        shown_key(access_key_id)
    )]
    NotGranted {
        /// The token's access key ID.
        access_key_id: String,
        /// The database role that logs in.
        role: String,
    },
}

impl fmt::Debug for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The fields are what a token says, and in a damaged one a secret may be in the wrong place.
        write!(f, "Refusal({}: {self})", self.id())
    }
}

/// What a token is signed for: a user, or for DSQL an action, which only some users need. `Debug` hides
/// what may be a secret.
#[derive(Clone, PartialEq, Eq)]
pub enum SignedFor {
    /// This user.
    User(String),
    /// This action of DSQL.
    Action {
        /// The token's action.
        action: String,
        /// The action that the login needs.
        needed: &'static str,
    },
}

impl fmt::Debug for SignedFor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::User(user) => write!(f, "User({})", quoted(user)),
            Self::Action { action, needed } => {
                write!(f, "Action({}, needed: {needed})", quoted(action))
            }
        }
    }
}

impl SignedFor {
    fn compared_with(&self, login: &str) -> String {
        let login = quoted(login);
        match self {
            Self::User(user) => format!("user {}, but the login is for {login}", quoted(user)),
            Self::Action { action, needed } => format!(
                "the action {}, but a login of user {login} needs {needed}",
                shortened(action)
            ),
        }
    }
}

/// Assigns an ID to each refusal. A refusal without an ID does not compile. `tests/ids.tsv` lists
/// the IDs too.
macro_rules! ids {
    ($($name:ident = $id:literal;)+) => {
        impl Refusal {
            /// All IDs, in the order of the variants.
            pub const IDS: &[&'static str] = &[$($id),+];

            /// Returns the stable ID of the refusal, one of [`Refusal::IDS`].
            pub fn id(&self) -> &'static str {
                match self { $(Self::$name { .. } => $id),+ }
            }
        }
    };
}

ids! {
    Malformed = "malformed";
    WrongEndpoint = "wrong-endpoint";
    WrongUser = "wrong-user";
    WrongRegionOrService = "wrong-region-or-service";
    NotYetValid = "not-yet-valid";
    Expired = "expired";
    LifetimeTooLong = "lifetime-too-long";
    UnknownAccessKey = "unknown-access-key";
    WrongSessionToken = "wrong-session-token";
    WrongSignature = "wrong-signature";
    NotAllowed = "not-allowed";
    NotGranted = "not-granted";
}
