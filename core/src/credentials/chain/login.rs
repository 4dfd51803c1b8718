//! Reads and renews the keys of `aws login`, which opens a session in a browser.
//!
//! The keys are in a file of `~/.aws/login/cache`, named by the SHA-256 of the session. They expire
//! after fifteen minutes. A refresh token renews them, in a request signed with a key from the same
//! file (DPoP, <https://www.rfc-editor.org/rfc/rfc9449>). The AWS SDK's provider is not used: it
//! would add its own client and elliptic curves, which rustls already brings.

use std::env::home_dir;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::retry::RetryConfig;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::cached::{self, Cached, text_in, time_in};
use super::call::{self, Refusal};
use super::dpop::{DpopKey, hex};
use super::failure::{Failure, failed_with, in_shell, refusal_in_words};
use super::settings::{Service, Settings};
use crate::credentials::files::named_by;
use crate::error::Error;
use crate::names::partition_of;
use crate::timestamp::format_rfc3339;

/// How long before expiry to renew the keys.
const AHEAD: Duration = Duration::from_secs(300);
const PATH: &str = "/v1/token";
/// The fields of the file that a renewal needs.
const RENEWAL: [&str; 3] = ["refreshToken", "dpopKey", "clientId"];

/// AWS's hosts for people, by partition.
const HOSTS: [(&str, &str); 8] = [
    ("aws", "aws.amazon.com"),
    ("aws-cn", "amazonaws.cn"),
    ("aws-us-gov", "amazonaws-us-gov.com"),
    ("aws-iso", "c2shome.ic.gov"),
    ("aws-iso-b", "sc2shome.sgov.gov"),
    ("aws-iso-e", "csphome.adc-e.uk"),
    ("aws-iso-f", "csphome.hci.ic.gov"),
    ("aws-eusc", "amazonaws-eusc.eu"),
];

/// A session, and the profile that names it.
#[derive(Debug)]
pub(super) struct Login {
    pub(super) profile: String,
    pub(super) session: String,
}

impl Login {
    pub(super) async fn credentials(
        &self,
        settings: &Settings<'_>,
        whose: &str,
    ) -> Result<Credentials, Failure> {
        let advise = |problem: String| {
            let profile = in_shell(&self.profile);
            failed_with(
                whose,
                &format!("{problem}; run `aws login --profile {profile}`"),
            )
        };
        let path = self.path().map_err(advise)?;
        let shown = path.display();
        let damaged = |field: &str| advise(format!("{shown}: {field} is missing or invalid"));
        let read = || Cached::read(path.clone(), "AWS").map_err(advise);
        let cached = read()?;
        let (held, end) = self::held(&cached).map_err(damaged)?;
        if SystemTime::now() + AHEAD < end {
            return Ok(keys(held, end).map_err(damaged)?);
        }
        let _turn = cached::turn(&path).await;
        let cached = read()?;
        let (held, end) = self::held(&cached).map_err(damaged)?;
        let now = SystemTime::now();
        if now + AHEAD < end {
            return Ok(keys(held, end).map_err(damaged)?);
        }
        let problem = match self.renew(&cached, held, settings, now).await {
            Ok((fields, end)) => return Ok(keys(&fields, end).map_err(damaged)?),
            Err(problem) => problem,
        };
        // The AWS CLI may have renewed it meanwhile, and takes no turns.
        let cached = read()?;
        let (held, end) = self::held(&cached).map_err(damaged)?;
        if now < end {
            return Ok(keys(held, end).map_err(damaged)?);
        }
        match problem {
            Problem::Setting(error) => Err(error.into()),
            Problem::Field(field) => Err(damaged(field).into()),
            Problem::Refused(reason, may_pass) => {
                let end = format_rfc3339(end);
                let error = advise(format!(
                    "the login expired at {end}, and renewing it failed: {reason}"
                ));
                Err(Failure::new(error, may_pass))
            }
        }
    }

