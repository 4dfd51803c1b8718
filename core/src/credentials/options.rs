//! The options that choose a source of credentials, and the source they choose.
//!
//! At most one base may be named: keys, credentials, a provider or a profile; none named is the
//! default chain. A role, if there is one, is assumed on top of the base.

use std::time::Duration;

use aws_credential_types::Credentials;
use zeroize::Zeroizing;

use super::source::{Base, Provider, Role, Source, check};
use crate::error::{Error, ErrorCode};
use crate::limits::DEFAULT_CREDENTIALS_TIMEOUT;

/// The options as they are given, not yet checked.
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
    /// Chooses the source that the options name.
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
                    "role ARN: none is given; accepted: an external id or a role session name \
                     together with the ARN of a role",
                ));
            }
            None => None,
        };
        let timeout = self.timeout.unwrap_or(DEFAULT_CREDENTIALS_TIMEOUT);
        if timeout.is_zero() {
            return Err(invalid(
                "credentials timeout: is zero; accepted: more than that; default: 5 seconds",
            ));
        }
        Ok(Source {
            base,
            role,
            timeout,
        })
    }
}
