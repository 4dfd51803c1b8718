//! The service that PGSERVICE names. Its settings replace libpq's variables, as they do for libpq.

use std::sync::OnceLock;

use rdsign::Error;
use rdsign::credentials::environment_variable;
use rdsign::libpq::{self, Setting, SslMode};

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
    let setting = libpq::keyword_of(name).and_then(|keyword| {
        let settings = SETTINGS.get()?;
        settings.iter().find(|(known, _)| known == keyword)
    });
    match setting {
        Some((_, value)) if !value.is_empty() => Some(value.clone()),
        _ => environment_variable(name),
    }
}

/// The service's settings as libpq's variables.
pub(crate) struct Variables {
    pub(crate) set: Vec<(&'static str, &'static str)>,
    /// Keywords that libpq has no variable for. None of them changes the server.
    pub(crate) left_out: Vec<&'static str>,
}

/// Returns the service's settings as libpq's variables.
///
/// # Errors
/// The keyword of a setting that can neither be passed on nor left out.
pub(crate) fn variables() -> Result<Variables, &'static str> {
    let mut variables = Variables {
        set: Vec::new(),
        left_out: Vec::new(),
    };
    for (keyword, value) in SETTINGS.get().map_or(&[][..], Vec::as_slice) {
        match libpq::variable_of(keyword) {
            Some(variable) => variables.set.push((variable, value)),
            None if libpq::can_be_left_out(keyword) => variables.left_out.push(keyword),
            None => return Err(keyword),
        }
    }
    Ok(variables)
}
