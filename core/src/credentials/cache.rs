//! Caches credentials until shortly before they expire, and lets one caller at a time refresh them.
//!
//! Nothing runs in the background: the cache checks the time when a caller needs a token. While one
//! caller fetches, the others use the cached credentials if these are still valid, and wait
//! otherwise. After a fork, the child uses a new lock: a thread that exists only in the parent may
//! hold the old one.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use arc_swap::{ArcSwap, ArcSwapOption};
use aws_credential_types::Credentials;

#[cfg(feature = "chain")]
use super::chain::delay_forks;
pub(crate) use super::flight::Lease;
use super::flight::{Flight, Landing, end_of};
use super::source::{Found, Patience, RegionHint, Source, expired, odd_keys};
#[cfg(not(feature = "chain"))]
use super::without_chain::delay_forks;
use super::{Teller, timing};
use crate::error::{Error, ErrorCode};
use crate::message::seconds;
use crate::names::OddKeys;
use crate::timestamp::format_rfc3339;

/// How long a caller that has valid credentials may wait for newer ones.
const BOUND_AHEAD: Duration = Duration::from_secs(1);
/// How much longer a caller waits for another caller's fetch than the fetch may take. The
/// difference lets it report the fetch's own error instead of a timeout.
const WAIT_BEYOND: Duration = Duration::from_millis(500);
/// A caller fetches itself after another caller's fetch failed, if at least this part of its own
/// bound is left.
const WORTH_A_FETCH: u32 = 10;
/// A fetch that fails with less time left than its next pause would take had no time to ask its source
/// again. The pauses begin with the first and grow with the time that it took, up to the last.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LAST_PAUSE: Duration = Duration::from_secs(1);

/// One source's credentials, shared by all threads.
pub(crate) struct CredentialsCache {
    source: Source,
    region: RegionHint,
    /// How long before expiry to refresh: a token's lifetime.
    ahead: Duration,
    teller: Teller,
    current: ArcSwapOption<Lease>,
    flight: ArcSwap<Flight>,
}

