//! The sources that take files, processes or a network: the AWS SDK's own providers, in the
//! order of its default chain.
//!
//! They are asked one by one, so that a search that ends with nothing can say why each had none,
//! and one that succeeds can say what came before. The environment is not asked again here.

mod fork;
mod http;
mod instance;
mod runtime;

use std::error::Error as StdError;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use aws_config::BehaviorVersion;
use aws_config::ecs::EcsCredentialsProvider;
use aws_config::imds::client::error::ImdsError;
use aws_config::meta::region::ProvideRegion;
use aws_config::profile::{ProfileFileCredentialsProvider, ProfileFileRegionProvider};
use aws_config::provider_config::ProviderConfig;
use aws_config::sts::AssumeRoleProvider;
use aws_config::web_identity_token::WebIdentityTokenCredentialsProvider;
use aws_credential_types::Credentials;
use aws_credential_types::provider::{ProvideCredentials, error::CredentialsError};
use aws_types::region::Region;

use self::http::LazyHttpClient;
use self::instance::InstanceMetadata;
use self::runtime::block_on;
use super::environment::{self, region_of_environment};
use super::source::{Found, Role, Tried, not_found};
use crate::error::{Error, ErrorCode};
use crate::limits::DEFAULT_CREDENTIALS_TIMEOUT;

const WEB_IDENTITY: &str = "AWS_WEB_IDENTITY_TOKEN_FILE";

/// What comes after the environment, in the order of aws-config's default chain.
const AFTER_ENVIRONMENT: [Step; 4] = [
    Step::Profile,
    Step::WebIdentity,
    Step::Container,
    Step::InstanceMetadata,
];

#[derive(Clone, Copy, Debug, PartialEq)]
enum Step {
    Profile,
    WebIdentity,
    Container,
    InstanceMetadata,
}

impl Step {
    fn name(self) -> &'static str {
        match self {
            Self::Profile => "profile",
            Self::WebIdentity => "web identity",
            Self::Container => "container",
            Self::InstanceMetadata => "instance metadata",
        }
    }

    async fn ask(
        self,
        config: &ProviderConfig,
        bound: Duration,
    ) -> Result<Credentials, CredentialsError> {
        match self {
            Self::Profile => ask_profile(config, None, bound).await,
            // Without this variable there is none, and a client of STS need not be made to say so.
            Self::WebIdentity if environment::variable(WEB_IDENTITY).is_none() => Err(
                CredentialsError::not_loaded(format!("{WEB_IDENTITY} is not set")),
            ),
            Self::WebIdentity => {
                let provider = WebIdentityTokenCredentialsProvider::builder().configure(config);
                provider.build().provide_credentials().await
            }
            Self::Container => {
                let provider = EcsCredentialsProvider::builder().configure(config);
                provider.build().provide_credentials().await
            }
            Self::InstanceMetadata => {
                let provider = InstanceMetadata::new(config, bound);
                provider.provide_credentials().await
            }
        }
    }
}

async fn ask_profile(
    config: &ProviderConfig,
    name: Option<&str>,
    bound: Duration,
) -> Result<Credentials, CredentialsError> {
    let provider = ProfileFileCredentialsProvider::builder().configure(config);
    let provider = match name {
        // The SDK's own provider alone knows which address of the service this profile names.
        Some(name) => provider.profile_name(name),
        None => {
            let instance = InstanceMetadata::new(config, bound);
            provider.with_custom_provider("Ec2InstanceMetadata", instance)
        }
    };
    provider.build().provide_credentials().await
}

/// Searches the chain from the profile on; `tried` is what was looked at before.
pub(super) fn search(
    tried: Vec<Tried>,
    region: Option<&str>,
    bound: Duration,
) -> Result<Found, Error> {
    let progress = Mutex::new((tried, AFTER_ENVIRONMENT[0]));
    let at = |step| progress.lock().unwrap_or_else(PoisonError::into_inner).1 = step;
    let note = |tried| {
        let mut progress = progress.lock().unwrap_or_else(PoisonError::into_inner);
        progress.0.push(tried);
    };
    let outcome = block_on(bound, async {
        let config = config(None, region).await;
        for step in AFTER_ENVIRONMENT {
            at(step);
            match step.ask(&config, bound).await {
                Ok(credentials) => return Ok(Some((step, credentials))),
                Err(error @ CredentialsError::CredentialsNotLoaded(_)) => note(Tried {
                    source: step.name(),
                    reason: reason(&error),
                }),
                Err(error) => return Err(failed(step.name(), &error)),
            }
        }
        Ok(None)
    })?;
    let (tried, step) = progress
        .into_inner()
        .unwrap_or_else(PoisonError::into_inner);
    match outcome {
        None => Err(timed_out(step.name(), bound, &tried)),
        Some(Err(error)) => Err(error),
        Some(Ok(None)) => Err(not_found(&tried)),
        Some(Ok(Some((step, credentials)))) => Ok(Found {
            source: step.name(),
            credentials,
            tried,
        }),
    }
}

