//! Asks a source again after a failure that may pass.
//!
//! A server that is restarted, overloaded or cut off answers rightly a moment later, and a login is
//! worth that moment. So a fetch ends with such a failure only at its bound.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use tokio::time::{Instant, sleep};

use super::failure::{Failure, panicked, timed_out};
use super::runtime::{Outcome, block_on};
use crate::credentials::flight::end_of;
use crate::credentials::source::{Patience, Tried, expired};

/// The first pause. Each next one is twice as long.
const PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// How to ask a source, and what to say if it does not answer.
pub(super) struct Asking<'a> {
    pub(super) patience: Patience,
    pub(super) asks_again: bool,
    pub(super) tried: &'a [Tried],
    /// Returns the name of the call that is running, and why it may get no answer.
    pub(super) waiting: &'a (dyn Fn() -> (String, Option<String>) + Sync),
}

impl Asking<'_> {
    /// Returns the keys of the first attempt that succeeds. The bound is that of all attempts
    /// together.
    pub(super) fn keys<F>(
        &self,
        source: &str,
        attempt: impl Fn() -> F + Send + Sync,
    ) -> Result<Credentials, Failure>
    where
        F: Future<Output = Result<Credentials, Failure>> + Send,
    {
        let last = Mutex::new(None);
        let bound = self.patience.bound;
        let outcome = block_on(bound, self.repeat(source, attempt, &last))?;
        let (whose, waiting) = (self.waiting)();
        match outcome {
            Outcome::Done(outcome) => outcome,
            Outcome::Panicked(place) => Err(panicked(&whose, &place).into()),
            Outcome::TimedOut => {
                let last = last.into_inner().unwrap_or_else(PoisonError::into_inner);
                let error = last.unwrap_or_else(|| timed_out(&whose, bound, self.tried, waiting));
                Err(error.into())
            }
        }
    }

    async fn repeat<F>(
        &self,
        source: &str,
        attempt: impl Fn() -> F,
        last: &Mutex<Option<crate::error::Error>>,
    ) -> Result<Credentials, Failure>
    where
        F: Future<Output = Result<Credentials, Failure>>,
    {
        let started = Instant::now();
        let mut pause = PAUSE;
        loop {
            let outcome = attempt().await.and_then(|keys| self.alive(source, keys));
            let error = match outcome {
                Err(Failure::Passing(error)) if self.asks_again => error,
                outcome => return outcome,
            };
            if self.patience.bound.saturating_sub(started.elapsed()) <= pause {
                return Err(Failure::Passing(error));
            }
            *last.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
            sleep(pause).await;
            pause = (2 * pause).min(LONGEST_PAUSE);
        }
    }

    /// Rejects expired keys: the source may be about to replace them.
    fn alive(&self, source: &str, keys: Credentials) -> Result<Credentials, Failure> {
        let is_over = |now: SystemTime| end_of(&keys).is_some_and(|end| end <= now);
        match self.patience.now.is_some_and(is_over) {
            true => Err(Failure::Passing(expired(&keys, source))),
            false => Ok(keys),
        }
    }
}
