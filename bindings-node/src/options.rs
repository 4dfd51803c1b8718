//! The options of a Signer, as index.js passes them: of the right types, and otherwise unchanged. All
//! rules are core's.

use std::time::Duration;

use napi::Either;
use napi_derive::napi;
use rdsign::{Error, Number, RegionSource, SignerBuilder};

use crate::credentials::{Keys, Provider};

/// The fields of SignerOptions in index.d.ts.
#[napi(object, object_to_js = false)]
pub struct Options {
    pub hostname: Option<String>,
    pub port: Option<Either<f64, String>>,
    pub username: Option<String>,
    pub region: Option<String>,
    pub expires_in: Option<f64>,
    pub service: Option<String>,
    pub access_key_id: Option<String>,
    pub secret_access_key: Option<String>,
    pub session_token: Option<String>,
    pub credentials: Option<Keys>,
    /// Whether credentials come from a function, which JavaScript calls.
    pub has_provider: bool,
    pub profile: Option<String>,
    pub role_arn: Option<String>,
    pub external_id: Option<String>,
    pub role_session_name: Option<String>,
    /// Milliseconds.
    pub credentials_timeout: Option<f64>,
}

impl Options {
    pub(crate) fn into_builder(mut self, provider: Provider) -> Result<SignerBuilder, Error> {
        let mut builder = rdsign::Signer::builder();
        // Sets only the given options: the defaults are core's.
        macro_rules! set {
            ($($option:ident),*) => {$(
                if let Some(value) = self.$option {
                    builder = builder.$option(value);
                }
            )*};
        }
        set!(hostname, username, region, service);
        if let Some(port) = self.port {
            builder = builder.port(match port {
                Either::A(number) => number.into(),
                Either::B(text) => Number::parse(&text),
            });
        }
        // As in the AWS SDK's signer, a profile next to `credentials` is only for the region.
        if (self.credentials.is_some() || self.has_provider)
            && let Some(profile) = self.profile.take()
            && let (region, RegionSource::Profile) =
                builder.clone().profile(profile).target()?.region?
        {
            builder = builder.region(region.as_str());
        }
        set!(expires_in, access_key_id, secret_access_key, session_token);
        set!(profile, role_arn, external_id, role_session_name);
        if let Some(keys) = self.credentials {
            builder = builder.credentials(keys.into());
        }
        if self.has_provider {
            builder = builder.credentials_provider(move || provider.take());
        }
        if let Some(milliseconds) = self.credentials_timeout {
            // A negative or NaN timeout becomes 0, which core rejects.
            let timeout = Duration::try_from_secs_f64(milliseconds / 1e3).unwrap_or_default();
            builder = builder.credentials_timeout(timeout);
        }
        Ok(builder)
    }
}
