//! What the doctor examines, from flags and variables. Invalid input ends the command here; a region
//! that is missing or wrong is kept, since a step reports it.

use std::net::IpAddr;
use std::path::PathBuf;

use rdsign::endpoint::{Endpoint, Region};
use rdsign::{Error, ErrorCode, SignerBuilder};

use super::DoctorArgs;
use crate::args::variable;
use crate::failure::Failure;

/// The endpoint, the user and how to connect; all but the region are valid.
pub(crate) struct Examination {
    pub(super) endpoint: Endpoint,
    pub(super) username: String,
    pub(super) region: Result<Region, Error>,
    pub(super) region_from: &'static str,
    pub(super) search: SignerBuilder,
    pub(super) hostaddr: Option<IpAddr>,
    pub(super) port: u16,
    pub(super) dbname: String,
    pub(super) sslrootcert: Option<PathBuf>,
}

impl Examination {
    pub(crate) fn of(args: &DoctorArgs) -> Result<Self, Failure> {
        let mut given = args.target.clone().filled()?;
        let builder = given.clone().builder()?;
        let region = builder
            .clone()
            .build()
            .map(|signer| signer.region().clone());
        if let Err(error) = &region
            && error.code().is_invalid_request()
            && !is_about_the_region(error.code())
        {
            return Err(error.clone().into());
        }
        // The region's own step says what is wrong with it; the search must not say it again.
        let is_given = given.region.take().is_some();
        let search = given.clone().builder()?;
        let port = given.port.unwrap_or(rdsign::endpoint::DEFAULT_PORT.into());
        let endpoint = Endpoint::new(given.hostname.unwrap_or_default(), port)?;
        let hostaddr = match (args.dial.hostaddr, variable("PGHOSTADDR")) {
            (None, Some(text)) => Some(text.parse().map_err(|_| {
                Failure::Usage("PGHOSTADDR is no IP address; accepted: one".to_owned())
            })?),
            (given, _) => given,
        };
        Ok(Self {
            region_from: match () {
                () if is_given => "from --region",
                () if endpoint.region().is_some() => "in the host name",
                () if variable("AWS_REGION").is_some() => "from AWS_REGION",
                () if variable("AWS_DEFAULT_REGION").is_some() => "from AWS_DEFAULT_REGION",
                () => "from the profile",
            },
            username: given.username.unwrap_or_default(),
            region,
            search,
            hostaddr,
            port: args.dial.hostport.unwrap_or(endpoint.port()),
            endpoint,
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

fn is_about_the_region(code: ErrorCode) -> bool {
    matches!(
        code,
        ErrorCode::InvalidRegion | ErrorCode::RegionRequired | ErrorCode::RegionMismatch
    )
}