    fn path(&self) -> Result<PathBuf, String> {
        let folder = match named_by("AWS_LOGIN_CACHE_DIRECTORY") {
            Some(folder) => folder,
            None => home_dir()
                .ok_or("there is no home folder to read the AWS login from")?
                .join(".aws/login/cache"),
        };
        let hash = hex(&Sha256::digest(self.session.as_bytes()));
        Ok(folder.join(format!("{hash}.json")))
    }

    /// Fetches new keys and writes them to the file, because the refresh token works only once.
    async fn renew(
        &self,
        cached: &Cached,
        held: &Map<String, Value>,
        settings: &Settings<'_>,
        now: SystemTime,
    ) -> Result<(Map<String, Value>, SystemTime), Problem> {
        let field = |name| cached.text(name).ok_or(Problem::Field(name));
        let key = DpopKey::read(field("dpopKey")?).ok_or(Problem::Field("dpopKey"))?;
        let body = json!({
            "clientId": field("clientId")?,
            "grantType": "refresh_token",
            "refreshToken": field("refreshToken")?,
        });
        let region = cached.text("signInRegion").map(str::to_owned);
        let region = match region {
            None => settings.region().map_err(Problem::Setting)?,
            region => region,
        };
        let config = settings.client(Service::Signin, region);
        let config = config.map_err(Problem::Setting)?;
        let region = config.region().map(|region| region.as_ref());
        let endpoint = match (config.endpoint_url(), region) {
            (Some(endpoint), _) => endpoint.trim_end_matches('/').to_owned(),
            (None, Some(region)) => endpoint(
                region,
                config.use_fips() == Some(true),
                config.use_dual_stack() == Some(true),
            ),
            (None, None) => {
                let problem = "no region is set; set AWS_REGION, or region in the profile";
                return Err(Problem::Refused(problem.to_owned(), false));
            }
        };
        let url = format!("{endpoint}{PATH}");
        // A server may reject a proof that it has seen.
        let prove = move |request: &mut HttpRequest| {
            let proof = key.proof(&url, SystemTime::now());
            let proof = proof.ok_or("dpopKey cannot sign")?;
            request.headers_mut().insert("dpop", proof);
            Ok(())
        };
        let http = settings.http().map_err(Problem::Setting)?;
        let retries = config.retry_config().cloned();
        let retries = retries.unwrap_or_else(RetryConfig::standard);
        let body = Zeroizing::new(body.to_string());
        let request = move || {
            let mut request = HttpRequest::new(SdkBody::from(body.as_bytes()));
            request.set_method("POST")?;
            request.set_uri(PATH)?;
            request
                .headers_mut()
                .insert("content-type", "application/json");
            request
                .headers_mut()
                .insert("content-length", body.len().to_string());
            Ok(request)
        };
        let answer = call::send(http, &endpoint, retries, request, prove)
            .await
            .map_err(told)?;
        let incomplete = || Problem::Refused("the answer has no complete keys".to_owned(), true);
        let mut answer: Map<String, Value> =
            serde_json::from_slice(&answer.body).map_err(|_| incomplete())?;
        let Some(Value::Object(mut keys)) = answer.remove("accessToken") else {
            return Err(incomplete());
        };
        let seconds = answer.get("expiresIn").and_then(Value::as_u64);
        // A file has no notation for a time after the year 9999.
        let seconds = seconds.and_then(|seconds| u32::try_from(seconds).ok());
        let end = now + Duration::from_secs(seconds.ok_or_else(incomplete)?.into());
        keys.insert("expiresAt".to_owned(), format_rfc3339(end).into());
        if let Some(account) = held.get("accountId") {
            keys.insert("accountId".to_owned(), account.clone());
        }
        let mut fields = cached.fields.clone();
        fields.insert("accessToken".to_owned(), Value::Object(keys.clone()));
        if let Some(refresh) = answer.remove("refreshToken") {
            fields.insert("refreshToken".to_owned(), refresh);
        }
        cached.replace(&fields);
        Ok((keys, end))
    }
}

