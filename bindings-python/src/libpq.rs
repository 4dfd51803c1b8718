//! Reads and checks libpq's parameters, for the drivers that use them. `rdsign/_libpq.py` decides which
//! parameters count; the rules about their values are in core.

use pyo3::prelude::*;
use rdsign::libpq::{self, Login, SslMode};

use crate::errors::{caught, exception};

/// Returns the settings of a service, without its password. Without an `sslmode` of the caller's
/// own, the service's must be `verify-full`.
#[pyfunction]
pub(crate) fn libpq_service(
    py: Python<'_>,
    name: &str,
    has_sslmode: bool,
) -> PyResult<Vec<(String, String)>> {
    let ssl_mode = if has_sslmode {
        SslMode::OfTheCaller
    } else {
        SslMode::OfTheService
    };
    caught(|| libpq::service(name, ssl_mode)).map_err(|error| exception(py, &error))
}

/// Checks the arguments of a program that gets a token for `hostname`, one of `ports` and `username`.
/// Only `verify-full` is accepted in them, unless the caller agreed to another `sslmode`.
#[pyfunction]
pub(crate) fn check_arguments(
    py: Python<'_>,
    program: &str,
    arguments: Vec<String>,
    hostname: &str,
    sslmode: Option<&str>,
    ports: Vec<String>,
    username: &str,
) -> PyResult<()> {
    let ports = numbers(&ports);
    let login = login(hostname, sslmode, &ports, username);
    caught(|| libpq::check_arguments(program, &arguments, login))
        .map_err(|error| exception(py, &error))
}

/// Checks the name of a database, which libpq may read as a connection string.
#[pyfunction]
pub(crate) fn check_connection_string(
    py: Python<'_>,
    text: &str,
    hostname: &str,
    sslmode: Option<&str>,
    ports: Vec<String>,
    username: &str,
) -> PyResult<()> {
    let ports = numbers(&ports);
    let login = login(hostname, sslmode, &ports, username);
    caught(|| libpq::check_connection_string(text, login)).map_err(|error| exception(py, &error))
}

/// libpq itself rejects what is not a port.
fn numbers(ports: &[String]) -> Vec<u16> {
    ports.iter().filter_map(|port| port.parse().ok()).collect()
}

fn login<'a>(
    hostname: &'a str,
    sslmode: Option<&'a str>,
    ports: &'a [u16],
    username: &'a str,
) -> Login<'a> {
    Login {
        hostname,
        ports,
        username: Some(username),
        sslmode,
    }
}

/// Checks the value of a keyword of libpq that is about the server.
#[pyfunction]
pub(crate) fn check_setting(
    py: Python<'_>,
    keyword: &str,
    value: &str,
    hostname: &str,
    sslmode: Option<&str>,
) -> PyResult<()> {
    let login = Login {
        hostname,
        ports: &[],
        username: None,
        sslmode,
    };
    caught(|| libpq::check_setting(keyword, value, login)).map_err(|error| exception(py, &error))
}

/// Quotes input for a message. Truncates it, so that a token's signature is not shown.
#[pyfunction]
pub(crate) fn quoted(text: &str) -> String {
    rdsign::quoted(text)
}
