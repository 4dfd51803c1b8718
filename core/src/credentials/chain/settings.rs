//! Reads the settings for calls to AWS: region, endpoint, FIPS, retries.
//!
//! They are read before a client is made, because the AWS SDK's own reader panics on an empty
//! endpoint and on `retry_mode = legacy`. A variable takes precedence over the profile's setting,
//! and an empty one counts as unset. An invalid value is an error if the AWS CLI rejects it too,
//! and only when a call needs it.

use aws_config::identity::IdentityCache;
use aws_config::retry::RetryConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};

use super::http::LazyHttpClient;
use super::roots::CaBundle;
use crate::credentials::environment::{self, region_of_environment};
use crate::credentials::files::{Profile, Value};
use crate::credentials::source::RegionHint;
use crate::error::{Error, ErrorCode};
use crate::message::quoted;
use crate::names::region_problem;

/// The settings of one fetch.
pub(super) struct Settings<'a> {
    pub(super) profile: Option<Profile<'a>>,
    pub(super) region: Option<&'a RegionHint>,
    pub(super) http: LazyHttpClient,
}

/// A service that returns credentials. Its variable and its settings block are named after it.
#[derive(Clone, Copy)]
pub(super) enum Service {
    Sts,
    Sso,
    SsoOidc,
    Signin,
}

/// A value and its origin, which messages name.
pub(super) struct Said<'a> {
    pub(super) text: String,
    from: From<'a>,
}

enum From<'a> {
    Option(&'static str),
    Variable(String),
    Setting(Profile<'a>, Value<'a>),
}

impl Said<'_> {
    pub(super) fn wrong(&self, problem: &str) -> Error {
        let field: &str = match &self.from {
            From::Setting(profile, value) => return profile.wrong(value, problem),
            From::Option(field) => field,
            From::Variable(name) => name,
        };
        let message = format!("credentials: {field}: {problem}");
        Error::new(ErrorCode::CredentialsFailed, message)
    }

    fn is_true(&self) -> bool {
        self.text.eq_ignore_ascii_case("true")
    }
}

/// The regions in which `legacy` calls the global STS.
/// <https://docs.aws.amazon.com/sdkref/latest/guide/feature-sts-regionalized-endpoints.html>
const LEGACY_GLOBAL: [&str; 15] = [
    "ap-northeast-1",
    "ap-south-1",
    "ap-southeast-1",
    "ap-southeast-2",
    "ca-central-1",
    "eu-central-1",
    "eu-north-1",
    "eu-west-1",
    "eu-west-2",
    "eu-west-3",
    "sa-east-1",
    "us-east-1",
    "us-east-2",
    "us-west-1",
    "us-west-2",
];

impl Service {
    fn names(self) -> (&'static str, &'static str) {
        match self {
            Self::Sts => ("AWS_ENDPOINT_URL_STS", "sts"),
            Self::Sso => ("AWS_ENDPOINT_URL_SSO", "sso"),
            Self::SsoOidc => ("AWS_ENDPOINT_URL_SSO_OIDC", "sso_oidc"),
            Self::Signin => ("AWS_ENDPOINT_URL_SIGNIN", "signin"),
        }
    }

    /// Returns the name of the field that has the region.
    fn region_name(self) -> &'static str {
        match self {
            Self::Sts => "region",
            Self::Sso | Self::SsoOidc => "sso_region",
            Self::Signin => "signInRegion",
        }
    }
}

