//! Turns a signer's options into a source of credentials.
//!
//! The options may name at most one base: keys, credentials, a provider or a profile. Without a
//! base, the default chain applies. If a role is given, it is assumed with the base's credentials.

use std::time::Duration;

use aws_credential_types::Credentials;
use zeroize::Zeroizing;

use super::source::{Base, Provider, Role, Source, check};
use crate::error::{Error, ErrorCode};
use crate::limits::DEFAULT_CREDENTIALS_TIMEOUT;

/// The options as given, not yet checked.
#[derive(Clone, Default)]
pub(crate) struct SourceOptions {
    pub(crate) access_key_id: Option<Zeroizing<String>>,
    pub(crate) secret_access_key: Option<Zeroizing<String>>,
    pub(crate) session_token: Option<Zeroizing<String>>,
    pub(crate) credentials: Option<Credentials>,
    pub(crate) provider: Option<Provider>,
    pub(crate) profile: Option<String>,
    pub(crate) role_arn: Option<String>,
    pub(crate) external_id: Option<String>,
    pub(crate) role_session_name: Option<String>,
    pub(crate) timeout: Option<Duration>,
}

impl SourceOptions {
    /// Returns the source that the options choose.
    pub(crate) fn settle(self) -> Result<Source, Error> {
        let invalid = |message: &'static str| Error::new(ErrorCode::InvalidCredentials, message);
        let has_keys = self.access_key_id.is_some()
            || self.secret_access_key.is_some()
            || self.session_token.is_some();
        let named = [
            has_keys,
            self.credentials.is_some(),
            self.provider.is_some(),
            self.profile.is_some(),
        ];
        if named.into_iter().filter(|named| *named).count() > 1 {
            return Err(invalid(
                "credentials: more than one source is given; accepted: keys, credentials, a \
                 provider or a profile, or none of them for the default chain",
            ));
        }
        let base = if let Some(provider) = self.provider {
            Base::Provider(provider)
        } else if let Some(profile) = self.profile {
            if profile.is_empty() {
                return Err(invalid(
                    "profile: is empty; accepted: the name of a profile",
                ));
            }
            Base::Profile(profile)
        } else if has_keys {
            let text = |key: Option<Zeroizing<String>>| key.as_deref().cloned();
            Base::Given(Credentials::new(
                text(self.access_key_id).unwrap_or_default(),
                text(self.secret_access_key).unwrap_or_default(),
                text(self.session_token),
                None,
                "options",
            ))
        } else if let Some(credentials) = self.credentials {
            Base::Given(credentials)
        } else {
            Base::Default
        };
        if let Base::Given(credentials) = &base {
            check(credentials)?;
        }
        let role = match self.role_arn {
            Some(arn) if arn.is_empty() => {
                return Err(invalid(
                    "role ARN: is empty; accepted: the ARN of an IAM role",
                ));
            }
            Some(arn) => Some(Role {
                arn,
                external_id: self.external_id,
                session_name: self.role_session_name,
            }),
            None if self.external_id.is_some() || self.role_session_name.is_some() => {
                return Err(invalid(
                    "role ARN: missing; accepted: an external id or a role session name \
                     together with the ARN of a role",
                ));
            }
            None => None,
        };
        let timeout = self.timeout.unwrap_or(DEFAULT_CREDENTIALS_TIMEOUT);
        if timeout.is_zero() {
            return Err(invalid(
                "credentials timeout: zero or negative; accepted: more than 0; default: 5 seconds",
            ));
        }
        Ok(Source {
            base,
            role,
            timeout,
        })
    }
}
