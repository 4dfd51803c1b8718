//! Where the keys that sign come from: given outright, or the environment's.
//!
//! Given keys are checked once, when a Signer is made. The environment's are read when the first
//! token is asked for, and again when they have expired: a process may rewrite them.

use std::time::SystemTime;

use aws_credential_types::Credentials;
use zeroize::Zeroizing;

use crate::error::{Error, ErrorCode};
use crate::timestamp::{format_rfc3339, parse_rfc3339_or};

const ACCESS_KEY_ID: &str = "AWS_ACCESS_KEY_ID";
const SECRET_ACCESS_KEY: &str = "AWS_SECRET_ACCESS_KEY";
const SESSION_TOKEN: &str = "AWS_SESSION_TOKEN";
const EXPIRATION: &str = "AWS_CREDENTIAL_EXPIRATION";

/// The keys as options give them, not yet checked.
#[derive(Clone, Default)]
pub(crate) struct GivenKeys {
    pub(crate) access_key_id: Option<Zeroizing<String>>,
    pub(crate) secret_access_key: Option<Zeroizing<String>>,
    pub(crate) session_token: Option<Zeroizing<String>>,
}

impl GivenKeys {
    fn any(&self) -> bool {
        self.access_key_id.is_some()
            || self.secret_access_key.is_some()
            || self.session_token.is_some()
    }
}

/// A source of credentials, settled when a Signer is made.
#[derive(Clone, Debug)]
pub(crate) enum Source {
    Given(Credentials),
    Environment,
}

impl Source {
    /// Chooses the source that the options name; none named is the environment.
    pub(crate) fn new(keys: GivenKeys, credentials: Option<Credentials>) -> Result<Self, Error> {
        let given = match (keys.any(), credentials) {
            (false, None) => return Ok(Self::Environment),
            (false, Some(credentials)) => credentials,
            (true, None) => Credentials::new(
                keys.access_key_id.as_deref().cloned().unwrap_or_default(),
                keys.secret_access_key
                    .as_deref()
                    .cloned()
                    .unwrap_or_default(),
                keys.session_token.as_deref().cloned(),
                None,
                "options",
            ),
            (true, Some(_)) => {
                return Err(Error::new(
                    ErrorCode::InvalidCredentials,
                    "credentials: both keys and credentials are given; accepted: one of the two",
                ));
            }
        };
        check(&given)?;
        Ok(Self::Given(given))
    }

    /// The credentials to sign with at a time.
    pub(crate) fn credentials(&self, now: SystemTime) -> Result<Credentials, Error> {
        let credentials = match self {
            Self::Given(credentials) => credentials.clone(),
            Self::Environment => from_environment(&environment_variable)?,
        };
        match credentials.expiry() {
            Some(expiry) if expiry <= now => Err(Error::new(
                ErrorCode::CredentialsExpired,
                format!(
                    "credentials: those of access key {} expired at {}, and their source ({}) \
                     gives no newer ones",
                    credentials.access_key_id(),
                    format_rfc3339(expiry),
                    match self {
                        Self::Given(_) => "given to the signer",
                        Self::Environment => "environment",
                    },
                ),
            )),
            _ => Ok(credentials),
        }
    }
}

/// What a token cannot be signed with.
fn check(credentials: &Credentials) -> Result<(), Error> {
    let session_token = credentials.session_token().unwrap_or_default();
    for (field, text, may_be_empty) in [
        ("access key id", credentials.access_key_id(), false),
        ("secret access key", credentials.secret_access_key(), false),
        ("session token", session_token, true),
    ] {
        let problem = if text.is_empty() && !may_be_empty {
            "is empty"
        } else if text.contains(char::is_control) {
            "has a control character in it, such as a line end"
        } else if text.contains('\u{FFFD}') {
            "has U+FFFD in it, a damaged character"
        } else {
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

/// A variable of this process's environment; an empty one counts as unset, as in the AWS SDKs.
/// One that is not UTF-8 comes with U+FFFD in it, which no check lets pass.
pub(crate) fn environment_variable(name: &str) -> Option<String> {
    std::env::var_os(name)
        .filter(|value| !value.is_empty())
        .map(|value| value.to_string_lossy().into_owned())
}

fn from_environment(lookup: &dyn Fn(&str) -> Option<String>) -> Result<Credentials, Error> {
    let required = |name: &str| {
        lookup(name).map(Zeroizing::new).ok_or_else(|| {
            Error::new(
                ErrorCode::CredentialsNotFound,
                format!("no credentials found. environment: {name} is not set"),
            )
        })
    };
    let access_key_id = required(ACCESS_KEY_ID)?;
    let secret_access_key = required(SECRET_ACCESS_KEY)?;
    let expiry = lookup(EXPIRATION)
        .map(|text| parse_rfc3339_or(&text, ErrorCode::CredentialsFailed, EXPIRATION))
        .transpose()?;
    let credentials = Credentials::new(
        access_key_id.as_str(),
        secret_access_key.as_str(),
        lookup(SESSION_TOKEN),
        expiry,
        "environment",
    );
    check(&credentials)?;
    Ok(credentials)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(variables: &[(&str, &str)]) -> Result<Credentials, Error> {
        from_environment(&|name| {
            let found = variables.iter().find(|(key, _)| *key == name);
            found.map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn the_environment_gives_all_four() {
        let credentials = environment(&[
            (ACCESS_KEY_ID, "akid"),
            (SECRET_ACCESS_KEY, "secret"),
            (SESSION_TOKEN, "token"),
            (EXPIRATION, "2024-08-27T00:00:00Z"),
        ])
        .unwrap();
        assert_eq!(credentials.access_key_id(), "akid");
        assert_eq!(credentials.secret_access_key(), "secret");
        assert_eq!(credentials.session_token(), Some("token"));
        let expiry = credentials.expiry().unwrap();
        assert_eq!(format_rfc3339(expiry), "2024-08-27T00:00:00Z");
    }

    #[test]
    fn what_is_missing_is_named() {
        let error = environment(&[(ACCESS_KEY_ID, "akid")]).unwrap_err();
        assert_eq!(error.code(), ErrorCode::CredentialsNotFound);
        assert!(error.message().contains(SECRET_ACCESS_KEY), "{error}");
    }

    #[test]
    fn a_bad_expiry_is_named_and_not_ignored() {
        let error = environment(&[
            (ACCESS_KEY_ID, "akid"),
            (SECRET_ACCESS_KEY, "secret"),
            (EXPIRATION, "soon"),
        ])
        .unwrap_err();
        assert_eq!(error.code(), ErrorCode::CredentialsFailed);
        assert!(error.message().contains(EXPIRATION), "{error}");
    }

    #[test]
    fn no_message_shows_a_secret() {
        for (name, value) in [(SECRET_ACCESS_KEY, "sec\nret"), (SESSION_TOKEN, "sec\nret")] {
            let mut variables = vec![(ACCESS_KEY_ID, "akid"), (SECRET_ACCESS_KEY, "secret")];
            variables.retain(|(key, _)| *key != name);
            variables.push((name, value));
            let error = environment(&variables).unwrap_err();
            assert_eq!(error.code(), ErrorCode::InvalidCredentials);
            assert!(
                !format!("{error} {error:?}").contains("sec\\n"),
                "{error:?}"
            );
        }
    }
}
