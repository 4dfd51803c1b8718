//! Keeps credentials until shortly before they end, and lets one caller at a time fetch new ones.
//!
//! Nothing here runs by itself: the time is looked at when a token is asked for. One caller
//! fetches; meanwhile the others use what is still valid, or wait if nothing is. After a fork the
//! child starts anew: what another thread of the parent was holding would be held for ever.

use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use arc_swap::{ArcSwap, ArcSwapOption};
use aws_credential_types::Credentials;

use super::flight::Flight;
pub(crate) use super::flight::Lease;
use super::source::{Found, RegionHint, Source, odd_keys};
use crate::error::{Error, ErrorCode};
use crate::names::{OddKeys, shown_access_key_id};
use crate::timestamp::format_rfc3339;

/// Once new credentials were asked for in vain, how long until they are asked for again, while
/// the old ones still hold.
const ASK_AGAIN_AFTER: Duration = Duration::from_secs(60);
/// How long a caller who could sign with valid credentials may be held up for newer ones.
const BOUND_AHEAD: Duration = Duration::from_secs(1);
/// How much longer than its fetch a caller waits for another's, which has to be told apart.
const WAIT_BEYOND: Duration = Duration::from_millis(500);

/// One source's credentials, shared by all threads.
pub(crate) struct CredentialsCache {
    source: Source,
    region: RegionHint,
    /// How long before their end credentials are replaced: a token's life.
    ahead: Duration,
    current: ArcSwapOption<Lease>,
    flight: ArcSwap<Flight>,
}

impl CredentialsCache {
    pub(crate) fn new(source: Source, region: RegionHint, ahead: Duration) -> Self {
        Self {
            source,
            region,
            ahead,
            current: ArcSwapOption::empty(),
            flight: ArcSwap::from_pointee(Flight::new()),
        }
    }

    pub(crate) fn source(&self) -> &Source {
        &self.source
    }

    /// What is odd about the keys that signed last, if any did.
    pub(crate) fn odd_keys(&self) -> Vec<OddKeys> {
        match (self.source.constant(), self.current.load_full()) {
            (Some(keys), _) => odd_keys(keys),
            (None, Some(lease)) => odd_keys(&lease.credentials),
            (None, None) => Vec::new(),
        }
    }

    /// Credentials that are valid at `now`.
    pub(crate) fn credentials(&self, now: SystemTime) -> Result<Lease, Error> {
        if let Some(credentials) = self.source.constant() {
            return valid(
                credentials.clone(),
                credentials.expiry(),
                now,
                "they were given to the signer",
            );
        }
        let current = self.current.load_full();
        match current.filter(|lease| lease.is_valid(now)) {
            Some(lease) if lease.is_fresh(now) => Ok(Lease::clone(&lease)),
            Some(lease) => Ok(self.refresh_ahead(&lease, now)),
            None => self.fetch_or_wait(now),
        }
    }

    /// Valid credentials that are had without a wait: fresh ones, or those that are about to end
    /// while another caller is asking for newer.
    pub(crate) fn at_hand(&self, now: SystemTime) -> Option<Lease> {
        let current = self.current.load_full();
        let lease = current.filter(|lease| lease.is_valid(now))?;
        let at_hand = lease.is_fresh(now) || self.flight().is_under_way();
        at_hand.then(|| Lease::clone(&lease))
    }

    /// Tries for newer credentials, and settles for the valid ones.
    fn refresh_ahead(&self, old: &Lease, now: SystemTime) -> Lease {
        let flight = self.flight();
        let Some(landing) = flight.take_off() else {
            return old.clone();
        };
        // Another may have tried between this caller's look and its turn.
        let current = self.current.load_full();
        if let Some(lease) = current.filter(|lease| lease.is_valid(now) && lease.is_fresh(now)) {
            landing.with(Ok(Lease::clone(&lease)));
            return Lease::clone(&lease);
        }
        let bound = self.source.timeout.min(BOUND_AHEAD);
        let newer = self.fetch(bound, now).unwrap_or_else(|_| old.clone());
        // Never back to credentials that end sooner.
        let newer = match (newer.credentials.expiry(), old.credentials.expiry()) {
            (Some(new), Some(held)) if new < held => old.clone(),
            _ => newer,
        };
        let lease = Lease {
            ask_again_at: self.ask_again_at(newer.credentials.expiry(), now),
            ..newer
        };
        self.current.store(Some(Arc::new(lease.clone())));
        landing.with(Ok(lease.clone()));
        lease
    }

    /// Fetches, or waits for the caller that does.
    fn fetch_or_wait(&self, now: SystemTime) -> Result<Lease, Error> {
        let flight = self.flight();
        let Some(landing) = flight.take_off() else {
            let lease = flight.wait(self.source.timeout + WAIT_BEYOND)?;
            if lease.is_valid(now) {
                return Ok(lease);
            }
            // The other was content with credentials that have ended for this one.
            return self.fetch_or_wait(now);
        };
        // Another may have fetched between this caller's look and its turn.
        if let Some(lease) = self.current.load_full().filter(|lease| lease.is_valid(now)) {
            landing.with(Ok(Lease::clone(&lease)));
            return Ok(Lease::clone(&lease));
        }
        let outcome = self.fetch(self.source.timeout, now);
        if let Ok(lease) = &outcome {
            self.current.store(Some(Arc::new(lease.clone())));
        }
        landing.with(outcome.clone());
        outcome
    }

