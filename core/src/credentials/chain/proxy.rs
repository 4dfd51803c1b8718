//! Chooses the proxy for a request as the AWS CLI does, and explains the proxy's failures.
//!
//! It reads HTTPS_PROXY, HTTP_PROXY and NO_PROXY in both cases, lower case first, but not
//! ALL_PROXY. An invalid proxy is an error; otherwise a request would silently bypass it. No
//! message shows the proxy's user or password.

use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_runtime_api::client::result::ConnectorError;
use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, percent_encode};

use super::failure::Told;
use crate::credentials::environment;
use crate::message::quoted;

const WRONG_USER: &str = "answered 407: the user or password is missing or wrong";

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
    /// Returns the proxy for a request to this URL, or `None` for a direct connection.
    pub(super) fn of(uri: &str) -> Result<Option<Self>, Told> {
        Self::from(uri, &environment::variable)
    }

    fn from(uri: &str, variable: &dyn Fn(&str) -> Option<String>) -> Result<Option<Self>, Told> {
        let is_https = uri.starts_with("https:");
        // In a CGI program, HTTP_PROXY is the header `Proxy:`, which any client can send.
        let names: &[&'static str] = match (is_https, variable("REQUEST_METHOD")) {
            (true, _) => &["https_proxy", "HTTPS_PROXY"],
            (false, None) => &["http_proxy", "HTTP_PROXY"],
            // The names of Windows's variables have no case.
            (false, Some(_)) if cfg!(windows) => &[],
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
        // A password may contain an unescaped @ or /.
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
                 USER:PASSWORD@ before the host if the proxy requires them"
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

    /// Explains a request through this proxy that got no answer.
    pub(super) fn waiting(&self) -> String {
        format!(
            "The request went through the proxy {} of {}",
            self.host, self.variable
        )
    }

    /// Names the proxy in the error if the proxy is what failed.
    pub(super) fn explain(&self, error: ConnectorError, is_https: bool) -> ConnectorError {
        let texts = chain_of(&error);
        let says = |text: &str| texts.iter().any(|said| said.contains(text));
        let is_timeout = error.is_timeout();
        let problem = if says("proxy authorization required") {
            WRONG_USER.to_owned()
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

    /// Returns the error for a proxy that answered an unencrypted request with status 407.
    pub(super) fn refuses_user(&self) -> Told {
        Told(self.says(WRONG_USER))
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

/// Returns the host and port of a URL.
fn authority(uri: &str) -> &str {
    let (_, rest) = uri.split_once("://").unwrap_or(("", uri));
    rest.split(['/', '?', '#']).next().unwrap_or_default()
}

/// Whether NO_PROXY names a host, by the rules of Python's urllib. An entry is a host, a parent
/// domain, or either with a port. `*` alone matches all hosts.
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
    fn the_scheme_selects_the_variable_in_both_cases() {
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
    fn a_cgi_program_ignores_http_proxy() {
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
