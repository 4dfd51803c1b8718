//! Fetches keys from a container's credentials endpoint: ECS, EKS Pod Identity and others.
//!
//! The AWS SDK's provider is not used: it counts an empty variable as set, panics on a URL without
//! a scheme, and drops the text of a refusal.
//!
//! Source: <https://docs.aws.amazon.com/sdkref/latest/guide/feature-container-credentials.html>

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::Path;

use aws_credential_types::Credentials;
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_types::retry::RetryConfig;
use http::{HeaderValue, Uri};
use serde_json::{Map, Value};
use zeroize::Zeroizing;

use super::call::{self, Answer, Refusal};
use super::failure::{Failure, failed_with, is_passing, refusal_in_words};
use super::json;
use super::settings::Settings;
use crate::credentials::environment::variable;
use crate::credentials::files::{SMALL, read_regular};
use crate::message::quoted;
use crate::timestamp::parse_expiry;

const RELATIVE: &str = "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI";
const FULL: &str = "AWS_CONTAINER_CREDENTIALS_FULL_URI";
const TOKEN: &str = "AWS_CONTAINER_AUTHORIZATION_TOKEN";
const TOKEN_FILE: &str = "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE";

const ECS: &str = "http://169.254.170.2";
/// The addresses of ECS and EKS Pod Identity, accepted in addition to loopback.
const ALLOWED: [IpAddr; 3] = [
    IpAddr::V4(Ipv4Addr::new(169, 254, 170, 2)),
    IpAddr::V4(Ipv4Addr::new(169, 254, 170, 23)),
    IpAddr::V6(Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x23)),
];

pub(super) async fn credentials(
    settings: &Settings<'_>,
    whose: &str,
) -> Result<Credentials, Failure> {
    let fixed = |problem: String| Failure::Failed(failed_with(whose, &problem));
    let address = address(&variable).map_err(fixed)?;
    let authorization = authorization().map_err(fixed)?;
    let endpoint = format!(
        "{}://{}",
        address.scheme_str().unwrap_or_default(),
        address
            .authority()
            .map_or("", |authority| authority.as_str())
    );
    let path = address.path_and_query().map_or("/", |path| path.as_str());
    let path = path.to_owned();
    let request = move || {
        let mut request = HttpRequest::get(&path)?;
        request.headers_mut().insert("accept", "application/json");
        if let Some(authorization) = authorization.clone() {
            request.headers_mut().insert("authorization", authorization);
        }
        Ok(request)
    };
    // Unlike STS, this endpoint works with a setting that the AWS CLI rejects.
    let retries = settings
        .retries()
        .unwrap_or_else(|_| RetryConfig::standard());
    let answer = match call::send(settings.http()?, &endpoint, retries, request, |_| Ok(())).await {
        Ok(answer) => read(&answer, true),
        Err(Refusal::Answer(answer)) => read(&answer, false),
        Err(Refusal::None(reason, may_pass)) => Err((reason, may_pass)),
    };
    answer.map_err(|(problem, may_pass)| Failure::new(failed_with(whose, &problem), may_pass))
}

/// Returns the endpoint's URL. The relative one takes precedence, as in the AWS CLI.
fn address(variable: &dyn Fn(&str) -> Option<String>) -> Result<Uri, String> {
    let (name, text) = match (variable(RELATIVE), variable(FULL)) {
        (Some(path), _) => (RELATIVE, path),
        (None, full) => (FULL, full.unwrap_or_default()),
    };
    let refuse = |problem: &str, accepted: &str| {
        Err(format!(
            "{name}: {} {problem}; accepted: {accepted}",
            quoted(&text)
        ))
    };
    if name == RELATIVE {
        let address = format!("{ECS}{text}").parse();
        return match address {
            Ok(address) if text.starts_with('/') => Ok(address),
            _ => refuse("is not a path", "one that starts with /"),
        };
    }
    let accepted = "http:// with this machine's address or that of ECS or EKS, or https://";
    let Ok(address) = text.parse::<Uri>() else {
        return refuse("is not an address", accepted);
    };
    match (address.scheme_str(), address.host()) {
        (Some("https"), Some(_)) => Ok(address),
        (Some("http"), Some(host)) if is_allowed(host) => Ok(address),
        (Some("http"), Some(_)) => refuse("is the address of another machine", accepted),
        _ => refuse("is not an address", accepted),
    }
}