/// Returns the keys of a login and when they expire, or the field that is missing or invalid.
pub(super) fn held(cached: &Cached) -> Result<(&Map<String, Value>, SystemTime), &'static str> {
    // As in the AWS CLI, a login that cannot be renewed is an error, even if its keys are still
    // valid.
    if let Some(missing) = RENEWAL.into_iter().find(|name| cached.text(name).is_none()) {
        return Err(missing);
    }
    let held = cached.fields.get("accessToken").and_then(Value::as_object);
    let held = held.ok_or("accessToken")?;
    Ok((held, time_in(held, "expiresAt").ok_or("expiresAt")?))
}

/// Why the keys could not be renewed.
enum Problem {
    Setting(Error),
    /// A field of the file is missing or invalid.
    Field(&'static str),
    /// The reason, and whether it may pass.
    Refused(String, bool),
}

fn told(refusal: Refusal) -> Problem {
    let may_pass = refusal.may_pass();
    let reason = match refusal {
        Refusal::None(reason, _) => reason,
        Refusal::Answer(answer) => {
            let fields: Map<String, Value> =
                serde_json::from_slice(&answer.body).unwrap_or_default();
            let refusal = refusal_in_words(text_in(&fields, "error"), text_in(&fields, "message"));
            match refusal.is_empty() {
                true => answer.to_string(),
                false => refusal,
            }
        }
    };
    Problem::Refused(reason, may_pass)
}

pub(super) fn keys(
    fields: &Map<String, Value>,
    end: SystemTime,
) -> Result<Credentials, &'static str> {
    let text = |name| text_in(fields, name).map(str::to_owned).ok_or(name);
    Ok(Credentials::new(
        text("accessKeyId")?,
        text("secretAccessKey")?,
        Some(text("sessionToken")?),
        Some(end),
        "login",
    ))
}

/// Returns the URL of AWS Sign-In, by the endpoint rules of the AWS CLI.
fn endpoint(region: &str, fips: bool, dual_stack: bool) -> String {
    let partition = partition_of(region);
    let host = HOSTS.iter().find(|(name, _)| *name == partition);
    let host = host.map_or("aws.amazon.com", |(_, host)| host);
    let signin = if fips { "signin-fips" } else { "signin" };
    match (host, fips, dual_stack) {
        ("aws.amazon.com", _, true) => format!("https://{signin}.{region}.api.aws"),
        ("aws.amazon.com", true, false) => format!("https://{signin}.{region}.amazonaws.com"),
        ("amazonaws.cn", _, true) => {
            format!("https://{signin}.{region}.api.amazonwebservices.com.cn")
        }
        ("amazonaws-us-gov.com", true, false) if region == "us-gov-west-1" => {
            format!("https://{signin}.{host}")
        }
        ("amazonaws-us-gov.com", _, true) => format!("https://{signin}.{region}.api.aws"),
        _ => format!("https://{region}.{signin}.{host}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_endpoint_equals_the_aws_cli_s() {
        for (region, fips, dual_stack, host) in [
            ("us-east-2", false, false, "us-east-2.signin.aws.amazon.com"),
            (
                "us-east-2",
                true,
                false,
                "signin-fips.us-east-2.amazonaws.com",
            ),
            ("us-east-2", false, true, "signin.us-east-2.api.aws"),
            ("us-east-2", true, true, "signin-fips.us-east-2.api.aws"),
            ("cn-north-1", false, false, "cn-north-1.signin.amazonaws.cn"),
            (
                "us-gov-west-1",
                true,
                false,
                "signin-fips.amazonaws-us-gov.com",
            ),
            (
                "us-gov-east-1",
                true,
                false,
                "us-gov-east-1.signin-fips.amazonaws-us-gov.com",
            ),
            (
                "eusc-de-east-1",
                false,
                false,
                "eusc-de-east-1.signin.amazonaws-eusc.eu",
            ),
        ] {
            assert_eq!(
                endpoint(region, fips, dual_stack),
                format!("https://{host}")
            );
        }
    }
}
