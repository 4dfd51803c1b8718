//! libpq's keywords, their variables, and whether they could send a token to another server.
//!
//! Service files, connection strings, URIs and variables all have these keywords. libpq itself
//! rejects any other.
//!
//! Sources: <https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-PARAMKEYWORDS>,
//! <https://www.postgresql.org/docs/current/libpq-envars.html>

/// Keywords that choose the server, or how it is verified. `ssl` and `requiressl` are older forms
/// of `sslmode`, without verification.
const DANGEROUS: [(&str, Option<&str>); 7] = [
    ("host", Some("PGHOST")),
    ("sslmode", Some("PGSSLMODE")),
    ("gssencmode", Some("PGGSSENCMODE")),
    ("service", Some("PGSERVICE")),
    ("servicefile", Some("PGSERVICEFILE")),
    ("requiressl", None),
    ("ssl", None),
];

/// All others. `hostaddr` and `port` are for tunnels: libpq verifies the name in `host`.
const HARMLESS: [(&str, Option<&str>); 45] = [
    ("hostaddr", Some("PGHOSTADDR")),
    ("port", Some("PGPORT")),
    ("dbname", Some("PGDATABASE")),
    ("user", Some("PGUSER")),
    ("password", Some("PGPASSWORD")),
    ("passfile", Some("PGPASSFILE")),
    ("require_auth", Some("PGREQUIREAUTH")),
    ("channel_binding", Some("PGCHANNELBINDING")),
    ("options", Some("PGOPTIONS")),
    ("application_name", Some("PGAPPNAME")),
    ("sslnegotiation", Some("PGSSLNEGOTIATION")),
    ("sslcompression", Some("PGSSLCOMPRESSION")),
    ("sslcert", Some("PGSSLCERT")),
    ("sslkey", Some("PGSSLKEY")),
    ("sslcertmode", Some("PGSSLCERTMODE")),
    ("sslrootcert", Some("PGSSLROOTCERT")),
    ("sslcrl", Some("PGSSLCRL")),
    ("sslcrldir", Some("PGSSLCRLDIR")),
    ("sslsni", Some("PGSSLSNI")),
    ("requirepeer", Some("PGREQUIREPEER")),
    ("ssl_min_protocol_version", Some("PGSSLMINPROTOCOLVERSION")),
    ("ssl_max_protocol_version", Some("PGSSLMAXPROTOCOLVERSION")),
    ("krbsrvname", Some("PGKRBSRVNAME")),
    ("gsslib", Some("PGGSSLIB")),
    ("gssdelegation", Some("PGGSSDELEGATION")),
    ("min_protocol_version", Some("PGMINPROTOCOLVERSION")),
    ("max_protocol_version", Some("PGMAXPROTOCOLVERSION")),
    ("connect_timeout", Some("PGCONNECT_TIMEOUT")),
    ("client_encoding", Some("PGCLIENTENCODING")),
    ("target_session_attrs", Some("PGTARGETSESSIONATTRS")),
    ("load_balance_hosts", Some("PGLOADBALANCEHOSTS")),
    ("fallback_application_name", None),
    ("keepalives", None),
    ("keepalives_count", None),
    ("keepalives_idle", None),
    ("keepalives_interval", None),
    ("oauth_client_id", None),
    ("oauth_client_secret", None),
    ("oauth_issuer", None),
    ("oauth_scope", None),
    ("replication", None),
    ("scram_client_key", None),
    ("scram_server_key", None),
    ("sslpassword", None),
    ("tcp_user_timeout", None),
];

/// Returns whether a keyword chooses the server, or how it is verified.
pub(super) fn is_dangerous(keyword: &str) -> bool {
    DANGEROUS.iter().any(|(known, _)| *known == keyword)
}

/// Returns the variable that replaces a keyword, if libpq has one.
pub fn variable_of(keyword: &str) -> Option<&'static str> {
    let found = all().find(|(known, _)| *known == keyword);
    found.and_then(|(_, variable)| variable)
}

/// Returns the keyword that a variable of libpq replaces.
pub fn keyword_of(variable: &str) -> Option<&'static str> {
    let found = all().find(|(_, known)| *known == Some(variable));
    found.map(|(keyword, _)| keyword)
}

/// Returns whether a connection is to the same server without the keyword: libpq has no variable
/// for it, and it is not dangerous.
pub fn can_be_left_out(keyword: &str) -> bool {
    HARMLESS.contains(&(keyword, None))
}

fn all() -> impl Iterator<Item = (&'static str, Option<&'static str>)> {
    DANGEROUS.into_iter().chain(HARMLESS)
}
