//! Describes the login that a token is for, as far as it is known.
//!
//! Host name and port are those of the database, not those of a tunnel that the client dials.

use crate::names::{Region, Service};

/// The expected values that [`examine`](super::examine()) compares with the token. `None` is not
/// compared.
#[derive(Clone, Debug, Default)]
pub struct Expected {
    /// The host name of the endpoint.
    pub hostname: Option<String>,
    /// The port of the endpoint, 1 to 65535.
    pub port: Option<u16>,
    /// The port that the client dials, which may be a tunnel's. It is not compared, but a token
    /// that is signed for it does not get the findings `unusual-port` and
    /// `port-of-another-driver`.
    pub dialled_port: Option<u16>,
    /// The database user that logs in.
    pub username: Option<String>,
    /// The region of the database. It is only compared if the host name contains no region.
    pub region: Option<Region>,
    /// The service of the database. It is only compared if the token's host name is not one of a
    /// service.
    pub service: Option<Service>,
    /// The driver that sends the token.
    pub driver: Option<Driver>,
}

/// A kind of driver, which determines the default port: 5432 or 3306.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Driver {
    /// A driver for PostgreSQL: libpq, pgjdbc, node-postgres and so on.
    Postgresql,
    /// A driver for MySQL or MariaDB.
    Mysql,
}
