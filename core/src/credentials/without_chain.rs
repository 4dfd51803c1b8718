//! What stands in for the chain where the cargo feature `chain` is off: no files, no processes
//! and no network, so there are only given keys, a provider and the environment.

use std::time::Duration;

use super::source::{Found, Role, Tried, not_found};
use crate::error::{Error, ErrorCode};

pub(super) fn search(
    tried: Vec<Tried>,
    _region: Option<&str>,
    _bound: Duration,
) -> Result<Found, Error> {
    Err(not_found(&tried))
}

pub(super) fn profile(
    _name: &str,
    _region: Option<&str>,
    _bound: Duration,
) -> Result<Found, Error> {
    Err(left_out("a profile"))
}

pub(super) fn assume(
    _role: &Role,
    _base: Found,
    _profile: Option<&str>,
    _region: Option<&str>,
    _bound: Duration,
) -> Result<Found, Error> {
    Err(left_out("a role"))
}

pub(crate) fn region_of_profile(_profile: Option<&str>) -> Result<Option<String>, Error> {
    Ok(None)
}

fn left_out(what: &str) -> Error {
    Error::new(
        ErrorCode::CredentialsFailed,
        format!(
            "credentials: {what} is given, but this rdsign was built without the feature chain"
        ),
    )
}
