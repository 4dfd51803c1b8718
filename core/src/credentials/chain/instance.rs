//! IMDSv2, the metadata service of an EC2 instance.
//!
//! The AWS SDK's provider asks it, but is not asked for everything: by itself it gives keys that
//! have ended a later end, so that a doomed token would look good; it panics over a role's name
//! that cannot stand in an address; and it calls a service that hangs one that is not there.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_config::imds::Client;
use aws_config::imds::client::error::ImdsError;
use aws_config::imds::credentials::ImdsCredentialsProvider;
use aws_config::provider_config::ProviderConfig;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, Result, future};
use aws_types::sdk_config::TimeSource;

use crate::credentials::environment;

const DISABLED: &str = "AWS_EC2_METADATA_DISABLED";
const ROLES: &str = "/latest/meta-data/iam/security-credentials/";

/// The keys of the instance's role.
#[derive(Debug)]
pub(super) struct InstanceMetadata {
    config: ProviderConfig,
    bound: Duration,
}

/// The clock by which the SDK judges whether keys have ended: for it, none ever have.
#[derive(Debug)]
struct LongAgo;

impl TimeSource for LongAgo {
    fn now(&self) -> SystemTime {
        UNIX_EPOCH
    }
}

impl InstanceMetadata {
    /// `bound` is what the caller ends a search by.
    pub(super) fn new(config: &ProviderConfig, bound: Duration) -> Self {
        Self {
            config: config.clone(),
            bound,
        }
    }

    async fn credentials(&self) -> Result {
        let disabled = environment::variable(DISABLED);
        if disabled.is_some_and(|value| value.eq_ignore_ascii_case("true")) {
            return Err(CredentialsError::not_loaded(format!(
                "{DISABLED} is set to true"
            )));
        }
        let client = self.client();
        let role = client.get(ROLES).await.map_err(|error| match error {
            ImdsError::ErrorResponse(answer) if answer.response().status().as_u16() == 404 => {
                CredentialsError::not_loaded("the instance has no role")
            }
            ImdsError::FailedToLoadToken(ref context) if context.is_dispatch_failure() => {
                CredentialsError::not_loaded(error)
            }
            other => CredentialsError::provider_error(other),
        })?;
        let role = role.as_ref().trim();
        // https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
        let may_stand = |c: char| c.is_ascii_alphanumeric() || "+=,.@_-".contains(c);
        if role.is_empty() || !role.chars().all(may_stand) {
            return Err(CredentialsError::provider_error(
                "what should be the name of the instance's role is none",
            ));
        }
        let provider = ImdsCredentialsProvider::builder()
            .configure(&self.config.clone().with_time_source(LongAgo))
            .imds_client(client)
            .profile(role);
        provider.build().provide_credentials().await
    }

    /// An address where nothing answers is given up within the second that the SDK gives it to
    /// connect. After that a service is there, and only the caller's bound ends the wait for it:
    /// the client's own bounds lie beyond.
    fn client(&self) -> Client {
        let beyond = self.bound.saturating_mul(2);
        Client::builder()
            .configure(&self.config)
            .read_timeout(beyond)
            .operation_attempt_timeout(beyond)
            .operation_timeout(beyond)
            .build()
    }
}

impl ProvideCredentials for InstanceMetadata {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(self.credentials())
    }
}
