//! Checks host names, and finds the service and the region in endpoint names.
//!
//! The region is found by the form of the name and not in a list of regions, so that a new region
//! works on its first day. Host names are kept as given, because tokens print them unchanged.
//! Compare two with [`is_same_hostname`].

use std::net::{IpAddr, Ipv6Addr};

use super::service::Service;
use crate::error::{Error, ErrorCode};
use crate::message::quoted;

/// The longest host name that DNS allows (RFC 1035, section 2.3.4, in text form).
const MAX_HOSTNAME_LENGTH: usize = 253;
const MAX_LABEL_LENGTH: usize = 63;

/// Checks a host name as [`Endpoint::new`](super::Endpoint::new) documents.
pub(super) fn check_hostname(hostname: &str) -> Result<(), Error> {
    let invalid = |reason: &str| {
        Err(Error::new(
            ErrorCode::InvalidHostname,
            format!(
                "hostname: {} {reason}; accepted: a bare host name such as \
                 mydb.abc123.eu-central-1.rds.amazonaws.com, or an IPv6 address in brackets",
                quoted(hostname)
            ),
        ))
    };
    if hostname.is_empty() {
        return invalid("is empty");
    }
    // libpq, asyncpg and SQLAlchemy accept lists.
    if hostname.contains(',') && !hostname.contains('/') {
        return invalid("is a list of hosts");
    }
    if hostname.len() > MAX_HOSTNAME_LENGTH {
        return invalid("is longer than 253 characters");
    }
    if let Some(rest) = hostname.strip_prefix('[') {
        let address = rest.strip_suffix(']').unwrap_or_default();
        return match address.parse::<Ipv6Addr>() {
            Ok(_) => Ok(()),
            Err(_) => invalid("is not an IPv6 address in brackets"),
        };
    }
    if hostname.parse::<Ipv6Addr>().is_ok() {
        return invalid("is an IPv6 address without brackets");
    }
    if hostname.contains("://") {
        return invalid("contains a scheme");
    }
    if hostname.contains('/') {
        return invalid("contains a path");
    }
    if let Some((_, port)) = hostname.rsplit_once(':')
        && port.bytes().all(|b| b.is_ascii_digit())
    {
        return invalid("contains a port, which is a separate option");
    }
    let accepted = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
    if !hostname.bytes().all(accepted) {
        return invalid("contains a character that host names cannot contain");
    }
    let name = without_trailing_dot(hostname);
    if name.split('.').any(str::is_empty) {
        return invalid("has an empty label");
    }
    if name.split('.').any(|label| label.len() > MAX_LABEL_LENGTH) {
        return invalid("has a label longer than 63 characters");
    }
    Ok(())
}

/// Returns the error for a missing host name.
pub(crate) fn hostname_required() -> Error {
    Error::new(
        ErrorCode::InvalidHostname,
        "hostname: missing; accepted: the host name of an RDS or DSQL endpoint",
    )
}

/// Returns whether two host names are the same. Ignores case and a trailing dot.
pub fn is_same_hostname(one: &str, other: &str) -> bool {
    without_trailing_dot(one).eq_ignore_ascii_case(without_trailing_dot(other))
}

/// Parses a host name as an IPv4 address, or an IPv6 address in brackets. Returns `None` if it is a
/// name.
pub(crate) fn address(hostname: &str) -> Option<IpAddr> {
    match hostname.strip_prefix('[') {
        Some(rest) => {
            let address = rest.strip_suffix(']')?.parse::<Ipv6Addr>();
            address.ok().map(IpAddr::from)
        }
        None => hostname.parse().ok(),
    }
}

/// Returns whether a host name means the local machine, such as the local end of a tunnel.
pub(crate) fn is_loopback(hostname: &str) -> bool {
    match address(hostname) {
        Some(IpAddr::V4(address)) => address.is_loopback() || address.is_unspecified(),
        Some(IpAddr::V6(address)) => {
            let mapped = address.to_ipv4_mapped();
            address.is_loopback()
                || address.is_unspecified()
                || mapped.is_some_and(|mapped| mapped.is_loopback())
        }
        None => {
            let name = without_trailing_dot(hostname).to_ascii_lowercase();
            name == "localhost" || name.ends_with(".localhost") || name == "host.docker.internal"
        }
    }
}

/// Returns whether a lower-case host name is the endpoint of an Aurora Global Database.
pub(super) fn is_global(hostname: &str) -> bool {
    labels_before_domain(hostname, Service::Rds)
        .is_some_and(|labels| labels.ends_with(".global.rds") || labels == "global.rds")
}

/// Returns the service and the region in a lower-case host name.
///
/// The region of RDS is on either side of the service label: `….<region>.rds.amazonaws.com` in most
/// partitions, `….rds.<region>.amazonaws.com.cn` in China, GovCloud and the isolated partitions.
pub(super) fn place_in(hostname: &str) -> Option<(Service, &str)> {
    let mut services = Service::ALL.iter();
    services.find_map(|service| Some((*service, region_in(hostname, *service)?)))
}

fn region_in(hostname: &str, service: Service) -> Option<&str> {
    let mut labels = labels_before_domain(hostname, service)?.rsplit('.');
    let (last, before) = (labels.next()?, labels.next()?);
    labels.next()?; // the database's name
    let region = match (before, last) {
        (region, label) if service.region_may_lead() && service.is_label(label) => region,
        (label, region) if service.is_label(label) => region,
        _ => return None,
    };
    looks_like_a_region(region).then_some(region)
}

/// Returns whether a label has at least two words and a number, joined with `-`: `us-gov-west-1`.
fn looks_like_a_region(label: &str) -> bool {
    let Some((words, number)) = label.rsplit_once('-') else {
        return false;
    };
    let is_word = |word: &str| !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase());
    words.contains('-')
        && words.split('-').all(is_word)
        && !number.is_empty()
        && number.bytes().all(|b| b.is_ascii_digit())
}

/// Returns the labels before a service's domain in a lower-case host name:
/// `mydb.abc123.eu-west-1.rds`.
fn labels_before_domain(hostname: &str, service: Service) -> Option<&str> {
    let hostname = without_trailing_dot(hostname);
    service
        .domains()
        .iter()
        .find_map(|domain| hostname.strip_suffix(domain))
}

fn without_trailing_dot(hostname: &str) -> &str {
    hostname.strip_suffix('.').unwrap_or(hostname)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_of_hosts_is_named_as_one() {
        let long = vec!["a.example.com"; 30].join(",");
        for hosts in ["a.example.com,b.example.com", "a:5432,b:5433", "a,", &long] {
            let message = check_hostname(hosts).unwrap_err().to_string();
            assert!(message.contains("is a list of hosts"), "{message}");
        }
        let message = check_hostname("postgresql://a,b/db")
            .unwrap_err()
            .to_string();
        assert!(message.contains("contains a scheme"), "{message}");
    }
}
