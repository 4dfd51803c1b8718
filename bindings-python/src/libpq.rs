//! Reads libpq's service files, for the drivers that use libpq's parameters.

use pyo3::prelude::*;
use rdsign::libpq::{self, SslMode};

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
