//! The address and port to dial. They are separate from the endpoint: a tunnel changes where a
//! program connects to, but not what the token is signed for.

use std::net::IpAddr;

use clap::Args;

use super::usage;

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
