//! The proxy that a request goes through, as the AWS CLI chooses it, and what its failures mean.
//!
//! HTTPS_PROXY, HTTP_PROXY and NO_PROXY count in both cases, lower case first; ALL_PROXY does not.
//! A variable that names no proxy is an error: without one, a request would silently go another way
//! than its user wants. No message shows the user or the password.

use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_runtime_api::client::result::ConnectorError;
use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, percent_encode};

use super::failure::Told;
use crate::credentials::environment;
use crate::message::quoted;

/// A proxy, and the variable that names it.
#[derive(Clone, Debug)]
pub(super) struct Proxy {
    pub(super) config: ProxyConfig,
    pub(super) variable: &'static str,
    pub(super) needs_tls: bool,
    /// Host and port, without user and password.
    host: String,
}

impl Proxy {
    /// The proxy for a request to this address; `None` if it goes there directly.
    pub(super) fn of(uri: &str) -> Result<Option<Self>, Told> {
        Self::from(uri, &environment::variable)
    }

    fn from(uri: &str, variable: &dyn Fn(&str) -> Option<String>) -> Result<Option<Self>, Told> {
        let is_https = uri.starts_with("https:");
        // A server that runs CGI programs sets HTTP_PROXY to a header of the request, `Proxy:`.
        let names: &[&'static str] = match (is_https, variable("REQUEST_METHOD")) {
            (true, _) => &["https_proxy", "HTTPS_PROXY"],
            (false, None) => &["http_proxy", "HTTP_PROXY"],
            (false, Some(_)) => &["http_proxy"],
        };
        let set = names.iter().find_map(|name| Some((*name, variable(name)?)));
        let Some((name, value)) = set else {
            return Ok(None);
        };
        let exceptions = variable("no_proxy").or_else(|| variable("NO_PROXY"));
        if exceptions.is_some_and(|exceptions| is_excepted(authority(uri), &exceptions)) {
            return Ok(None);
        }
        Self::read(name, value.trim()).map(Some)
    }

    fn read(variable: &'static str, value: &str) -> Result<Self, Told> {
        let (scheme, rest) = value.split_once("://").unwrap_or(("http", value));
        let rest = rest.strip_prefix("//").unwrap_or(rest);
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        // A password may hold an @ or a / that is not escaped.
        let (user, host) = match rest.rsplit_once('@') {
            Some((user, after)) => {
                let host = after.split(['/', '?', '#']).next().unwrap_or_default();
                (Some(user), host)
            }
            None => (None, authority),
        };
        let refuse = |problem: String| {
            Told(format!(
                "{variable}: {problem}; accepted: http://HOST:PORT or https://HOST:PORT, with \
                 USER:PASSWORD@ before the host if the proxy wants them"
            ))
        };
        if !matches!(scheme, "http" | "https") {
            let scheme = quoted(scheme);
            return Err(refuse(format!(
                "the proxy {host} has the scheme {scheme}, which is not supported"
            )));
        }
        let user = user.map_or_else(String::new, |user| {
            let escape = |text: &str| {
                let text = percent_decode_str(text).collect::<Vec<u8>>();
                percent_encode(&text, NON_ALPHANUMERIC).to_string()
            };
            match user.split_once(':') {
                Some((name, password)) => format!("{}:{}@", escape(name), escape(password)),
                None => format!("{}@", escape(user)),
            }
        });
        let url = format!("{scheme}://{user}{host}/");
        let config = ProxyConfig::all(url)
            .map_err(|_| refuse(format!("{} is not a proxy's host", quoted(host))))?;
        Ok(Self {
            config,
            variable,
            needs_tls: scheme == "https",
            host: host.to_owned(),
        })
    }

    /// What a request through it waits for.
    pub(super) fn waiting(&self) -> String {
        format!(
            "It was asked through the proxy {} of {}",
            self.host, self.variable
        )
    }

    /// Names the proxy where it is what failed.
    pub(super) fn explain(&self, error: ConnectorError, is_https: bool) -> ConnectorError {
        let texts = chain_of(&error);
        let says = |text: &str| texts.iter().any(|said| said.contains(text));
        let is_timeout = error.is_timeout();
        let problem = if says("proxy authorization required") {
            "answered 407: it wants a user and a password, or others than these".to_owned()
        } else if says("tunnel error: unsuccessful") {
            "refused to connect to AWS".to_owned()
        } else if says("tunnel error") || is_timeout || !is_https {
            let cause = texts.last().map(String::as_str).unwrap_or_default();
            format!("cannot be reached or did not answer: {cause}")
        } else {
            return error;
        };
        let told = Told(self.says(&problem)).into();
        match is_timeout {
            true => ConnectorError::timeout(told),
            false => ConnectorError::user(told),
        }
    }

