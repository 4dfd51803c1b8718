//! Fetches the keys of an EC2 instance's role from instance metadata (IMDSv2).
//!
//! It uses the AWS SDK's provider, but works around three of its behaviours. The provider extends
//! the expiry of expired keys, so an unusable token would look valid. It panics if a role name
//! cannot be part of a URL. And it reports a service that hangs as one that does not exist.

use std::error::Error as StdError;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_config::imds::Client;
use aws_config::imds::client::error::{ImdsError, TokenError};
use aws_config::imds::credentials::ImdsCredentialsProvider;
use aws_config::provider_config::ProviderConfig;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, Result};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_types::sdk_config::TimeSource;

use super::failure::{causes, is_passing, is_unreachable};
use super::settings::{Settings, check_url};
use crate::credentials::environment;
use crate::error::Error;
use crate::message::quoted;

const DISABLED: &str = "AWS_EC2_METADATA_DISABLED";
const ROLES: &str = "/latest/meta-data/iam/security-credentials/";

/// Fetches the keys of the instance's role.
pub(super) struct InstanceMetadata {
    config: ProviderConfig,
    bound: Duration,
    endpoint: String,
    timeout: Option<Duration>,
    attempts: Option<u32>,
}

/// Returns the reason if the user disabled instance metadata.
pub(super) fn disabled() -> Option<String> {
    let value = environment::variable(DISABLED)?;
    value
        .eq_ignore_ascii_case("true")
        .then(|| format!("{DISABLED} is set to {value}"))
}

fn attempts(settings: &Settings<'_>) -> std::result::Result<Option<u32>, Error> {
    let (variable, setting) = (
        "AWS_METADATA_SERVICE_NUM_ATTEMPTS",
        "metadata_service_num_attempts",
    );
    settings.number(variable, setting)
}

/// Whether the user has set how often the service is asked.
pub(super) fn limits_attempts(settings: &Settings<'_>) -> bool {
    matches!(attempts(settings), Ok(Some(_)))
}

/// Whether the service may return keys if it is asked again.
pub(super) fn may_pass(error: &CredentialsError) -> bool {
    let status = causes(error).find_map(|cause| match cause.downcast_ref() {
        Some(ImdsError::ErrorResponse(answer)) => Some(answer.response().status().as_u16()),
        _ => None,
    });
    match (error, status) {
        (CredentialsError::InvalidConfiguration(_), _) => false,
        // 401 rejects the session token, which is fetched again.
        (_, Some(status)) => status == 401 || is_passing(status),
        (_, None) => true,
    }
}

/// A clock for the SDK that is always in the past, so that it never extends the expiry of keys.
#[derive(Debug)]
struct LongAgo;

impl TimeSource for LongAgo {
    fn now(&self) -> SystemTime {
        UNIX_EPOCH
    }
}

impl InstanceMetadata {
    /// `bound` is how long the caller waits for the whole search.
    pub(super) fn new(
        config: &ProviderConfig,
        settings: &Settings<'_>,
        bound: Duration,
    ) -> std::result::Result<Self, Error> {
        let (variable, setting) = ("AWS_METADATA_SERVICE_TIMEOUT", "metadata_service_timeout");
        let timeout = settings.number(variable, setting)?;
        Ok(Self {
            config: config.clone(),
            bound,
            endpoint: endpoint(settings)?,
            timeout: timeout.map(|seconds| Duration::from_secs(seconds.into())),
            attempts: attempts(settings)?,
        })
    }

    pub(super) async fn credentials(&self) -> Result {
        let client = self.client()?;
        let role = client.get(ROLES).await.map_err(|error| match error {
            ImdsError::ErrorResponse(answer) if answer.response().status().as_u16() == 404 => {
                CredentialsError::not_loaded("the instance has no role")
            }
            ImdsError::ErrorResponse(answer) if answer.response().status().as_u16() == 403 => {
                CredentialsError::not_loaded("it answered 403: access is forbidden or disabled")
            }
            error if self.is_absent(&error) => CredentialsError::not_loaded(error),
            other => CredentialsError::provider_error(other),
        })?;
        let role = role.as_ref().trim();
        // https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
        let is_allowed = |c: char| c.is_ascii_alphanumeric() || "+=,.@_-".contains(c);
        if role.is_empty() || !role.chars().all(is_allowed) {
            return Err(CredentialsError::provider_error(
                "the metadata service returned an invalid role name",
            ));
        }
        let provider = ImdsCredentialsProvider::builder()
            .configure(&self.config.clone().with_time_source(LongAgo))
            .imds_client(client)
            .profile(role);
        provider.build().provide_credentials().await
    }

    /// Whether no metadata service answered, or only one that is disabled.
    fn is_absent(&self, error: &ImdsError) -> bool {
        let Some(error) = StdError::source(error) else {
            return false;
        };
        match error.downcast_ref::<SdkError<TokenError, HttpResponse>>() {
            Some(error @ SdkError::DispatchFailure(failure)) => {
                failure.is_user() || failure.is_timeout() || is_unreachable(error)
            }
            Some(SdkError::TimeoutError(_)) => self.timeout.is_some(),
            Some(SdkError::ResponseError(answer)) => answer.raw().status().as_u16() == 403,
            Some(SdkError::ServiceError(answer)) => answer.raw().status().as_u16() == 403,
            _ => false,
        }
    }

    /// Makes a client that stops after one second, the SDK's default, if it cannot connect. Once
    /// connected, only the caller's bound limits the wait: the client's own timeouts are longer,
    /// unless the user has set one.
    fn client(&self) -> std::result::Result<Client, CredentialsError> {
        let beyond = self.bound.saturating_mul(2);
        let mut client = Client::builder()
            .configure(&self.config)
            .endpoint(&self.endpoint)
            .map_err(CredentialsError::invalid_configuration)?
            .read_timeout(self.timeout.unwrap_or(beyond))
            .operation_attempt_timeout(beyond)
            .operation_timeout(beyond);
        if let Some(timeout) = self.timeout {
            client = client.connect_timeout(timeout);
        }
        if let Some(attempts) = self.attempts {
            client = client.max_attempts(attempts);
        }
        Ok(client.build())
    }
}

/// Returns the configured URL of the service, or AWS's own.
fn endpoint(settings: &Settings<'_>) -> std::result::Result<String, Error> {
    let (variable, setting) = (
        "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE",
        "ec2_metadata_service_endpoint_mode",
    );
    let address = match settings.said(variable, setting)? {
        None => "http://169.254.169.254",
        Some(said) => match said.text.to_ascii_lowercase().as_str() {
            "ipv4" => "http://169.254.169.254",
            "ipv6" => "http://[fd00:ec2::254]",
            _ => {
                let problem = format!("{} is not a mode", quoted(&said.text));
                return Err(said.wrong(&format!("{problem}; accepted: IPv4, IPv6")));
            }
        },
    };
    let (variable, setting) = (
        "AWS_EC2_METADATA_SERVICE_ENDPOINT",
        "ec2_metadata_service_endpoint",
    );
    match settings.said(variable, setting)? {
        None => Ok(address.to_owned()),
        Some(said) => check_url(&said).map(|()| said.text),
    }
}