/// Asks one profile by name: it should have keys, so having none is a failure.
pub(super) fn profile(name: &str, region: Option<&str>, bound: Duration) -> Result<Found, Error> {
    let source = Step::Profile.name();
    let outcome = block_on(bound, async {
        let config = config(Some(name), region).await;
        ask_profile(&config, Some(name), bound).await
    })?;
    match outcome {
        None => Err(timed_out(source, bound, &[])),
        Some(Ok(credentials)) => Ok(Found::at_once(source, credentials)),
        Some(Err(error)) => Err(failed(&format!("profile {name:?}"), &error)),
    }
}

/// Assumes a role with the credentials that were found.
pub(super) fn assume(
    role: &Role,
    base: Found,
    profile: Option<&str>,
    region: Option<&str>,
    bound: Duration,
) -> Result<Found, Error> {
    let source = "role";
    let credentials = base.credentials.clone();
    let outcome = block_on(bound, async {
        let mut loader = aws_config::defaults(BehaviorVersion::latest())
            .http_client(LazyHttpClient::default())
            .region(sts_region(profile, region).await)
            .credentials_provider(credentials);
        if let Some(profile) = profile {
            loader = loader.profile_name(profile);
        }
        let session_name = role.session_name.as_deref().unwrap_or("rdsign");
        let mut provider = AssumeRoleProvider::builder(role.arn.as_str())
            .session_name(session_name)
            .configure(&loader.load().await);
        if let Some(external_id) = &role.external_id {
            provider = provider.external_id(external_id);
        }
        provider.build().await.provide_credentials().await
    })?;
    match outcome {
        None => Err(timed_out(source, bound, &base.tried)),
        Some(Ok(credentials)) => Ok(Found {
            source,
            credentials,
            ..base
        }),
        Some(Err(error)) => Err(failed(&format!("role {:?}", role.arn), &error)),
    }
}

/// The region that a profile names, where it names one: the last resort for a Signer's region.
pub(crate) fn region_of_profile(profile: Option<&str>) -> Result<Option<String>, Error> {
    let region = block_on(DEFAULT_CREDENTIALS_TIMEOUT, profile_region(profile))?;
    Ok(region.flatten().map(|region| region.to_string()))
}

async fn profile_region(profile: Option<&str>) -> Option<Region> {
    let mut provider = ProfileFileRegionProvider::builder();
    if let Some(profile) = profile {
        provider = provider.profile_name(profile);
    }
    provider.build().region().await
}

/// Where STS and SSO are asked: as for the AWS SDKs the environment's region or the profile's,
/// and without either the database's own.
async fn sts_region(profile: Option<&str>, region: Option<&str>) -> Option<Region> {
    if let Some((_, region)) = region_of_environment() {
        return Some(Region::new(region));
    }
    let of_profile = profile_region(profile).await;
    of_profile.or_else(|| region.map(|region| Region::new(region.to_owned())))
}

async fn config(profile: Option<&str>, region: Option<&str>) -> ProviderConfig {
    ProviderConfig::default()
        .with_behavior_version(Some(BehaviorVersion::latest()))
        .with_http_client(LazyHttpClient::default())
        .with_region(sts_region(profile, region).await)
}

fn failed(source: &str, error: &CredentialsError) -> Error {
    let code = match error {
        CredentialsError::ProviderTimedOut(_) => ErrorCode::CredentialsTimeout,
        _ => ErrorCode::CredentialsFailed,
    };
    Error::new(code, format!("credentials: {source}: {}", reason(error)))
}

fn timed_out(source: &str, bound: Duration, tried: &[Tried]) -> Error {
    let mut message = format!(
        "credentials: {source} gave no answer within {:.1} s.",
        bound.as_secs_f64()
    );
    if !tried.is_empty() {
        message.push_str(" Tried before:");
    }
    for Tried { source, reason } in tried {
        message.push_str(&format!(" {source}: {reason}."));
    }
    Error::new(ErrorCode::CredentialsTimeout, message)
}

/// What an error of the SDK says, from the outside in. Its outermost words only name the kind.
fn reason(error: &CredentialsError) -> String {
    let mut said: Vec<String> = Vec::new();
    let mut source = StdError::source(error);
    while let Some(cause) = source {
        let text = match cause.downcast_ref() {
            // Its own words quote the whole answer.
            Some(ImdsError::ErrorResponse(answer)) => {
                format!(
                    "the answer's status is {}",
                    answer.response().status().as_u16()
                )
            }
            _ => cause.to_string(),
        };
        // Many wrap the text of their cause in their own.
        if !said.iter().any(|before| before.contains(&text)) {
            said.push(text);
        }
        source = cause.source();
    }
    if said.is_empty() {
        said.push("has none".to_owned());
    }
    said.join(": ").replace('\n', " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_order_is_that_of_aws_config_s_default_chain() {
        let theirs = aws_config::default_provider::credentials::DefaultCredentialsChain::builder()
            .configure(ProviderConfig::default().with_http_client(LazyHttpClient::default()))
            .region(Region::from_static("us-east-1"))
            .build()
            .await;
        let theirs = format!("{theirs:?}");
        let expected = "[\"Environment\", \"Profile\", \"WebIdentityToken\", \"EcsContainer\", \
                        \"Ec2InstanceMetadata\"]";
        assert!(theirs.contains(expected), "{theirs}");
        let ours = AFTER_ENVIRONMENT.map(Step::name);
        assert_eq!(
            ours,
            ["profile", "web identity", "container", "instance metadata"]
        );
    }
}