    /// Its refusal to pass on a request that is not encrypted.
    pub(super) fn refuses_user(&self) -> Told {
        Told(self.says("answered 407: it wants a user and a password, or others than these"))
    }

    fn says(&self, problem: &str) -> String {
        format!("{}: the proxy {} {problem}", self.variable, self.host)
    }
}

fn chain_of(error: &ConnectorError) -> Vec<String> {
    let mut texts = Vec::new();
    let mut cause: Option<&dyn std::error::Error> = Some(error);
    while let Some(error) = cause {
        texts.push(error.to_string());
        cause = error.source();
    }
    texts
}

/// Host and port of an address.
fn authority(uri: &str) -> &str {
    let (_, rest) = uri.split_once("://").unwrap_or(("", uri));
    rest.split(['/', '?', '#']).next().unwrap_or_default()
}

/// Whether NO_PROXY names a host, as Python's urllib reads it: by itself, by a domain above it, or
/// with its port. `*` alone names all.
fn is_excepted(authority: &str, exceptions: &str) -> bool {
    let authority = authority.to_ascii_lowercase();
    let host = match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|b| b.is_ascii_digit()) => host,
        _ => &authority,
    };
    if exceptions.trim() == "*" {
        return true;
    }
    exceptions.split(',').any(|name| {
        let name = name.trim().trim_start_matches('.').to_ascii_lowercase();
        let is_below = |text: &str| {
            text.strip_suffix(&name)
                .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
        };
        !name.is_empty() && (is_below(host) || is_below(&authority))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const STS: &str = "https://sts.eu-west-1.amazonaws.com/";

    fn proxy(uri: &str, variables: &[(&str, &str)]) -> Result<Option<Proxy>, String> {
        let variable = |name: &str| {
            let found = variables.iter().find(|(key, _)| *key == name);
            found.map(|(_, value)| (*value).to_owned())
        };
        Proxy::from(uri, &variable).map_err(|Told(text)| text)
    }

    fn host(uri: &str, variables: &[(&str, &str)]) -> Option<String> {
        proxy(uri, variables).unwrap().map(|proxy| proxy.host)
    }

    #[test]
    fn the_variable_is_that_of_the_address_s_scheme_in_both_cases() {
        let variables = [
            ("HTTPS_PROXY", "http://upper:1"),
            ("http_proxy", "http://plain:2"),
            ("ALL_PROXY", "http://all:3"),
        ];
        assert_eq!(host(STS, &variables).as_deref(), Some("upper:1"));
        assert_eq!(host("http://h/", &variables).as_deref(), Some("plain:2"));
        assert_eq!(host(STS, &variables[1..]), None);
        let both = [
            ("HTTPS_PROXY", "http://upper:1"),
            ("https_proxy", "lower:2"),
        ];
        assert_eq!(host(STS, &both).as_deref(), Some("lower:2"));
    }

    #[test]
    fn a_cgi_program_s_http_proxy_is_its_client_s() {
        let variables = [("HTTP_PROXY", "http://evil:1"), ("REQUEST_METHOD", "GET")];
        assert_eq!(host("http://h/", &variables), None);
    }

    #[test]
    fn no_proxy_names_hosts_domains_and_ports() {
        for (exceptions, excepted) in [
            ("*", true),
            ("amazonaws.com", true),
            (".amazonaws.com", true),
            ("other, STS.eu-west-1.amazonaws.com", true),
            ("sts.eu-west-1.amazonaws.com:8443", true),
            ("sts.eu-west-1.amazonaws.com:443", false),
            ("aws.com", false),
            ("other", false),
            (" , ", false),
        ] {
            let uri = "https://sts.eu-west-1.amazonaws.com:8443/";
            let variables = [("HTTPS_PROXY", "http://p:1"), ("NO_PROXY", exceptions)];
            assert_eq!(host(uri, &variables).is_none(), excepted, "{exceptions}");
        }
    }

    #[test]
    fn user_and_password_are_never_shown() {
        for value in [
            "http://user:p@ss/wo%72d@proxy.corp:3128/",
            "user:p@ssword@proxy.corp:3128",
            "https://user:p%40ss@proxy.corp:3128",
        ] {
            let variables = [("HTTPS_PROXY", value)];
            assert_eq!(
                host(STS, &variables).as_deref(),
                Some("proxy.corp:3128"),
                "{value}"
            );
        }
        let error = proxy(
            STS,
            &[("https_proxy", "socks5://user:pass@proxy.corp:1080")],
        );
        let error = error.unwrap_err();
        assert!(
            error.starts_with("https_proxy: the proxy proxy.corp:1080 has"),
            "{error}"
        );
        assert!(!error.contains("pass@"), "{error}");
        let error = proxy(STS, &[("HTTPS_PROXY", "http://user:pass@two words")]).unwrap_err();
        assert!(
            error.contains("is not a proxy's host") && !error.contains("pass@"),
            "{error}"
        );
    }
}
