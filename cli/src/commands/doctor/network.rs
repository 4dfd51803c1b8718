//! The steps that look up the host name and connect by TCP. Each has the time limit of a step.

use std::fmt::Display;
use std::io::ErrorKind;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use rdsign::Service;
use rdsign::names::Endpoint;
use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;

use super::entry::{Entry, Step};
use super::finding::Finding;

/// Formats an error without the web address that rustls adds, which explains its interface to
/// programmers.
pub(super) fn without_address(error: &dyn Display) -> String {
    let text = error.to_string();
    match text.split_once(": https://docs.rs/") {
        Some((text, _)) => text.to_owned(),
        None => text,
    }
}

/// Returns the addresses of the endpoint, or `hostaddr` if it is given.
pub(crate) async fn resolve(
    endpoint: &Endpoint,
    service: Service,
    hostaddr: Option<IpAddr>,
    port: u16,
    limit: Duration,
) -> (Entry, Vec<SocketAddr>) {
    let hostname = endpoint.hostname();
    if let Some(address) = hostaddr {
        let says = format!("not looked up: hostaddr is {address}");
        return (
            named(endpoint, service, says),
            vec![SocketAddr::new(address, port)],
        );
    }
    let bare = hostname.trim_matches(['[', ']']);
    let failed = |finding, says: String| {
        let next = format!(
            "Compare the name with the endpoint that {} shows. A private name can be looked up only \
             inside its VPC or through its VPN.",
            service.title()
        );
        (
            Entry::failed(Step::Name, finding, says).next(next),
            Vec::new(),
        )
    };
    match timeout(limit, lookup_host((bare, port))).await {
        Err(_) => failed(
            Finding::NameTimeout,
            format!("no answer about {hostname} within {} s", limit.as_secs()),
        ),
        Ok(Err(error)) => failed(
            Finding::NameUnknown,
            format!("{hostname} cannot be looked up: {error}"),
        ),
        Ok(Ok(addresses)) => {
            let addresses: Vec<SocketAddr> = addresses.collect();
            let shown: Vec<String> = addresses.iter().map(|a| a.ip().to_string()).collect();
            let says = format!("{hostname} is {}", shown.join(", "));
            (named(endpoint, service, says), addresses)
        }
    }
}

/// Warns if the name is not that of an endpoint: no token for it can work.
fn named(endpoint: &Endpoint, service: Service, says: String) -> Entry {
    if endpoint.service().is_some() {
        return Entry::fine(Step::Name, says);
    }
    let title = service.title();
    let says = format!(
        "{says}; but {} is not the name of an {title} endpoint, and {title} accepts only tokens for \
         one",
        endpoint.hostname()
    );
    Entry::warning(Step::Name, Finding::NotAnEndpoint, says).next(format!(
        "Pass the endpoint that {title} shows as --hostname, and a tunnel's address as --hostaddr \
         and --hostport."
    ))
}

/// Connects to the first address that accepts a connection.
pub(crate) async fn connect(
    addresses: &[SocketAddr],
    service: Service,
    limit: Duration,
) -> (Entry, Option<TcpStream>) {
    let each = limit / u32::try_from(addresses.len().max(1)).unwrap_or(1);
    let mut entry =
        Entry::failed(Step::Tcp, Finding::NoAddress, "the name has no address").next(format!(
            "Compare the name with the endpoint that {} shows.",
            service.title()
        ));
    for address in addresses {
        entry = match timeout(each, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => {
                let entry = Entry::fine(Step::Tcp, format!("connected to {address}"));
                return (entry, Some(stream));
            }
            Ok(Err(error)) if error.kind() == ErrorKind::ConnectionRefused => Entry::failed(
                Step::Tcp,
                Finding::Refused,
                format!("{address} refuses connections: nothing listens there"),
            )
            .next(format!(
                "Compare the port with the one that {} shows. Check that the database is available \
                 and that the tunnel, if you use one, is up.",
                service.title()
            )),
            Ok(Err(error)) => Entry::failed(
                Step::Tcp,
                Finding::Unreachable,
                format!("{address} cannot be reached: {error}"),
            )
            .next("Check this machine's network and the route to the database's VPC."),
            Err(_) => Entry::failed(
                Step::Tcp,
                Finding::TcpTimeout,
                format!("{address} does not answer within {} s", limit.as_secs()),
            )
            .next(
                "The usual cause is a security group: it must let this machine in on this port. \
                 A database that is not publicly accessible needs the VPC, a VPN or a tunnel.",
            ),
        };
    }
    (entry, None)
}
