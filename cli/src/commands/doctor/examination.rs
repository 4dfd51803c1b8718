//! What doctor checks, from flags and variables. Invalid input ends the command here, but a region
//! that is missing or not the host name's is kept, because a step reports it.

use std::net::IpAddr;
use std::path::PathBuf;

use rdsign::libpq::SslMode;
use rdsign::names::{Endpoint, Region};
use rdsign::{Error, ErrorCode, RegionSource, Service, Signer, SignerBuilder};

use super::DoctorArgs;
use crate::args::{service, variable};
use crate::failure::Failure;

/// The endpoint, the user and how to connect; all but the region are valid.
pub(crate) struct Examination {
    pub(super) endpoint: Endpoint,
    pub(super) username: String,
    pub(super) service: Service,
    pub(super) region: Result<(Region, RegionSource), Error>,
    /// The options that choose the credentials.
    pub(super) source: SignerBuilder,
    pub(super) hostaddr: Option<IpAddr>,
    pub(super) port: u16,
    pub(super) dbname: String,
    pub(super) sslrootcert: Option<PathBuf>,
}

impl Examination {
    pub(crate) fn of(args: &DoctorArgs) -> Result<Self, Failure> {
        // Its other settings count even if flags name the target.
        service::load(SslMode::OfTheCaller)?;
        let target = args.target.clone().builder()?.target()?;
        let region = match target.region {
            Err(error) if error.code() == ErrorCode::InvalidRegion => return Err(error.into()),
            region => region,
        };
        let hostaddr = args.dial.address()?;
        Ok(Self {
            source: args.target.source.clone().apply(Signer::builder()),
            username: target.username,
            service: target.service,
            region,
            hostaddr,
            port: args.dial.hostport.unwrap_or(target.endpoint.port()),
            endpoint: target.endpoint,
            dbname: args
                .dbname
                .clone()
                .or_else(|| variable("PGDATABASE"))
                .unwrap_or_else(|| "postgres".to_owned()),
            sslrootcert: args
                .sslrootcert
                .clone()
                .or_else(|| variable("PGSSLROOTCERT").map(PathBuf::from)),
        })
    }
}