/// Whether plain http is allowed: only where keys cannot leave the machine.
fn is_allowed(host: &str) -> bool {
    let ip = host.trim_start_matches('[').trim_end_matches(']').parse();
    match ip {
        Ok(ip) => ALLOWED.contains(&ip) || ip.is_loopback(),
        Err(_) => host == "localhost",
    }
}

fn authorization() -> Result<Option<HeaderValue>, String> {
    let (name, token) = match (variable(TOKEN_FILE), variable(TOKEN)) {
        (Some(path), _) => {
            let token = read_regular(Path::new(&path), SMALL);
            let token =
                token.map_err(|error| format!("{TOKEN_FILE}: {}: {error}", quoted(&path)))?;
            (TOKEN_FILE, token)
        }
        (None, Some(token)) => (TOKEN, Zeroizing::new(token.into_bytes())),
        (None, None) => return Ok(None),
    };
    let mut header = HeaderValue::from_bytes(&token).map_err(|_| {
        format!("{name}: has a control character in it, such as a newline; accepted: one line")
    })?;
    header.set_sensitive(true);
    Ok(Some(header))
}

/// Returns the keys, or the problem and whether it may pass.
fn read(answer: &Answer, is_success: bool) -> Result<Credentials, (String, bool)> {
    let fields: Map<String, Value> = serde_json::from_slice(&answer.body).unwrap_or_default();
    let said = |names: [&str; 2]| names.iter().find_map(|name| fields.get(*name)?.as_str());
    let refusal = refusal_in_words(said(["Code", "code"]), said(["Message", "message"]));
    if !is_success {
        let colon = if refusal.is_empty() { "" } else { ": " };
        let problem = format!("{answer}{colon}{refusal}");
        return Err((problem, is_passing(answer.status)));
    }
    let code = said(["Code", "code"]).map(str::to_owned);
    keys(fields).map_err(|problem| match code {
        Some(code) if code != "Success" => (refusal, false),
        _ => (problem, true),
    })
}

fn keys(mut fields: Map<String, Value>) -> Result<Credentials, String> {
    if fields.is_empty() {
        return Err("the answer is not a JSON object".to_owned());
    }
    let id = json::filled(&mut fields, "AccessKeyId")?;
    let secret = json::filled(&mut fields, "SecretAccessKey")?;
    let session_token = json::required(&mut fields, "Token")?;
    let end = json::required(&mut fields, "Expiration")?;
    // The value may be a secret, so it is not quoted.
    let end = parse_expiry(&end, "Expiration");
    let end = end.map_err(|_| "Expiration: not a time; accepted: RFC 3339".to_owned())?;
    Ok(Credentials::new(
        id,
        secret,
        Some(session_token),
        Some(end),
        "container",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(relative: &str, full: &str) -> Result<String, String> {
        let variable = |name: &str| {
            let value = if name == RELATIVE { relative } else { full };
            (!value.is_empty()).then(|| value.to_owned())
        };
        address(&variable).map(|address| address.to_string())
    }

    #[test]
    fn a_full_uri_is_local_or_encrypted() {
        for full in [
            "http://127.0.0.1:80/x",
            "http://localhost/x",
            "http://[::1]/x",
            "http://169.254.170.23/v1/credentials",
            "http://[fd00:ec2::23]/v1/credentials",
            "https://keys.example/x",
        ] {
            assert_eq!(of("", full).as_deref(), Ok(full));
        }
        for full in [
            "http://192.0.2.1/x",
            "http://keys.example/x",
            "localhost",
            "::1",
            "a b",
            "ftp://[::1]/",
        ] {
            let error = of("", full).unwrap_err();
            assert!(
                error.starts_with(&format!("{FULL}: {full:?} is ")),
                "{error}"
            );
        }
    }

    #[test]
    fn a_relative_uri_is_a_path_at_ecs() {
        assert_eq!(
            of("/v2/x?id=1", "a b").unwrap(),
            "http://169.254.170.2/v2/x?id=1"
        );
        for path in ["v2", ".evil.example/", "@evil.example/", "/a b"] {
            let error = of(path, "").unwrap_err();
            assert!(
                error.starts_with(&format!("{RELATIVE}: {path:?} is not a path")),
                "{error}"
            );
        }
    }
}
