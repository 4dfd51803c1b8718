//! Represents the database endpoint that a token is signed for: a host name and a port.
//!
//! A client may dial another address, such as a tunnel or a CNAME. The token still needs the host
//! name and port of the endpoint.

use std::fmt;

use super::hostname::{check_hostname, is_global, is_same_hostname, place_in};
use super::region::Region;
use super::service::Service;
use crate::error::{Error, ErrorCode};
use crate::limits::HTTPS_PORT;
use crate::message::quoted;
use crate::number::Number;

/// A valid host name and port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    hostname: String,
    port: u16,
}

impl Endpoint {
    /// Checks a host name and a port (1 to 65535).
    ///
    /// A host name has at most 253 characters: letters, digits, `-`, `_` and `.`. Its labels have 1
    /// to 63 characters, and it may end with a dot. It may also be an IPv6 address in brackets. The
    /// endpoint keeps the host name as given, because tokens print it unchanged.
    ///
    /// # Errors
    /// [`ErrorCode::InvalidHostname`] or [`ErrorCode::InvalidPort`], whichever applies first.
    pub fn new(hostname: impl Into<String>, port: impl Into<Number>) -> Result<Self, Error> {
        let hostname = hostname.into();
        check_hostname(&hostname)?;
        let port = port.into();
        match port.within(1..=u16::MAX) {
            Some(port) => Ok(Self { hostname, port }),
            None => Err(invalid_port(&port)),
        }
    }

    /// Returns the host name as given.
    pub fn hostname(&self) -> &str {
        &self.hostname
    }

    /// Returns the port, 1 to 65535.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Returns the region in the host name, in lower case.
    ///
    /// Returns `None` if the host name is not a regional endpoint name, such as an alias, an IP
    /// address or the endpoint of an Aurora Global Database
    /// (`….global-….global.rds.amazonaws.com`).
    pub fn region(&self) -> Option<Region> {
        let hostname = self.hostname.to_ascii_lowercase();
        place_in(&hostname).map(|(_, region)| Region::of_hostname(region))
    }

    /// Returns the service whose endpoint names have the form of the host name:
    /// `….<region>.rds.amazonaws.com` is RDS, `….dsql.<region>.on.aws` is DSQL.
    ///
    /// Returns `None` for other names, such as an alias or an IP address.
    pub fn service(&self) -> Option<Service> {
        let hostname = self.hostname.to_ascii_lowercase();
        match place_in(&hostname) {
            Some((service, _)) => Some(service),
            None => is_global(&hostname).then_some(Service::Rds),
        }
    }

    /// Returns whether this is the endpoint of an Aurora Global Database, which moves between
    /// regions.
    pub fn is_global(&self) -> bool {
        is_global(&self.hostname.to_ascii_lowercase())
    }

    /// Returns whether the host name belongs to an RDS Proxy. A proxy has a certificate from
    /// Amazon's public authorities, and its own resource ID.
    pub fn is_proxy(&self) -> bool {
        self.has_label("proxy-")
    }

    /// Returns whether the host name belongs to an Aurora cluster: its writer, its readers or a
    /// custom endpoint.
    pub fn is_cluster(&self) -> bool {
        self.has_label("cluster-")
    }

    /// Returns the ID of the DSQL cluster, with which the host name starts, in lower case. Returns
    /// `None` for other services, whose host names do not have the resource ID.
    pub fn cluster_id(&self) -> Option<String> {
        let service = self.service()?;
        let label = self.hostname.split('.').next().unwrap_or_default();
        (!service.names_login()).then(|| label.to_ascii_lowercase())
    }

    /// Returns whether a label after the first starts with `prefix`.
    fn has_label(&self, prefix: &str) -> bool {
        let hostname = self.hostname.to_ascii_lowercase();
        hostname
            .split('.')
            .skip(1)
            .any(|label| label.starts_with(prefix))
    }

    /// Returns the start of a token for a service: host name and port, or only the host name.
    pub(crate) fn authority(&self, service: Service) -> String {
        match service.names_login() {
            true => self.to_string(),
            false => self.hostname.clone(),
        }
    }

    /// Returns whether both have the same host name and port. Ignores case and a trailing dot.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        self.port == other.port && is_same_hostname(&self.hostname, &other.hostname)
    }

    /// Returns the value of the signed `host` header as botocore writes it: in lower case, and
    /// without the port if that is 443, the default of HTTPS, or not in the service's tokens.
    pub(crate) fn host_header(&self, service: Service) -> String {
        let mut header = match self.port {
            HTTPS_PORT => self.hostname.clone(),
            _ => self.authority(service),
        };
        header.make_ascii_lowercase();
        header
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.hostname, self.port)
    }
}

/// Parses a port given as text, such as an environment variable. [`Endpoint::new`] checks its
/// range.
///
/// # Errors
/// [`ErrorCode::InvalidPort`] if the text is not an integer.
pub fn parse_port(text: &str) -> Result<i64, Error> {
    text.parse().map_err(|_| match text.contains(',') {
        true => not_accepted(&format!("{} is a list of ports", quoted(text))),
        false => invalid_port(&quoted(text)),
    })
}

