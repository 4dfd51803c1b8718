//! The service that PGSERVICE names. Its settings replace libpq's variables, as they do for libpq.

use std::sync::OnceLock;

use rdsign::Error;
use rdsign::credentials::environment_variable;
use rdsign::libpq::{self, Setting, SslMode};

/// libpq's keywords and their variables. libpq has no variable for any other keyword.
/// Source: <https://www.postgresql.org/docs/current/libpq-envars.html>
const VARIABLES: [(&str, &str); 33] = [
    ("host", "PGHOST"),
    ("hostaddr", "PGHOSTADDR"),
    ("port", "PGPORT"),
    ("dbname", "PGDATABASE"),
    ("user", "PGUSER"),
    ("passfile", "PGPASSFILE"),
    ("require_auth", "PGREQUIREAUTH"),
    ("channel_binding", "PGCHANNELBINDING"),
    ("options", "PGOPTIONS"),
    ("application_name", "PGAPPNAME"),
    ("sslmode", "PGSSLMODE"),
    ("sslnegotiation", "PGSSLNEGOTIATION"),
    ("sslcompression", "PGSSLCOMPRESSION"),
    ("sslcert", "PGSSLCERT"),
    ("sslkey", "PGSSLKEY"),
    ("sslcertmode", "PGSSLCERTMODE"),
    ("sslrootcert", "PGSSLROOTCERT"),
    ("sslcrl", "PGSSLCRL"),
    ("sslcrldir", "PGSSLCRLDIR"),
    ("sslsni", "PGSSLSNI"),
    ("requirepeer", "PGREQUIREPEER"),
    ("ssl_min_protocol_version", "PGSSLMINPROTOCOLVERSION"),
    ("ssl_max_protocol_version", "PGSSLMAXPROTOCOLVERSION"),
    ("gssencmode", "PGGSSENCMODE"),
    ("krbsrvname", "PGKRBSRVNAME"),
    ("gsslib", "PGGSSLIB"),
    ("min_protocol_version", "PGMINPROTOCOLVERSION"),
    ("max_protocol_version", "PGMAXPROTOCOLVERSION"),
    ("connect_timeout", "PGCONNECT_TIMEOUT"),
    ("client_encoding", "PGCLIENTENCODING"),
    ("target_session_attrs", "PGTARGETSESSIONATTRS"),
    ("load_balance_hosts", "PGLOADBALANCEHOSTS"),
    ("gssdelegation", "PGGSSDELEGATION"),
];

static SETTINGS: OnceLock<Vec<Setting>> = OnceLock::new();

/// Reads the service if PGSERVICE names one. The first call decides about `sslmode`.
pub(crate) fn load(ssl_mode: SslMode) -> Result<(), Error> {
    if SETTINGS.get().is_none() {
        let settings = match environment_variable("PGSERVICE") {
            Some(name) => libpq::service(&name, ssl_mode)?,
            None => Vec::new(),
        };
        SETTINGS.get_or_init(|| settings);
    }
    Ok(())
}

/// Returns the value of a variable: the service's, else the environment's. `None` if it is empty.
pub(crate) fn variable(name: &str) -> Option<String> {
    let own = VARIABLES.iter().find(|(_, variable)| *variable == name);
    let setting = own.and_then(|(keyword, _)| {
        let settings = SETTINGS.get()?;
        settings.iter().find(|(known, _)| known == keyword)
    });
    match setting {
        Some((_, value)) if !value.is_empty() => Some(value.clone()),
        _ => environment_variable(name),
    }
}

/// Returns the service's settings as libpq's variables.
///
/// # Errors
/// The keyword of a setting that no variable can pass on.
pub(crate) fn variables() -> Result<Vec<(&'static str, &'static str)>, &'static str> {
    let settings = SETTINGS.get().map_or(&[][..], Vec::as_slice);
    let named = settings.iter().map(|(keyword, value)| {
        let found = VARIABLES.iter().find(|(known, _)| known == keyword);
        let (_, variable) = found.ok_or(keyword.as_str())?;
        Ok((*variable, value.as_str()))
    });
    named.collect()
}