impl CredentialsCache {
    pub(crate) fn new(source: Source, region: RegionHint, ahead: Duration, teller: Teller) -> Self {
        if source.constant().is_none() {
            delay_forks();
        }
        Self {
            source,
            region,
            ahead,
            teller,
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

    /// Returns credentials that are valid at `now`. Waits for at most `bound`, unless a provider
    /// takes longer.
    pub(crate) fn credentials(&self, now: SystemTime, bound: Duration) -> Result<Lease, Error> {
        if let Some(credentials) = self.source.constant() {
            return valid(
                credentials.clone(),
                end_of(credentials),
                now,
                "they were given to the signer",
            );
        }
        match self.held(now) {
            Some(lease) if lease.is_fresh(now) => Ok(lease),
            Some(lease) => Ok(self.refresh_ahead(&lease, now, bound.min(BOUND_AHEAD))),
            None => self.fetch_or_wait(now, bound),
        }
    }

    /// Returns valid credentials if no fetch is needed: fresh ones, or ones about to expire while
    /// another caller refreshes them.
    pub(crate) fn cached(&self, now: SystemTime) -> Option<Lease> {
        self.held(now).filter(|lease| {
            lease.is_fresh(now) || (!lease.is_ending(now) && self.flight().is_under_way())
        })
    }

    /// Returns the cached credentials if they are valid.
    fn held(&self, now: SystemTime) -> Option<Lease> {
        let current = self.current.load();
        let lease = current.as_ref().filter(|lease| lease.is_valid(now))?;
        Some(Lease::clone(lease))
    }

    /// Tries to fetch newer credentials. If that fails, returns the old ones, which are still
    /// valid.
    fn refresh_ahead(&self, old: &Lease, now: SystemTime, bound: Duration) -> Lease {
        let flight = self.flight();
        let Some(landing) = flight.take_off() else {
            // With a few seconds left, newer credentials are worth the wait.
            if old.is_ending(now) {
                let _ = flight.wait(bound);
            }
            return self.held(now).unwrap_or_else(|| old.clone());
        };
        // Another caller may have refreshed after this one read `current`.
        if let Some(lease) = self.held(now).filter(|lease| lease.is_fresh(now)) {
            return landing.with_lease(lease);
        }
        let started = Instant::now();
        let patience = Patience {
            bound,
            asks_again: false,
            now: None,
        };
        let (newer, outcome) = match self.fetch(patience, now) {
            Ok((newer, source)) => (newer, Ok(source)),
            Err(error) => (old.clone(), Err(error)),
        };
        // Never replaces credentials by ones that expire sooner.
        let newer = match (newer.credentials.expiry(), old.credentials.expiry()) {
            (Some(new), Some(held)) if new < held => old.clone(),
            _ => newer,
        };
        // The fetch may have taken longer than the shortest pause.
        let took = started.elapsed();
        let now = now + took;
        let lease = Lease {
            ask_again_at: self.ask_again_at(&newer.credentials, now),
            ..newer
        };
        let (old, keys) = (&old.credentials, &lease.credentials);
        let event = self.teller.of_refresh(outcome, old, keys, took, now);
        let lease = self.land(landing, lease);
        if let Some(event) = event {
            self.teller.tell(event);
        }
        lease
    }

    /// Fetches, or waits for the caller that does.
    fn fetch_or_wait(&self, now: SystemTime, bound: Duration) -> Result<Lease, Error> {
        let started = Instant::now();
        let mut failure = None;
        loop {
            let left = bound.saturating_sub(started.elapsed());
            let flight = self.flight();
            if let Some(landing) = flight.take_off() {
                // Another caller may have fetched after this one read `current`.
                if let Some(lease) = self.held(now) {
                    return Ok(landing.with_lease(lease));
                }
                match failure {
                    Some(failure) if left < bound / WORTH_A_FETCH => {
                        return Err(landing.with_error(failure, true));
                    }
                    _ => return self.fetch_first(landing, left, now),
                }
            }
            match flight.wait(left.saturating_add(WAIT_BEYOND)) {
                // For this caller they may have expired: its clock reading was later.
                Some(Ok(lease)) if lease.is_valid(now) => return Ok(lease),
                Some(Ok(_)) => {}
                // That fetch began before this caller came, or had less time. This caller may still
                // succeed.
                Some(Err(failed)) => {
                    let left = bound.saturating_sub(started.elapsed());
                    let is_worth_it = failed.ran_out && left >= bound / WORTH_A_FETCH;
                    if failure.is_some() && !is_worth_it {
                        return Err(failed.error);
                    }
                    failure = Some(failed.error);
                }
                None => return Err(self.waited_too_long()),
            }
        }
    }

    /// Fetches if no credentials are valid.
    fn fetch_first(
        &self,
        landing: Landing<'_>,
        bound: Duration,
        now: SystemTime,
    ) -> Result<Lease, Error> {
        let started = Instant::now();
        let patience = Patience {
            bound,
            asks_again: true,
            now: Some(now),
        };
        let outcome = self.fetch(patience, now);
        let took = started.elapsed();
        match outcome {
            Ok((lease, source)) => {
                let lease = self.land(landing, lease);
                self.teller.fetched(source, &lease.credentials, took);
                Ok(lease)
            }
            Err(error) => {
                let error = landing.with_error(error, has_run_out(bound, took));
                self.teller.fetch_failed(&error, took);
                Err(error)
            }
        }
    }

    fn land(&self, landing: Landing<'_>, lease: Lease) -> Lease {
        self.current.store(Some(Arc::new(lease.clone())));
        landing.with_lease(lease)
    }

    /// Returns credentials and the name of their source.
    fn fetch(&self, patience: Patience, now: SystemTime) -> Result<(Lease, &'static str), Error> {
        let Found {
            credentials,
            source,
            ..
        } = self
            .source
            .load(Some(&self.region), patience)
            .map_err(|error| self.with_expiry(error, now))?;
        let ask_again_at = self.ask_again_at(&credentials, now);
        let lease = valid(credentials, ask_again_at, now, source)?;
        Ok((lease, source))
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

    fn waited_too_long(&self) -> Error {
        let bound = self.source.timeout.saturating_add(WAIT_BEYOND);
        Error::new(
            ErrorCode::CredentialsTimeout,
            format!(
                "credentials: another thread is fetching them and got no answer within {}",
                seconds(bound)
            ),
        )
    }

    fn ask_again_at(&self, credentials: &Credentials, now: SystemTime) -> Option<SystemTime> {
        let end = end_of(credentials)?;
        Some(timing::ask_again_at(end, self.ahead, now))
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

/// Whether a fetch that failed had no time to ask its source again.
fn has_run_out(bound: Duration, took: Duration) -> bool {
    let next_pause = LAST_PAUSE.min(took + FIRST_PAUSE);
    bound.saturating_sub(took) <= next_pause.max(bound / WORTH_A_FETCH)
}

/// Rejects expired credentials.
fn valid(
    credentials: Credentials,
    ask_again_at: Option<SystemTime>,
    now: SystemTime,
    source: &str,
) -> Result<Lease, Error> {
    match end_of(&credentials) {
        Some(end) if end <= now => Err(expired(&credentials, source)),
        _ => Ok(Lease {
            credentials,
            ask_again_at,
        }),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Mutex, mpsc};

    use super::*;
    use crate::credentials::options::SourceOptions;

    const BOUND: Duration = Duration::from_secs(600);

    #[test]
    fn a_fetch_that_fails_early_has_not_run_out_however_short_its_bound_is() {
        for (bound, took, expected) in [
            (1000, 10, false),
            (1000, 300, false),
            (500, 10, false),
            (5000, 10, false),
            // Asked again until the next pause was too long.
            (700, 300, true),
            (1000, 700, true),
            (5000, 4300, true),
            (1000, 1000, true),
            (60_000, 55_000, true),
        ] {
            let [bound, took] = [bound, took].map(Duration::from_millis);
            assert_eq!(has_run_out(bound, took), expected, "{bound:?} {took:?}");
        }
    }

    #[test]
    fn during_a_refresh_other_callers_use_the_old_credentials() {
        let (ask, asked) = mpsc::channel();
        let (answer, answers) = mpsc::channel();
        let answers = Mutex::new(answers);
        let options = SourceOptions {
            provider: Some(Arc::new(move || {
                ask.send(()).unwrap();
                // Bounded, so that a failure below does not hang the test.
                let end = answers.lock().unwrap().recv_timeout(BOUND)?;
                Ok(Credentials::new("akid", "secret", None, Some(end), "test"))
            })),
            ..SourceOptions::default()
        };
        let ahead = Duration::from_secs(900);
        let region = RegionHint::Database("us-east-1".into());
        let cache =
            CredentialsCache::new(options.settle().unwrap(), region, ahead, Teller::new(None));
        let start = SystemTime::UNIX_EPOCH;
        let [stale, first_end, second_end] =
            [3_000, 3_600, 36_000].map(|seconds| start + Duration::from_secs(seconds));

        assert!(cache.cached(start).is_none(), "nothing was fetched yet");
        answer.send(first_end).unwrap();
        cache.credentials(start, BOUND).unwrap();
        asked.recv().unwrap();
        assert!(cache.cached(start).is_some());
        assert!(cache.cached(stale).is_none(), "a refresh is due");

        std::thread::scope(|scope| {
            let refresh = scope.spawn(|| cache.credentials(stale, BOUND).unwrap());
            asked.recv().unwrap();
            let meanwhile = cache.cached(stale).expect("a refresh is running");
            assert_eq!(meanwhile.credentials.expiry(), Some(first_end));
            let ending = first_end - Duration::from_secs(4);
            assert!(
                cache.cached(ending).is_none(),
                "the refresh is worth a wait"
            );
            assert!(cache.cached(first_end).is_none(), "expired");
            answer.send(second_end).unwrap();
            let newer = refresh.join().unwrap();
            assert_eq!(newer.credentials.expiry(), Some(second_end));
        });
        let newer = cache.cached(stale).expect("fresh");
        assert_eq!(newer.credentials.expiry(), Some(second_end));
    }

    /// The threads with little time left came before the one with much, and one of them usually
    /// fetches first.
    #[test]
    fn a_caller_with_time_left_survives_the_failure_of_one_whose_time_is_up() {
        // A fetch with no more than the first pause has no time to ask again.
        const SHORT: Duration = FIRST_PAUSE;
        let is_patient = || std::thread::current().name() == Some("patient");
        for round in 0.. {
            assert!(round < 1000, "the patient caller was always the first");
            let (fail, failed) = mpsc::channel::<()>();
            let failed = Mutex::new(failed);
            let fetches = Mutex::new(Vec::new());
            let fetches = Arc::new(fetches);
            let noted = Arc::clone(&fetches);
            let options = SourceOptions {
                provider: Some(Arc::new(move || {
                    let count = {
                        let mut noted = noted.lock().unwrap();
                        noted.push(is_patient());
                        noted.len()
                    };
                    if count == 1 {
                        let _ = failed.lock().unwrap().recv_timeout(BOUND);
                    }
                    if count > 1 && !is_patient() {
                        // The patient caller most likely waits for this fetch by then.
                        std::thread::sleep(Duration::from_millis(50));
                    }
                    match is_patient() {
                        true => Ok(Credentials::new("akid", "secret", None, None, "test")),
                        false => Err("not now".into()),
                    }
                })),
                ..SourceOptions::default()
            };
            let region = RegionHint::Database("us-east-1".into());
            let cache =
                CredentialsCache::new(options.settle().unwrap(), region, SHORT, Teller::new(None));
            let start = SystemTime::UNIX_EPOCH;
            let waiting = |count: usize, bound: Duration| {
                // Each caller that waits holds the flight, and so do the cache and this test.
                let flight = cache.flight();
                let end = Instant::now() + bound;
                while Arc::strong_count(&flight) < count + 2 && Instant::now() < end {
                    std::thread::yield_now();
                }
            };
            std::thread::scope(|scope| {
                scope.spawn(|| cache.credentials(start, SHORT).unwrap_err());
                waiting(1, BOUND);
                for _ in 0..8 {
                    scope.spawn(|| cache.credentials(start, SHORT));
                }
                let patient = std::thread::Builder::new().name("patient".into());
                let patient = patient.spawn_scoped(scope, || cache.credentials(start, BOUND));
                waiting(10, SHORT);
                fail.send(()).unwrap();
                patient.unwrap().join().unwrap().expect("time was left");
            });
            // The patient caller saw one failure more than that of the first fetch.
            if fetches
                .lock()
                .unwrap()
                .iter()
                .position(|is_patient| *is_patient)
                != Some(1)
            {
                return;
            }
        }
    }
}
