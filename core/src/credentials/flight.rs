//! Runs one fetch at a time: the first caller fetches, and the others wait for its outcome.
//!
//! A flight belongs to the process that started it. After a fork the child needs a new one, because
//! the thread that was fetching does not exist there and the flight would never land.

use std::sync::{Condvar, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;

use super::timing;
use crate::error::{Error, ErrorCode};
use crate::names::shown_access_key_id;
use crate::timestamp::{format_rfc3339, from_unix_seconds, to_unix_seconds};

/// Credentials, and when to refresh them.
#[derive(Clone, Debug)]
pub(crate) struct Lease {
    pub(crate) credentials: Credentials,
    pub(crate) ask_again_at: Option<SystemTime>,
}

impl Lease {
    pub(super) fn is_fresh(&self, now: SystemTime) -> bool {
        self.ask_again_at.is_none_or(|at| now < at)
    }

    /// Whether the credentials can sign.
    pub(crate) fn is_valid(&self, now: SystemTime) -> bool {
        end_of(&self.credentials).is_none_or(|end| now < end)
    }

    /// Returns the error for credentials that expired while their source was asked for them.
    pub(crate) fn came_late(&self) -> Error {
        let end = end_of(&self.credentials).map_or_else(String::new, format_rfc3339);
        Error::new(
            ErrorCode::CredentialsExpired,
            format!(
                "credentials: those of access key {} expired at {end}, before the source answered",
                shown_access_key_id(self.credentials.access_key_id()),
            ),
        )
    }

    pub(super) fn is_ending(&self, now: SystemTime) -> bool {
        end_of(&self.credentials).is_some_and(|end| timing::is_ending(end, now))
    }
}

/// Returns until when credentials may sign: their expiry, rounded down to whole seconds. C reports an
/// expiry without fractions, and no token may be expired by its own report.
pub(super) fn end_of(credentials: &Credentials) -> Option<SystemTime> {
    let expiry = credentials.expiry()?;
    Some(from_unix_seconds(to_unix_seconds(expiry)).unwrap_or(expiry))
}

/// Guards the one fetch that may run in a process.
pub(super) struct Flight {
    pub(super) process_id: u32,
    state: Mutex<FlightState>,
    landed: Condvar,
}

#[derive(Default)]
struct FlightState {
    under_way: bool,
    /// The number of finished fetches.
    count: u64,
    /// The last one's outcome.
    outcome: Option<Result<Lease, Failed>>,
}

/// A fetch that failed.
#[derive(Clone)]
pub(super) struct Failed {
    pub(super) error: Error,
    /// Whether it had no more time. A caller with more time left may succeed.
    pub(super) ran_out: bool,
}

impl Flight {
    pub(super) fn new() -> Self {
        Self {
            process_id: std::process::id(),
            state: Mutex::default(),
            landed: Condvar::new(),
        }
    }

    /// Grants the right to fetch, or returns `None` if another caller has it.
    pub(super) fn take_off(&self) -> Option<Landing<'_>> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.under_way {
            return None;
        }
        state.under_way = true;
        Some(Landing(self))
    }

    pub(super) fn is_under_way(&self) -> bool {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.under_way
    }

    /// Waits for the running fetch. Returns its outcome, or `None` after `bound`.
    pub(super) fn wait(&self, bound: Duration) -> Option<Result<Lease, Failed>> {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let seen = state.count;
        let (state, _) = self
            .landed
            .wait_timeout_while(state, bound, |state| state.under_way && state.count == seen)
            .unwrap_or_else(PoisonError::into_inner);
        let has_landed = !state.under_way || state.count != seen;
        state.outcome.clone().filter(|_| has_landed)
    }

    fn land(&self, outcome: Result<Lease, Failed>) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.under_way = false;
        state.count += 1;
        state.outcome = Some(outcome);
        drop(state);
        self.landed.notify_all();
    }
}

/// Finishes a fetch on every exit path, including a panic.
pub(super) struct Landing<'a>(&'a Flight);

impl Landing<'_> {
    pub(super) fn with_lease(self, lease: Lease) -> Lease {
        self.with(Ok(lease.clone()));
        lease
    }

    pub(super) fn with_error(self, error: Error, ran_out: bool) -> Error {
        self.with(Err(Failed {
            error: error.clone(),
            ran_out,
        }));
        error
    }

    fn with(self, outcome: Result<Lease, Failed>) {
        self.0.land(outcome);
        std::mem::forget(self);
    }
}

impl Drop for Landing<'_> {
    fn drop(&mut self) {
        self.0.land(Err(Failed {
            error: Error::from_panic(),
            ran_out: false,
        }));
    }
}
