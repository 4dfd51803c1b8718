//! Where to connect. It is apart from what the token is signed for: a tunnel changes the address
//! and the port that a program connects to, and nothing in the token.

use std::net::IpAddr;

use clap::Args;

/// Where to connect, when that is not the endpoint itself.
#[derive(Args, Clone)]
pub(crate) struct DialArgs {
    /// IP address to connect to, such as a tunnel's: the token and TLS stay those of the
    /// endpoint [default: PGHOSTADDR, else the address of the host name]
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) hostaddr: Option<IpAddr>,

    /// Port to connect to, such as a tunnel's [default: the endpoint's]
    #[arg(long, value_name = "PORT", value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) hostport: Option<u16>,
}
