//! The address and port to dial. They are separate from the endpoint: a tunnel changes where a
//! program connects to, but not what the token is signed for.

use std::net::IpAddr;

use clap::Args;

use super::{usage, variable};
use crate::failure::Failure;

/// The address to dial instead of the endpoint.
#[derive(Args, Clone)]
pub(crate) struct DialArgs {
    /// IP address to dial, such as a tunnel's; the token and the TLS check still use the
    /// endpoint [default: PGHOSTADDR, else the address of the host name]
    #[arg(long, value_name = "ADDRESS", value_parser = usage::address)]
    pub(crate) hostaddr: Option<IpAddr>,

    /// Port to dial, such as a tunnel's [default: the endpoint's]
    #[arg(long, value_name = "PORT", value_parser = usage::port("hostport"))]
    pub(crate) hostport: Option<u16>,
}

impl DialArgs {
    /// Returns the address of the flag, else that of PGHOSTADDR.
    pub(crate) fn address(&self) -> Result<Option<IpAddr>, Failure> {
        match (self.hostaddr, variable("PGHOSTADDR")) {
            (None, Some(text)) => text.parse().map(Some).map_err(|_| {
                Failure::Usage(
                    "PGHOSTADDR: not an IP address; accepted: an IPv4 or IPv6 address".to_owned(),
                )
            }),
            (given, _) => Ok(given),
        }
    }
}
