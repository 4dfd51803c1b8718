//! Replaces the chain if the cargo feature `chain` is off.
//!
//! Without files, processes and a network, the only sources are given keys, a provider and the
//! environment. The caller sees all of them, so no events are told.

use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;

use super::source::{Found, Patience, RegionHint, Role, Tried, not_found};
use super::walk::Trail;
use crate::error::{Error, ErrorCode};

pub(super) struct Chain<'a>(&'a Trail);

impl<'a> Chain<'a> {
    pub(super) fn new(
        _profile: Option<&'a str>,
        _region: Option<&'a RegionHint>,
        trail: &'a Trail,
    ) -> Self {
        Self(trail)
    }

    pub(super) fn search(&self, tried: Vec<Tried>, _: Patience) -> Result<Found, Error> {
        self.0.tried(&tried);
        Err(not_found(&tried))
    }

    pub(super) fn profile(&self, _name: &str, _: Patience) -> Result<Found, Error> {
        Err(left_out("a profile"))
    }

    pub(super) fn assume(&self, _: &Role, _: Found, _: Patience) -> Result<Found, Error> {
        Err(left_out("a role"))
    }
}

/// Nothing is fetched.
pub(super) fn delay_forks() {}

pub(super) fn with_enough<T>(work: impl FnOnce() -> T) -> Result<T, Error> {
    Ok(work())
}

pub(crate) fn region_of_profile(_profile: Option<&str>) -> Result<Option<String>, Error> {
    Ok(None)
}

/// No listener can be set.
pub(crate) type Listener = std::convert::Infallible;

/// Tells nothing.
pub(crate) struct Teller;

impl Teller {
    pub(crate) fn new(_: Option<Listener>) -> Self {
        Self
    }

    pub(super) fn fetched(&self, _: &'static str, _: &Credentials, _: Duration) {}

    pub(super) fn fetch_failed(&self, _: &Error, _: Duration) {}

    pub(super) fn of_refresh(
        &self,
        _: Result<&'static str, Error>,
        _: &Credentials,
        _: &Credentials,
        _: Duration,
        _: SystemTime,
    ) -> Option<Listener> {
        None
    }

    pub(super) fn tell(&self, _: Listener) {}
}

fn left_out(what: &str) -> Error {
    Error::new(
        ErrorCode::CredentialsFailed,
        format!(
            "credentials: {what} is given, but this rdsign was built without the feature chain"
        ),
    )
}
