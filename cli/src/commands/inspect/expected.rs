//! Finds what the token should be signed for: flags, else libpq's service, else its variables. With a
//! tunnel, PGHOST and PGPORT may be the dialed address, which the token is not signed for. So they
//! are used only if PGHOST is an endpoint of RDS or DSQL.

use rdsign::Service;
use rdsign::inspect::{Driver, Expected};
use rdsign::libpq::SslMode;
use rdsign::names::{DEFAULT_PORT, Endpoint, Region, parse_port};

use super::{DriverName, InspectArgs};
use crate::args::{service, variable};
use crate::failure::Failure;

/// Returns what to compare the token with, and the names of the variables that were used.
pub(super) fn expected(args: &InspectArgs) -> Result<(Expected, Vec<&'static str>), Failure> {
    service::load(SslMode::OfTheCaller)?;
    let mut compared = Vec::new();
    let mut from_variable = |name: &'static str| {
        let value = variable(name);
        compared.extend(value.is_some().then_some(name));
        value
    };
    let is_endpoint = |hostname: &String| {
        let endpoint = Endpoint::new(hostname.as_str(), DEFAULT_PORT);
        endpoint.is_ok_and(|endpoint| endpoint.service().is_some())
    };
    let hostname = match &args.hostname {
        Some(hostname) => Some(
            Endpoint::new(hostname.as_str(), DEFAULT_PORT)?
                .hostname()
                .into(),
        ),
        // Any other host may be a tunnel, which no token is signed for.
        None if variable("PGHOST").as_ref().is_some_and(is_endpoint) => from_variable("PGHOST"),
        None => None,
    };
    let pgport = |port: String| parse_port(&port).ok()?.try_into().ok();
    let dials_the_endpoint = args.hostname.is_none() && hostname.is_some();
    let port = match args.port {
        Some(port) => Some(Endpoint::new("localhost", port)?.port()),
        None if dials_the_endpoint && variable("PGHOSTADDR").is_none() => {
            from_variable("PGPORT").and_then(pgport)
        }
        None => None,
    };
    let username = match &args.username {
        Some(username) => Some(username.clone()),
        None => from_variable("PGUSER"),
    };
    let expected = Expected {
        hostname,
        port,
        // `rdsign local` listens on any port. Elsewhere, a dialed port may be that of a tunnel, which
        // was signed for by mistake.
        dialled_port: variable("RDSIGN_LOCAL_LOG")
            .and_then(|_| variable("PGPORT"))
            .and_then(pgport),
        username,
        service: args.service.as_deref().map(Service::new).transpose()?,
        region: args.region.clone().map(Region::new).transpose()?,
        driver: args.driver.map(|driver| match driver {
            DriverName::Postgresql => Driver::Postgresql,
            DriverName::Mysql => Driver::Mysql,
        }),
    };
    Ok((expected, compared))
}
