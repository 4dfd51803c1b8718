//! What is wrong with the host name and the port that a token is signed for.
//!
//! Nothing here touches the network, so a name that RDS did not give is a finding, whatever it may
//! be an alias of.

use super::expected::{Driver, Expected};
use super::finding::{Finding, FindingId};
use crate::limits::DEFAULT_PORT;
use crate::names::{Endpoint, address, is_loopback, is_same_hostname};

const MYSQL_PORT: u16 = 3306;

pub(super) fn name(endpoint: &Endpoint, expected: &Expected) -> Option<Finding> {
    if endpoint.is_global() {
        return Some(Finding::new(
            FindingId::GlobalEndpoint,
            format!(
                "{} is the endpoint of an Aurora Global Database, and the writer behind it may \
                 move to another region.",
                endpoint.hostname()
            ),
            "The token must be signed for the region that the writer is in now: after a failover, \
             for another one. The cluster's own endpoint has its region in its name.",
        ));
    }
    if endpoint.is_rds() {
        return None;
    }
    let is_rds = |hostname: &str| Endpoint::new(hostname, DEFAULT_PORT).is_ok_and(|e| e.is_rds());
    let real = match &expected.hostname {
        Some(hostname) if is_rds(hostname) => hostname.as_str(),
        _ => "the endpoint that RDS shows, such as mydb.abc123.eu-central-1.rds.amazonaws.com",
    };
    let hostname = endpoint.hostname();
    if is_loopback(hostname) {
        return Some(Finding::new(
            FindingId::LoopbackHost,
            format!("It is signed for {hostname}, which is one end of a tunnel, or this machine."),
            format!(
                "Sign for {real}, with the database's own port, and dial the tunnel: in libpq with \
                 host= and hostaddr=127.0.0.1."
            ),
        ));
    }
    let what = match address(hostname) {
        Some(_) => "an address",
        None => "no endpoint's name of RDS: an alias (CNAME), perhaps",
    };
    Some(Finding::new(
        FindingId::NotAnRdsHost,
        format!("It is signed for {hostname}, which is {what}."),
        format!(
            "Sign for {real}, and dial what you like. `dig +short CNAME` shows what an alias \
             stands for."
        ),
    ))
}

pub(super) fn wrong_endpoint(endpoint: &Endpoint, expected: &Expected) -> Option<Finding> {
    let other_host = expected
        .hostname
        .as_deref()
        .filter(|hostname| !is_same_hostname(hostname, endpoint.hostname()));
    let other_port = expected.port.filter(|port| *port != endpoint.port());
    let wanted = match (other_host, other_port) {
        (None, None) => return None,
        (Some(hostname), None) => hostname.to_owned(),
        (None, Some(port)) => format!("port {port}"),
        (Some(hostname), Some(port)) => format!("{hostname}:{port}"),
    };
    Some(Finding::new(
        FindingId::WrongEndpoint,
        format!("It is signed for {endpoint}, and is to be used for {wanted}."),
        "Sign for the host name and the port that the database itself has. A reader endpoint, a \
         proxy and an instance each need a token of their own.",
    ))
}

pub(super) fn port(port: u16, expected: &Expected) -> Option<Finding> {
    if expected.port.is_some() || expected.dialled_port == Some(port) {
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
            format!("It is signed for port {port}, which is that of {owner}, and a {driver} driver is to use it."),
            "Sign for the port that the driver dials, unless the database really has this one.",
        ),
        None => Finding::new(
            FindingId::UnusualPort,
            match port {
                443 => "It is signed for port 443 or names none, as a signer does that was given no port.".to_owned(),
                _ => format!("It is signed for port {port}; that of PostgreSQL is {DEFAULT_PORT}, that of MySQL and MariaDB {MYSQL_PORT}."),
            },
            "Sign for the database's own port, as RDS shows it, and not for a tunnel's or a pooler's.",
        ),
    })
}
