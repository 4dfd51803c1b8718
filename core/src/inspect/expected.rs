//! What a token is to be used for, where that is known.
//!
//! These are the database's own names. Through a tunnel a client dials another host and port, which
//! a token is not signed for.

use crate::names::Region;

/// What a token is compared with; what is `None` is not compared.
#[derive(Clone, Debug, Default)]
pub struct Expected {
    /// The host name of the endpoint.
    pub hostname: Option<String>,
    /// The port of the endpoint, 1 to 65535.
    pub port: Option<u16>,
    /// The port that the client dials, which may be a tunnel's: it is not compared, but a token
    /// for it has no unusual port.
    pub dialled_port: Option<u16>,
    /// The database user that logs in.
    pub username: Option<String>,
    /// The region of the database, for a host name that has none in it.
    pub region: Option<Region>,
    /// The driver that sends the token.
    pub driver: Option<Driver>,
}

/// A kind of driver, by the default of its port: 5432 or 3306.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Driver {
    /// libpq, pgjdbc, node-postgres and so on.
    Postgresql,
    /// Those of MySQL and MariaDB.
    Mysql,
}
