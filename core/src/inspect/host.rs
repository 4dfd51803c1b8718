//! Checks the host name and the port that a token is signed for.
//!
//! Nothing here uses the network. Any name that is not an RDS or DSQL endpoint name is a finding, even if
//! it is an alias of one.

use super::expected::{Driver, Expected};
use super::finding::{Finding, FindingId};
use crate::limits::{DEFAULT_PORT, HTTPS_PORT};
use crate::names::{Endpoint, Service, address, is_loopback, is_same_hostname};

const MYSQL_PORT: u16 = 3306;

pub(super) fn name(endpoint: &Endpoint, service: Service, expected: &Expected) -> Option<Finding> {
    if endpoint.is_global() {
        return Some(Finding::new(
            FindingId::GlobalEndpoint,
            format!(
                "{} is the endpoint of an Aurora Global Database, and the writer behind it may \
                 move to another region.",
                endpoint.hostname()
            ),
            "Sign for the region that the writer is in now, which changes with a failover. The \
             endpoint of a cluster names its region.",
        ));
    }
    if endpoint.service().is_some() {
        return None;
    }
    let is_of_service = |hostname: &str| {
        Endpoint::new(hostname, DEFAULT_PORT).is_ok_and(|e| e.service() == Some(service))
    };
    let real = match &expected.hostname {
        Some(hostname) if is_of_service(hostname) => hostname.clone(),
        _ => format!(
            "the endpoint that {} shows, such as {}",
            service.title(),
            service.example()
        ),
    };
    let hostname = endpoint.hostname();
    if is_loopback(hostname) {
        return Some(Finding::new(
            FindingId::LoopbackHost,
            format!("It is signed for {hostname}: this machine, or the local end of a tunnel."),
            format!(
                "Sign for {real}{}, and dial the tunnel. In libpq, set host to that name and \
                 hostaddr to 127.0.0.1.",
                match service.names_login() {
                    true => ", with the database's own port",
                    false => "",
                }
            ),
        ));
    }
    let what = match address(hostname) {
        Some(_) => "an IP address".to_owned(),
        None => format!(
            "not an {} endpoint name; it may be an alias (CNAME)",
            service.title()
        ),
    };
    Some(Finding::new(
        FindingId::NotAnRdsHost,
        format!("It is signed for {hostname}, which is {what}."),
        format!(
            "Sign for {real}; you may dial another address. `dig +short CNAME ALIAS` shows the \
             name behind an alias."
        ),
    ))
}

pub(super) fn wrong_endpoint(
    endpoint: &Endpoint,
    service: Service,
    expected: &Expected,
) -> Option<Finding> {
    let other_host = expected
        .hostname
        .as_deref()
        .filter(|hostname| !is_same_hostname(hostname, endpoint.hostname()));
    let names_port = service.names_login();
    let other_port = expected
        .port
        .filter(|port| names_port && *port != endpoint.port());
    let wanted = match (other_host, other_port) {
        (None, None) => return None,
        (Some(hostname), None) => hostname.to_owned(),
        (None, Some(port)) => format!("port {port}"),
        (Some(hostname), Some(port)) => format!("{hostname}:{port}"),
    };
    Some(Finding::new(
        FindingId::WrongEndpoint,
        format!(
            "It is signed for {}, but the login is to {wanted}.",
            endpoint.authority(service)
        ),
        match names_port {
            true => {
                "Sign for the database's own host name and port. A reader endpoint, a proxy and an \
                 instance each need their own token."
            }
            false => "Sign for the host name of the cluster that the login is to.",
        },
    ))
}

pub(super) fn port(port: u16, service: Service, expected: &Expected) -> Option<Finding> {
    let is_known = expected.port.is_some() || expected.dialled_port == Some(port);
    if is_known || !service.names_login() {
        return None;
    }
    let other = match (port, expected.driver) {
        (MYSQL_PORT, Some(Driver::Postgresql)) => Some(("MySQL and MariaDB", "PostgreSQL")),
        (DEFAULT_PORT, Some(Driver::Mysql)) => Some(("PostgreSQL", "MySQL")),
        (MYSQL_PORT | DEFAULT_PORT, _) => return None,
        _ => None,
    };
    Some(match other {
        Some((owner, driver)) => Finding::new(
            FindingId::PortOfAnotherDriver,
            format!(
                "It is signed for port {port}, the default of {owner}, but the driver is for \
                 {driver}."
            ),
            "Sign for the database's own port. Ignore this warning if the database uses this one.",
        ),
        None => Finding::new(
            FindingId::UnusualPort,
            match port {
                HTTPS_PORT => "It is signed for port 443, or names no port, as signers do when \
                               they are given none."
                    .to_owned(),
                _ => format!(
                    "It is signed for port {port}; the default is {DEFAULT_PORT} for PostgreSQL, \
                     and {MYSQL_PORT} for MySQL and MariaDB."
                ),
            },
            "Sign for the database's own port, as RDS shows it, not for the port of a tunnel or a \
             pooler.",
        ),
    })
}
