//! Assumes roles by calls to STS.

use std::time::SystemTime;

use aws_config::SdkConfig;
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sdk_sts::Client;
use aws_sdk_sts::types::Credentials as Keys;

use super::failure::Failure;

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
    pub(super) async fn assume(
        &self,
        whose: &str,
        config: SdkConfig,
        keys: Credentials,
    ) -> Result<Credentials, Failure> {
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
            .map_err(|error| Failure::of_call(whose, error))?;
        keys_of(answer.credentials, whose)
    }

    /// Assumes the role with a web identity's token.
    pub(super) async fn assume_with(
        &self,
        whose: &str,
        config: SdkConfig,
        token: &str,
    ) -> Result<Credentials, Failure> {
        let answer = Client::new(&config)
            .assume_role_with_web_identity()
            .role_arn(self.arn)
            .role_session_name(self.session_name())
            .web_identity_token(token)
            .send()
            .await
            .map_err(|error| Failure::of_call(whose, error))?;
        keys_of(answer.credentials, whose)
    }
}

fn keys_of(keys: Option<Keys>, whose: &str) -> Result<Credentials, Failure> {
    let bad = |problem: &str| Failure::bad_answer(whose, &format!("the answer {problem}"));
    let keys = keys.ok_or_else(|| bad("has no credentials"))?;
    // The SDK replaces a missing field by an empty text, or by 1970.
    for (field, text) in [
        ("AccessKeyId", &keys.access_key_id),
        ("SecretAccessKey", &keys.secret_access_key),
        ("SessionToken", &keys.session_token),
    ] {
        if text.is_empty() {
            return Err(bad(&format!("has no {field}")));
        }
    }
    if keys.expiration.secs() == 0 {
        return Err(bad("has no Expiration"));
    }
    let end = SystemTime::try_from(keys.expiration);
    let end = end.map_err(|_| bad("has an Expiration that is not a time"))?;
    Ok(Credentials::new(
        keys.access_key_id,
        keys.secret_access_key,
        Some(keys.session_token),
        Some(end),
        "sts",
    ))
}
