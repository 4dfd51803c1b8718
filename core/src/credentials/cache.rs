//! Caches credentials until shortly before they expire, and lets one caller at a time refresh them.
//!
//! Nothing runs in the background: the cache checks the time when a caller needs a token. While one
//! caller fetches, the others use the cached credentials if these are still valid, and wait
//! otherwise. After a fork, the child uses a new lock: a thread that exists only in the parent may
//! hold the old one.

use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use arc_swap::{ArcSwap, ArcSwapOption};
use aws_credential_types::Credentials;

pub(crate) use super::flight::Lease;
use super::flight::{Flight, end_of};
use super::source::{Found, RegionHint, Source, odd_keys};
use crate::error::{Error, ErrorCode};
use crate::names::{OddKeys, shown_access_key_id};
use crate::timestamp::format_rfc3339;

/// How long to wait after a failed refresh before the next one, while the old credentials are
/// valid.
const ASK_AGAIN_AFTER: Duration = Duration::from_secs(60);
/// How long a caller that has valid credentials may wait for newer ones.
const BOUND_AHEAD: Duration = Duration::from_secs(1);
/// How much longer a caller waits for another caller's fetch than the fetch may take. The
/// difference lets it report the fetch's own error instead of a timeout.
const WAIT_BEYOND: Duration = Duration::from_millis(500);

/// One source's credentials, shared by all threads.
pub(crate) struct CredentialsCache {
    source: Source,
    region: RegionHint,
    /// How long before expiry to refresh: a token's lifetime.
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

    /// Returns warnings about the keys that signed last, if any did.
    pub(crate) fn odd_keys(&self) -> Vec<OddKeys> {
        match (self.source.constant(), self.current.load_full()) {
            (Some(keys), _) => odd_keys(keys),
            (None, Some(lease)) => odd_keys(&lease.credentials),
            (None, None) => Vec::new(),
        }
    }

    /// Returns credentials that are valid at `now`.
    pub(crate) fn credentials(&self, now: SystemTime) -> Result<Lease, Error> {
        if let Some(credentials) = self.source.constant() {
            return valid(
                credentials.clone(),
                end_of(credentials),
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

    /// Returns valid credentials if no fetch is needed: fresh ones, or ones about to expire while
    /// another caller refreshes them.
    pub(crate) fn cached(&self, now: SystemTime) -> Option<Lease> {
        let current = self.current.load_full();
        let lease = current.filter(|lease| lease.is_valid(now))?;
        let is_usable = lease.is_fresh(now) || self.flight().is_under_way();
        is_usable.then(|| Lease::clone(&lease))
    }

    /// Tries to fetch newer credentials. If that fails, returns the old ones, which are still
    /// valid.
    fn refresh_ahead(&self, old: &Lease, now: SystemTime) -> Lease {
        let flight = self.flight();
        let Some(landing) = flight.take_off() else {
            return old.clone();
        };
        // Another caller may have refreshed after this one read `current`.
        let current = self.current.load_full();
        if let Some(lease) = current.filter(|lease| lease.is_valid(now) && lease.is_fresh(now)) {
            landing.with(Ok(Lease::clone(&lease)));
            return Lease::clone(&lease);
        }
        let bound = self.source.timeout.min(BOUND_AHEAD);
        let newer = self.fetch(bound, now).unwrap_or_else(|_| old.clone());
        // Never replaces credentials by ones that expire sooner.
        let newer = match (newer.credentials.expiry(), old.credentials.expiry()) {
            (Some(new), Some(held)) if new < held => old.clone(),
            _ => newer,
        };
        let lease = Lease {
            ask_again_at: self.ask_again_at(end_of(&newer.credentials), now),
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
            // The other caller's clock reading was earlier: for this caller they are expired.
            return self.fetch_or_wait(now);
        };
        // Another caller may have fetched after this one read `current`.
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
            .map_err(|error| self.with_expiry(error, now))?;
        let ask_again_at = self.ask_again_at(end_of(&credentials), now);
        valid(credentials, ask_again_at, now, source)
    }

    /// Reports expired credentials if the source used to return some and now has none.
    fn with_expiry(&self, error: Error, now: SystemTime) -> Error {
        let expiry = self
            .current
            .load_full()
            .and_then(|lease| end_of(&lease.credentials));
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

    /// Returns when to refresh: a token's lifetime before expiry, and slightly earlier at random,
    /// so that processes that started together do not all refresh at once. It is at least about a
    /// minute from now, or every call would refresh.
    fn ask_again_at(&self, expiry: Option<SystemTime>, now: SystemTime) -> Option<SystemTime> {
        let expiry = expiry?;
        let ahead = self.ahead + self.ahead.mul_f64(0.2 * chance());
        let pause = ASK_AGAIN_AFTER.mul_f64(0.75 + 0.5 * chance());
        let early = expiry.checked_sub(ahead).unwrap_or(now);
        Some(early.max(now + pause).min(expiry))
    }

    fn flight(&self) -> Arc<Flight> {
        let flight = self.flight.load_full();
        if flight.process_id == std::process::id() {
            return flight;
        }
        // If several threads of the child get here at once, they all use the first one's new
        // flight.
        self.flight
            .compare_and_swap(&flight, Arc::new(Flight::new()));
        self.flight.load_full()
    }
}

/// Rejects expired credentials.
fn valid(
    credentials: Credentials,
    ask_again_at: Option<SystemTime>,
    now: SystemTime,
    source: &str,
) -> Result<Lease, Error> {
    match end_of(&credentials) {
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

/// Returns a random number from 0 to 1, which differs between forks of one process.
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
    fn during_a_refresh_other_callers_use_the_old_credentials() {
        let (ask, asked) = mpsc::channel();
        let (answer, answers) = mpsc::channel();
        let answers = Mutex::new(answers);
        let options = SourceOptions {
            provider: Some(Arc::new(move || {
                ask.send(()).unwrap();
                // Bounded, so that a failure below does not hang the test.
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

        assert!(cache.cached(start).is_none(), "nothing was fetched yet");
        answer.send(first_end).unwrap();
        cache.credentials(start).unwrap();
        asked.recv().unwrap();
        assert!(cache.cached(start).is_some());
        assert!(cache.cached(stale).is_none(), "a refresh is due");

        std::thread::scope(|scope| {
            let refresh = scope.spawn(|| cache.credentials(stale).unwrap());
            asked.recv().unwrap();
            let meanwhile = cache.cached(stale).expect("a refresh is running");
            assert_eq!(meanwhile.credentials.expiry(), Some(first_end));
            assert!(cache.cached(first_end).is_none(), "expired");
            answer.send(second_end).unwrap();
            let newer = refresh.join().unwrap();
            assert_eq!(newer.credentials.expiry(), Some(second_end));
        });
        let newer = cache.cached(stale).expect("fresh");
        assert_eq!(newer.credentials.expiry(), Some(second_end));
    }
}