impl<'a> Settings<'a> {
    /// Returns the value of a variable, or else of the profile's setting.
    pub(super) fn said(&self, variable: &str, setting: &str) -> Result<Option<Said<'a>>, Error> {
        match environment::variable(variable) {
            Some(text) => Ok(Some(Said {
                text,
                from: From::Variable(variable.to_owned()),
            })),
            None => self.of_profile(setting),
        }
    }

    fn of_profile(&self, setting: &str) -> Result<Option<Said<'a>>, Error> {
        let Some(profile) = self.profile else {
            return Ok(None);
        };
        Ok(profile.get(setting)?.map(|value| Said {
            text: value.word().to_owned(),
            from: From::Setting(profile, value),
        }))
    }

    fn is_on(&self, variable: &str, setting: &str) -> Result<bool, Error> {
        Ok(self
            .said(variable, setting)?
            .is_some_and(|said| said.is_true()))
    }

    /// Returns an integer of at least 1.
    pub(super) fn number(&self, variable: &str, setting: &str) -> Result<Option<u32>, Error> {
        let Some(said) = self.said(variable, setting)? else {
            return Ok(None);
        };
        match said.text.trim().parse() {
            Ok(number) if number > 0 => Ok(Some(number)),
            _ => {
                let problem = format!(
                    "{} is not a number; accepted: 1 or more",
                    quoted(&said.text)
                );
                Err(said.wrong(&problem))
            }
        }
    }

    /// Returns the HTTP client, which also trusts the configured CA bundle.
    pub(super) fn http(&self) -> Result<LazyHttpClient, Error> {
        let (variable, setting) = ("AWS_CA_BUNDLE", "ca_bundle");
        if let Some(said) = self.said(variable, setting)? {
            let named_by = match said.from {
                From::Setting(..) => setting,
                _ => variable,
            };
            let path = said.text;
            self.http.trust(CaBundle { named_by, path });
        }
        Ok(self.http.clone())
    }

    /// Returns the first region of: the option, the environment, the profile, the database.
    pub(super) fn region(&self) -> Result<Option<String>, Error> {
        let said = match (self.region, region_of_environment()) {
            (Some(RegionHint::Given(region)), _) => Said {
                text: region.clone(),
                from: From::Option("region"),
            },
            (_, Some((variable, text))) => Said {
                text,
                from: From::Variable(variable.to_owned()),
            },
            (hint, None) => match (self.of_profile("region")?, hint) {
                (Some(said), _) => said,
                (None, Some(RegionHint::Given(region) | RegionHint::Database(region))) => {
                    return Ok(Some(region.clone()));
                }
                (None, None) => return Ok(None),
            },
        };
        match region_problem(&said.text) {
            None => Ok(Some(said.text)),
            Some(problem) => Err(said.wrong(&problem)),
        }
    }

    /// Returns the endpoint URL that is configured for a service.
    fn endpoint(&self, service: Service) -> Result<Option<String>, Error> {
        let ignore = (
            "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
            "ignore_configured_endpoint_urls",
        );
        if self.is_on(ignore.0, ignore.1)? {
            return Ok(None);
        }
        let (variable, name) = service.names();
        let of_variable = [variable, "AWS_ENDPOINT_URL"]
            .into_iter()
            .find_map(|variable| {
                Some(Said {
                    text: environment::variable(variable)?,
                    from: From::Variable(variable.to_owned()),
                })
            });
        let said = match (of_variable, self.profile) {
            (Some(said), _) => Some(said),
            (None, None) => None,
            (None, Some(profile)) => match profile.service_endpoint(name)? {
                Some((url, value)) => Some(Said {
                    text: url.to_string(),
                    from: From::Setting(profile, value),
                }),
                None => self.of_profile("endpoint_url")?,
            },
        };
        said.map(|said| check_url(&said).map(|()| said.text))
            .transpose()
    }

    /// Whether the user has set how often AWS is asked.
    pub(super) fn limits_attempts(&self) -> bool {
        matches!(self.attempts(), Ok(Some(_)))
    }

    fn attempts(&self) -> Result<Option<u32>, Error> {
        self.number("AWS_MAX_ATTEMPTS", "max_attempts")
    }

    pub(super) fn retries(&self) -> Result<RetryConfig, Error> {
        // The modes differ only in when they retry, so all three use `standard`.
        if let Some(said) = self.said("AWS_RETRY_MODE", "retry_mode")?
            && !["legacy", "standard", "adaptive"].contains(&said.text.as_str())
        {
            let problem = format!("{} is not a retry mode", quoted(&said.text));
            return Err(said.wrong(&format!("{problem}; accepted: legacy, standard, adaptive")));
        }
        let retries = RetryConfig::standard();
        Ok(match self.attempts()? {
            Some(attempts) => retries.with_max_attempts(attempts),
            None => retries,
        })
    }

    /// Returns the configuration of an STS client.
    pub(super) fn sts(&self) -> Result<SdkConfig, Error> {
        let regional = self.said("AWS_STS_REGIONAL_ENDPOINTS", "sts_regional_endpoints")?;
        let legacy = match &regional {
            Some(said) if said.text == "legacy" => true,
            Some(said) if said.text != "regional" => {
                let problem = format!(
                    "{} is not a mode; accepted: legacy, regional",
                    quoted(&said.text)
                );
                return Err(said.wrong(&problem));
            }
            _ => false,
        };
        let config = self.client(Service::Sts, self.region()?)?;
        let region = config.region().map(Region::as_ref);
        let is_global = match region {
            None => true,
            Some(region) => legacy && LEGACY_GLOBAL.contains(&region),
        };
        let has_variant = config.use_fips() == Some(true) || config.use_dual_stack() == Some(true);
        if !is_global || (has_variant && region.is_some()) {
            return Ok(config);
        }
        // The global STS, which the AWS CLI calls without a region. Its requests are signed for
        // us-east-1.
        let endpoint = config
            .endpoint_url()
            .unwrap_or("https://sts.amazonaws.com")
            .to_owned();
        let config = config
            .into_builder()
            .region(Region::from_static("us-east-1"));
        Ok(config.endpoint_url(endpoint).build())
    }

    /// Returns the configuration of a service's client.
    pub(super) fn client(
        &self,
        service: Service,
        region: Option<String>,
    ) -> Result<SdkConfig, Error> {
        // The region becomes a part of the host name.
        if let Some(problem) = region.as_deref().and_then(region_problem) {
            let message = format!("credentials: {}: {problem}", service.region_name());
            return Err(Error::new(ErrorCode::CredentialsFailed, message));
        }
        // A configured endpoint replaces the FIPS and dual-stack ones too, as in the AWS CLI.
        let endpoint = self.endpoint(service)?;
        let variant = |variable, setting| -> Result<bool, Error> {
            Ok(endpoint.is_none() && self.is_on(variable, setting)?)
        };
        let fips = variant("AWS_USE_FIPS_ENDPOINT", "use_fips_endpoint")?;
        // An older way to ask for FIPS, which the AWS CLI still reads: `fips-us-east-1`.
        let plain = region.as_deref().and_then(|region| {
            let start = region.strip_prefix("fips-");
            start.or_else(|| region.strip_suffix("-fips"))
        });
        let fips = fips || (plain.is_some() && endpoint.is_none());
        let region = plain.map(str::to_owned).or_else(|| region.clone());
        let dual_stack = variant("AWS_USE_DUALSTACK_ENDPOINT", "use_dualstack_endpoint")?;
        let mut config = SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .http_client(self.http()?)
            .identity_cache(IdentityCache::no_cache())
            .region(region.map(Region::new))
            .retry_config(self.retries()?)
            .use_fips(fips)
            .use_dual_stack(dual_stack);
        config.set_endpoint_url(endpoint);
        Ok(config.build())
    }
}

/// Rejects a URL that would make the AWS SDK fail during a call.
pub(super) fn check_url(said: &Said<'_>) -> Result<(), Error> {
    let url: Result<http::Uri, _> = said.text.parse();
    let fits = url.is_ok_and(|url| {
        let scheme = url
            .scheme_str()
            .is_some_and(|s| s == "http" || s == "https");
        scheme && url.host().is_some_and(|host| !host.is_empty())
    });
    if fits {
        return Ok(());
    }
    // The part before an @ may be a password.
    let shown = match said.text.contains('@') {
        true => "it".to_owned(),
        false => quoted(&said.text),
    };
    Err(said.wrong(&format!(
        "{shown} is not an address; accepted: https://… or http://…"
    )))
}
