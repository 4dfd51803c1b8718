//! libpq's keywords, and whether they could send a token to another server.
//!
//! Every keyword that is in neither list is treated as dangerous, where it is given for sure.

/// Keywords of libpq that cannot change the server, or how it is verified.
pub(super) const HARMLESS: [&str; 27] = [
    "application_name",
    "channel_binding",
    "client_encoding",
    "connect_timeout",
    "dbname",
    "fallback_application_name",
    "hostaddr",
    "keepalives",
    "keepalives_count",
    "keepalives_idle",
    "keepalives_interval",
    "load_balance_hosts",
    "options",
    "passfile",
    "password",
    "port",
    "replication",
    "require_auth",
    "sslcert",
    "sslcrl",
    "sslkey",
    "sslnegotiation",
    "sslrootcert",
    "sslsni",
    "target_session_attrs",
    "tcp_user_timeout",
    "user",
];
/// Keywords of libpq that can. `ssl` and `requiressl` are older forms of `sslmode`.
pub(super) const DANGEROUS: [&str; 7] = [
    "gssencmode",
    "host",
    "requiressl",
    "service",
    "servicefile",
    "ssl",
    "sslmode",
];
