//! Reads keys and a region from environment variables.
//!
//! The environment is the first source of the default chain. An empty variable counts as unset. As
//! in the AWS CLI, a secret without a key ID is ignored, and a key ID without a secret is an error:
//! the user who set it wants no other identity.

use std::ffi::OsString;

use aws_credential_types::Credentials;
use zeroize::Zeroizing;

use super::source::{Tried, check};
use crate::error::{Error, ErrorCode};
use crate::timestamp::parse_expiry;

pub(super) const NAME: &str = "environment";

const ACCESS_KEY_ID: &str = "AWS_ACCESS_KEY_ID";
const SECRET_ACCESS_KEY: &str = "AWS_SECRET_ACCESS_KEY";
/// The older name comes first, as for the AWS CLI.
const SESSION_TOKEN: [&str; 2] = ["AWS_SECURITY_TOKEN", "AWS_SESSION_TOKEN"];
const EXPIRATION: &str = "AWS_CREDENTIAL_EXPIRATION";

/// The variables that name a region, in order.
const REGION: [&str; 2] = ["AWS_REGION", "AWS_DEFAULT_REGION"];

/// Reads a variable of this process's environment. An empty one counts as unset, as in the AWS SDKs
/// and in libpq. Bytes that are not UTF-8 become U+FFFD, which every check rejects.
pub fn variable(name: &str) -> Option<String> {
    std::env::var_os(name)
        .filter(|value| !value.is_empty())
        // Not copied if it is UTF-8: a copy of a secret would not be wiped.
        .map(|value| {
            let lossy = |value: OsString| value.to_string_lossy().into_owned();
            value.into_string().unwrap_or_else(lossy)
        })
}

/// Returns the region of the environment, and the variable that names it.
pub(crate) fn region_of_environment() -> Option<(&'static str, String)> {
    REGION
        .into_iter()
        .find_map(|name| Some((name, variable(name)?)))
}

/// Whether the environment has both keys, so that [`load`] is the whole fetch.
pub(super) fn is_set() -> bool {
    [ACCESS_KEY_ID, SECRET_ACCESS_KEY]
        .iter()
        .all(|name| variable(name).map(Zeroizing::new).is_some())
}

/// Returns the keys, or why the environment has no keys.
pub(super) fn load() -> Result<Result<Credentials, Tried>, Error> {
    load_from(&variable)
}

pub(super) fn load_from(
    variable: &dyn Fn(&str) -> Option<String>,
) -> Result<Result<Credentials, Tried>, Error> {
    let keys = (
        variable(ACCESS_KEY_ID),
        variable(SECRET_ACCESS_KEY).map(Zeroizing::new),
    );
    let (access_key_id, secret_access_key) = match keys {
        (Some(access_key_id), Some(secret_access_key)) => (access_key_id, secret_access_key),
        (None, _) => {
            return Ok(Err(Tried {
                source: NAME,
                reason: format!("{ACCESS_KEY_ID} is not set"),
            }));
        }
        (Some(_), None) => {
            let message = format!(
                "credentials: {NAME}: {ACCESS_KEY_ID} is set, but {SECRET_ACCESS_KEY} is not; \
                 accepted: both, or neither"
            );
            return Err(Error::new(ErrorCode::CredentialsFailed, message));
        }
    };
    let expiry = variable(EXPIRATION)
        .map(|text| parse_expiry(&text, EXPIRATION))
        .transpose()?;
    let credentials = Credentials::new(
        access_key_id,
        secret_access_key.as_str(),
        SESSION_TOKEN.into_iter().find_map(variable),
        expiry,
        NAME,
    );
    check(&credentials)?;
    Ok(Ok(credentials))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::timestamp::format_rfc3339;

    fn environment(variables: &[(&str, &str)]) -> Result<Result<Credentials, Tried>, Error> {
        load_from(&|name| {
            let found = variables.iter().find(|(key, _)| *key == name);
            found.map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn all_four_variables_are_read() {
        let credentials = environment(&[
            (ACCESS_KEY_ID, "akid"),
            (SECRET_ACCESS_KEY, "secret"),
            ("AWS_SESSION_TOKEN", "token"),
            (EXPIRATION, "2024-08-27T00:00:00Z"),
        ]);
        let credentials = credentials.unwrap().unwrap();
        assert_eq!(credentials.access_key_id(), "akid");
        assert_eq!(credentials.secret_access_key(), "secret");
        assert_eq!(credentials.session_token(), Some("token"));
        let expiry = credentials.expiry().unwrap();
        assert_eq!(format_rfc3339(expiry), "2024-08-27T00:00:00Z");
    }

    #[test]
    fn a_missing_variable_is_named() {
        let error = environment(&[(ACCESS_KEY_ID, "akid")]).unwrap_err();
        assert_eq!(error.code(), ErrorCode::CredentialsFailed);
        assert!(error.message().contains(SECRET_ACCESS_KEY), "{error}");
        for variables in [&[][..], &[(SECRET_ACCESS_KEY, "secret")]] {
            let tried = environment(variables).unwrap().unwrap_err();
            assert!(tried.reason.contains(ACCESS_KEY_ID), "{tried:?}");
        }
    }

    #[test]
    fn the_older_name_of_the_session_token_comes_first() {
        let keys = [(ACCESS_KEY_ID, "akid"), (SECRET_ACCESS_KEY, "secret")];
        let [older, newer] = SESSION_TOKEN;
        let token = |more: &[(&str, &str)]| {
            let keys = environment(&[&keys[..], more].concat()).unwrap().unwrap();
            keys.session_token().map(str::to_owned)
        };
        assert_eq!(token(&[(older, "a")]).as_deref(), Some("a"));
        assert_eq!(token(&[(newer, "b"), (older, "a")]).as_deref(), Some("a"));
        assert_eq!(token(&[(newer, "b")]).as_deref(), Some("b"));
    }

    #[test]
    fn blank_keys_are_rejected() {
        let error = environment(&[(ACCESS_KEY_ID, " "), (SECRET_ACCESS_KEY, " ")]).unwrap_err();
        assert_eq!(error.code(), ErrorCode::InvalidCredentials);
        assert!(
            error.message().contains("access key id: is blank"),
            "{error}"
        );
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
        for (name, value) in [
            (SECRET_ACCESS_KEY, "sec\nret"),
            ("AWS_SESSION_TOKEN", "sec\nret"),
        ] {
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
