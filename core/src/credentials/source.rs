//! Describes a source of credentials, and the credentials that it returns.
//!
//! A Signer chooses its source when it is made, from its options alone. [`load`](super::load)
//! fetches the credentials.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;

use crate::error::{Error, ErrorCode};
use crate::names::{OddKeys, shown_access_key_id};
use crate::timestamp::format_rfc3339;
use crate::wipe::{LITTLE, with_clean_stack};

/// The result of a provider function: keys, or any error.
pub type ProviderResult = Result<Credentials, Box<dyn std::error::Error + Send + Sync>>;

/// A source that was checked and not used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tried {
    /// Its name, such as `environment` or `credentials file`.
    pub source: &'static str,
    /// Why it was not used.
    pub reason: String,
}

/// The credentials that were found, and the sources checked for them. `Debug` redacts the secret.
#[derive(Clone, Debug)]
pub struct Found {
    /// The source that returned them, such as `environment` or `credentials file`.
    pub source: &'static str,
    /// The keys.
    pub credentials: Credentials,
    /// The sources checked before, in order.
    pub tried: Vec<Tried>,
    /// Sources that the same profile also sets up, but that come later in the order.
    pub unused: Vec<Tried>,
}

impl Found {
    /// Returns the access key ID.
    pub fn access_key_id(&self) -> &str {
        self.credentials.access_key_id()
    }

    /// Returns warnings about the keys: they sign, but a database may refuse the token.
    pub fn odd_keys(&self) -> Vec<OddKeys> {
        odd_keys(&self.credentials)
    }

    /// Returns when the credentials expire, or `None` for keys that do not expire.
    pub fn expires_at(&self) -> Option<SystemTime> {
        self.credentials.expiry()
    }

    pub(super) fn at_once(source: &'static str, credentials: Credentials) -> Self {
        Self {
            source,
            credentials,
            tried: Vec::new(),
            unused: Vec::new(),
        }
    }
}

pub(crate) fn odd_keys(keys: &Credentials) -> Vec<OddKeys> {
    let has_session_token = keys.session_token().is_some();
    OddKeys::of(
        keys.access_key_id(),
        keys.secret_access_key(),
        has_session_token,
    )
}

pub(crate) type Provider = Arc<dyn Fn() -> ProviderResult + Send + Sync>;

/// The source of the credentials before a role is assumed.
#[derive(Clone)]
pub(crate) enum Base {
    Given(Credentials),
    Provider(Provider),
    Profile(String),
    Default,
}

/// A region whose STS to call.
#[derive(Clone)]
#[cfg_attr(
    not(feature = "chain"),
    expect(dead_code, reason = "STS is never called")
)]
pub(crate) enum RegionHint {
    /// Given by the caller: takes precedence over the environment and the profile.
    Given(String),
    /// The database's region: the last resort.
    Database(String),
}

/// A role to assume with the base's credentials.
#[derive(Clone)]
#[cfg_attr(not(feature = "chain"), expect(dead_code, reason = "only refused"))]
pub(crate) struct Role {
    pub(crate) arn: String,
    pub(crate) external_id: Option<String>,
    pub(crate) session_name: Option<String>,
}

/// A source of credentials, chosen when a Signer is made.
#[derive(Clone)]
pub(crate) struct Source {
    pub(crate) base: Base,
    pub(crate) role: Option<Role>,
    pub(crate) timeout: Duration,
}

/// How long and how often a fetch may ask.
#[derive(Clone, Copy)]
#[cfg_attr(
    not(feature = "chain"),
    expect(dead_code, reason = "only the chain asks again")
)]
pub(crate) struct Patience {
    /// The time for all calls together.
    pub(crate) bound: Duration,
    /// Whether to ask again after a failure that may pass. If the caller has valid credentials, the
    /// next refresh is early enough.
    pub(crate) asks_again: bool,
    /// Credentials that have expired at this time count as such a failure.
    pub(crate) now: Option<SystemTime>,
}

impl Source {
    /// Returns the credentials if the source always returns the same ones.
    pub(crate) fn constant(&self) -> Option<&Credentials> {
        match (&self.base, &self.role) {
            (Base::Given(credentials), None) => Some(credentials),
            _ => None,
        }
    }

    pub(super) fn profile(&self) -> Option<&str> {
        match &self.base {
            Base::Profile(name) => Some(name),
            _ => None,
        }
    }
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.base {
            Base::Given(_) => "given keys",
            Base::Provider(_) => "a provider",
            Base::Profile(_) => "a profile",
            Base::Default => "the default chain",
        })?;
        f.write_str(if self.role.is_some() {
            " and a role"
        } else {
            ""
        })
    }
}

/// Returns the error for a search that found no credentials.
pub(super) fn not_found(tried: &[Tried]) -> Error {
    let mut message = String::from("no credentials found.");
    for Tried { source, reason } in tried {
        message.push_str(&format!(" {source}: {reason}."));
    }
    Error::new(ErrorCode::CredentialsNotFound, message)
}

/// Returns the error for expired credentials.
pub(super) fn expired(credentials: &Credentials, source: &str) -> Error {
    let end = credentials
        .expiry()
        .map_or_else(String::new, format_rfc3339);
    Error::new(
        ErrorCode::CredentialsExpired,
        format!(
            "credentials: those of access key {} expired at {end}, and there are no newer ones \
             ({source})",
            shown_access_key_id(credentials.access_key_id()),
        ),
    )
}

/// Returns the problem with an access key ID, a secret access key or a session token. It never
/// quotes the text.
pub fn key_problem(text: &str) -> Option<&'static str> {
    if text.is_empty() {
        Some("is empty")
    } else if text.trim().is_empty() {
        Some("is blank")
    } else if text.contains(char::is_control) {
        Some("has a control character in it, such as a newline")
    } else if text.contains(char::REPLACEMENT_CHARACTER) {
        Some("has U+FFFD in it, a damaged character")
    } else {
        None
    }
}

/// Checks that these keys can sign a token.
///
/// # Errors
/// [`ErrorCode::InvalidCredentials`] if the access key ID or the secret access key is empty, or if
/// one of the three is blank or has a control character or U+FFFD in it.
pub(super) fn check(credentials: &Credentials) -> Result<(), Error> {
    // In a debug build, a search in a text copies pieces of it to the stack.
    with_clean_stack::<LITTLE, _>(|| find_problem(credentials))
}

fn find_problem(credentials: &Credentials) -> Result<(), Error> {
    let session_token = credentials.session_token().unwrap_or_default();
    for (field, text, may_be_empty) in [
        ("access key id", credentials.access_key_id(), false),
        ("secret access key", credentials.secret_access_key(), false),
        ("session token", session_token, true),
    ] {
        let Some(problem) = key_problem(text).filter(|_| !may_be_empty || !text.is_empty()) else {
            continue;
        };
        return Err(Error::new(
            ErrorCode::InvalidCredentials,
            format!(
                "{field}: {problem}; accepted: an access key id and a secret access key, and for \
                 temporary credentials their session token, without control characters"
            ),
        ));
    }
    Ok(())
}