    fn fetch(&self, bound: Duration, now: SystemTime) -> Result<Lease, Error> {
        let Found {
            credentials,
            source,
            ..
        } = self
            .source
            .load(Some(&self.region), bound)
            .map_err(|error| self.with_what_ended(error, now))?;
        let ask_again_at = self.ask_again_at(credentials.expiry(), now);
        valid(credentials, ask_again_at, now, source)
    }

    /// A source that has nothing more is told from one that never had anything.
    fn with_what_ended(&self, error: Error, now: SystemTime) -> Error {
        let expiry = self
            .current
            .load_full()
            .and_then(|lease| lease.credentials.expiry());
        match expiry {
            Some(expiry) if expiry <= now && error.code() == ErrorCode::CredentialsNotFound => {
                Error::new(
                    ErrorCode::CredentialsExpired,
                    format!(
                        "credentials: they expired at {}, and there are no newer ones: {error}",
                        format_rfc3339(expiry)
                    ),
                )
            }
            _ => error,
        }
    }

    /// A token's life before the end, a little sooner by chance, so that processes that started
    /// together do not all ask at once; and not before a while from now, lest every call asks.
    fn ask_again_at(&self, expiry: Option<SystemTime>, now: SystemTime) -> Option<SystemTime> {
        let expiry = expiry?;
        let ahead = self.ahead + self.ahead.mul_f64(0.2 * chance());
        let a_while = ASK_AGAIN_AFTER.mul_f64(0.75 + 0.5 * chance());
        let early = expiry.checked_sub(ahead).unwrap_or(now);
        Some(early.max(now + a_while).min(expiry))
    }

    fn flight(&self) -> Arc<Flight> {
        let flight = self.flight.load_full();
        if flight.process_id == std::process::id() {
            return flight;
        }
        // Of several threads that come here first after a fork, one's new flight stays.
        self.flight
            .compare_and_swap(&flight, Arc::new(Flight::new()));
        self.flight.load_full()
    }
}

/// Credentials that have not ended.
fn valid(
    credentials: Credentials,
    ask_again_at: Option<SystemTime>,
    now: SystemTime,
    source: &str,
) -> Result<Lease, Error> {
    match credentials.expiry() {
        Some(expiry) if expiry <= now => Err(Error::new(
            ErrorCode::CredentialsExpired,
            format!(
                "credentials: those of access key {} expired at {}, and there are no newer ones \
                 ({source})",
                shown_access_key_id(credentials.access_key_id()),
                format_rfc3339(expiry),
            ),
        )),
        _ => Ok(Lease {
            credentials,
            ask_again_at,
        }),
    }
}

/// 0 up to 1; differs between processes that were forked from one.
fn chance() -> f64 {
    let seed = (std::process::id(), Instant::now());
    let bits = RandomState::new().hash_one(seed) >> 11;
    bits as f64 / (1_u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use std::sync::{Mutex, mpsc};

    use super::*;
    use crate::credentials::options::SourceOptions;

    #[test]
    fn while_one_asks_for_newer_credentials_the_old_ones_are_at_hand() {
        let (ask, asked) = mpsc::channel();
        let (answer, answers) = mpsc::channel();
        let answers = Mutex::new(answers);
        let options = SourceOptions {
            provider: Some(Arc::new(move || {
                ask.send(()).unwrap();
                // Bounded, so that a failure below is not a test that hangs.
                let bound = Duration::from_secs(600);
                let end = answers.lock().unwrap().recv_timeout(bound)?;
                Ok(Credentials::new("akid", "secret", None, Some(end), "test"))
            })),
            ..SourceOptions::default()
        };
        let ahead = Duration::from_secs(900);
        let region = RegionHint::Database("us-east-1".into());
        let cache = CredentialsCache::new(options.settle().unwrap(), region, ahead);
        let start = SystemTime::UNIX_EPOCH;
        let [stale, first_end, second_end] =
            [3_000, 3_600, 36_000].map(|seconds| start + Duration::from_secs(seconds));

        assert!(cache.at_hand(start).is_none(), "nobody has asked yet");
        answer.send(first_end).unwrap();
        cache.credentials(start).unwrap();
        asked.recv().unwrap();
        assert!(cache.at_hand(start).is_some());
        assert!(cache.at_hand(stale).is_none(), "someone has to ask");

        std::thread::scope(|scope| {
            let refresh = scope.spawn(|| cache.credentials(stale).unwrap());
            asked.recv().unwrap();
            let meanwhile = cache.at_hand(stale).expect("another is asking");
            assert_eq!(meanwhile.credentials.expiry(), Some(first_end));
            assert!(cache.at_hand(first_end).is_none(), "these have ended");
            answer.send(second_end).unwrap();
            let newer = refresh.join().unwrap();
            assert_eq!(newer.credentials.expiry(), Some(second_end));
        });
        let newer = cache.at_hand(stale).expect("these are fresh");
        assert_eq!(newer.credentials.expiry(), Some(second_end));
    }
}
