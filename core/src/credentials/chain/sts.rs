//! Assumes roles by calls to STS.

use std::time::SystemTime;

use aws_config::SdkConfig;
use aws_credential_types::Credentials;
use aws_credential_types::provider::{Result, SharedCredentialsProvider, error::CredentialsError};
use aws_sdk_sts::Client;

/// The default session name, which CloudTrail shows.
const SESSION_NAME: &str = "rdsign";

/// A role, and the parameters of the call.
pub(super) struct Role<'a> {
    pub(super) arn: &'a str,
    pub(super) session_name: Option<&'a str>,
    pub(super) external_id: Option<&'a str>,
    pub(super) duration: Option<i32>,
}

impl Role<'_> {
    fn session_name(&self) -> &str {
        self.session_name.unwrap_or(SESSION_NAME)
    }

    /// Assumes the role with these keys.
    pub(super) async fn assume(&self, config: SdkConfig, keys: Credentials) -> Result {
        let keys = SharedCredentialsProvider::new(keys);
        let config = config.into_builder().credentials_provider(keys);
        let answer = Client::new(&config.build())
            .assume_role()
            .role_arn(self.arn)
            .role_session_name(self.session_name())
            .set_external_id(self.external_id.map(str::to_owned))
            .set_duration_seconds(self.duration)
            .send()
            .await
            .map_err(CredentialsError::provider_error)?;
        keys_of(answer.credentials)
    }

    /// Assumes the role with a web identity's token.
    pub(super) async fn assume_with(&self, config: SdkConfig, token: &str) -> Result {
        let answer = Client::new(&config)
            .assume_role_with_web_identity()
            .role_arn(self.arn)
            .role_session_name(self.session_name())
            .web_identity_token(token)
            .send()
            .await
            .map_err(CredentialsError::provider_error)?;
        keys_of(answer.credentials)
    }
}

fn keys_of(keys: Option<aws_sdk_sts::types::Credentials>) -> Result {
    let keys = keys.ok_or_else(|| CredentialsError::unhandled("the answer has no credentials"))?;
    let end = SystemTime::try_from(keys.expiration)
        .map_err(|_| CredentialsError::unhandled("the answer's Expiration is not a time"))?;
    Ok(Credentials::new(
        keys.access_key_id,
        keys.secret_access_key,
        Some(keys.session_token),
        Some(end),
        "sts",
    ))
}