fn invalid_port(port: &dyn fmt::Display) -> Error {
    not_accepted(&format!("{port} is not a port"))
}

fn not_accepted(problem: &str) -> Error {
    Error::new(
        ErrorCode::InvalidPort,
        format!("port: {problem}; accepted: 1 to 65535"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn region_of(hostname: &str) -> Option<String> {
        Endpoint::new(hostname, 5432)
            .unwrap()
            .region()
            .map(|region| region.to_string())
    }

    #[test]
    fn region_is_found_in_every_form_of_endpoint() {
        for (hostname, region) in [
            ("db.abc.us-east-1.rds.amazonaws.com", "us-east-1"),
            ("DB.ABC.US-EAST-1.RDS.AMAZONAWS.COM", "us-east-1"),
            ("db.abc.us-east-1.rds.amazonaws.com.", "us-east-1"),
            ("db.cluster-ro-abc.eu-west-3.rds.amazonaws.com", "eu-west-3"),
            (
                "ro.endpoint.proxy-abc.sa-east-1.rds.amazonaws.com",
                "sa-east-1",
            ),
            (
                "db.abc.rds.cn-northwest-1.amazonaws.com.cn",
                "cn-northwest-1",
            ),
            ("db.abc.cn-north-1.rds.amazonaws.com.cn", "cn-north-1"),
            ("db.abc.rds.us-gov-west-1.amazonaws.com", "us-gov-west-1"),
            ("db.abc.us-gov-east-1.rds.amazonaws.com", "us-gov-east-1"),
            ("db.abc.rds.us-iso-east-1.c2s.ic.gov", "us-iso-east-1"),
            ("db.abc.rds.us-isob-east-1.sc2s.sgov.gov", "us-isob-east-1"),
            ("db.abc.rds.eu-isoe-west-1.cloud.adc-e.uk", "eu-isoe-west-1"),
            (
                "db.abc.rds.us-isof-south-1.csp.hci.ic.gov",
                "us-isof-south-1",
            ),
            ("db.abc.eusc-de-east-1.rds.amazonaws.eu", "eusc-de-east-1"),
            ("db.abc.us-east-2.rds-fips.amazonaws.com", "us-east-2"),
        ] {
            assert_eq!(region_of(hostname).as_deref(), Some(region), "{hostname}");
        }
    }

    #[test]
    fn no_region_is_found_in_other_host_names() {
        for hostname in [
            "localhost",
            "127.0.0.1",
            "[::1]",
            "db.example.com",
            "db.global-abc.global.rds.amazonaws.com",
            "rds.us-east-1.amazonaws.com",
            "db.abc.us-east-1.rds.amazonaws.com.example.com",
            "db.abc.us-east-1.ec2.amazonaws.com",
            "us-east-1.rds.amazonaws.com",
            "db.abc.somewhere.rds.amazonaws.com",
            "db.abc.us-east-1.rds.notamazonaws.com",
        ] {
            assert_eq!(region_of(hostname), None, "{hostname}");
        }
    }

    #[test]
    fn global_endpoints_are_recognized() {
        let is_global = |hostname: &str| Endpoint::new(hostname, 5432).unwrap().is_global();
        assert!(is_global("db.global-abc.global.rds.amazonaws.com"));
        assert!(!is_global("db.global-abc.us-east-1.rds.amazonaws.com"));
    }

    #[test]
    fn proxies_and_clusters_are_recognized() {
        let kind = |hostname: &str| {
            let endpoint = Endpoint::new(hostname, 5432).unwrap();
            (endpoint.is_proxy(), endpoint.is_cluster())
        };
        for (hostname, expected) in [
            ("app.proxy-abc.us-east-1.rds.amazonaws.com", (true, false)),
            (
                "RO.endpoint.PROXY-abc.us-east-1.rds.amazonaws.com",
                (true, false),
            ),
            ("db.cluster-abc.us-east-1.rds.amazonaws.com", (false, true)),
            (
                "db.cluster-ro-abc.us-east-1.rds.amazonaws.com",
                (false, true),
            ),
            ("proxy-db.abc.us-east-1.rds.amazonaws.com", (false, false)),
            ("cluster-db.abc.us-east-1.rds.amazonaws.com", (false, false)),
        ] {
            assert_eq!(kind(hostname), expected, "{hostname}");
        }
    }

    #[test]
    fn a_list_is_named_before_anything_else_that_is_wrong_with_it() {
        let long = format!("{0}:5432,{0}:5432", "x".repeat(200));
        for hosts in ["a,b", "a:5432,b:5432", "a, b", ",", long.as_str()] {
            let error = Endpoint::new(hosts, 5432).unwrap_err();
            assert!(error.message().contains("is a list of hosts"), "{error}");
        }
        let error = parse_port("5432,5432").unwrap_err();
        assert!(error.message().contains("is a list of ports"), "{error}");
    }

    #[test]
    fn a_long_host_name_is_truncated_in_the_message() {
        let error = Endpoint::new("x".repeat(1 << 20), 5432).unwrap_err();
        assert!(error.message().len() < 400, "{}", error.message().len());
    }
}
