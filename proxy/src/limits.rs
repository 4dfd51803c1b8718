//! How much a proxy does at once, and for how long.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Notify;

/// The limits of a proxy.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Sessions at once, from 1. Default 1000.
    pub max_connections: u32,
    /// Logins that are started in a second, from 1. Default 150: RDS refuses logins above 200.
    /// <https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/UsingWithRDS.IAMDBAuth.html>
    pub max_logins_per_second: u32,
    /// How long a client may take for TLS, its first message and its password together, and then a
    /// server for a login. Default 60 s, PostgreSQL's `authentication_timeout`.
    pub startup_timeout: Duration,
    /// How long connecting to the server may take, with the name and TLS. Default 10 s.
    pub connect_timeout: Duration,
    /// How long sessions may go on after SIGTERM. Default 30 s.
    pub drain: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_connections: 1000,
            max_logins_per_second: 150,
            startup_timeout: Duration::from_secs(60),
            connect_timeout: Duration::from_secs(10),
            drain: Duration::from_secs(30),
        }
    }
}

/// Clients beyond the limit of sessions that are told so, or cancel, at once. The others are hung up on.
pub(crate) const TOLD: u32 = 100;

/// The open sessions. Their limit may change while they are open.
#[derive(Debug, Default)]
pub(crate) struct Sessions {
    open: Mutex<u32>,
    none: Notify,
}

impl Sessions {
    /// Returns a place, unless `limit` are taken.
    pub(crate) fn enter(self: &Arc<Self>, limit: u32) -> Option<Place> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        (*open < limit).then(|| {
            *open += 1;
            Place(self.clone())
        })
    }

    pub(crate) fn open(&self) -> u32 {
        *self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until none is open. No more may be opened meanwhile.
    pub(crate) async fn ended(&self) {
        while self.open() > 0 {
            self.none.notified().await;
        }
    }
}

/// The place of a session, until it is dropped.
pub(crate) struct Place(Arc<Sessions>);

impl Drop for Place {
    fn drop(&mut self) {
        let mut open = self.0.open.lock().unwrap_or_else(PoisonError::into_inner);
        *open -= 1;
        if *open == 0 {
            self.0.none.notify_one();
        }
    }
}

/// How long a client waits at most for its turn to log in. With more clients than that, all of them
/// would run into their own timeouts.
const LONGEST_WAIT: Duration = Duration::from_secs(10);

/// Spreads logins: a token bucket that holds a third of a second's logins. So no second has more than
/// four thirds of the rate, which is RDS's limit with the default rate.
#[derive(Debug)]
pub(crate) struct Rate {
    gap: Duration,
    burst: Duration,
    bucket: Mutex<Bucket>,
    /// Held by the first in the queue. Whoever leaves the queue leaves its turn to the next.
    first: tokio::sync::Mutex<()>,
}

#[derive(Debug, Default)]
struct Bucket {
    /// When it would be full. Behind `now` it is full, ahead of it by `burst` it is empty.
    full_at: Option<Instant>,
    /// The length of the queue.
    waiting: u32,
}

impl Rate {
    pub(crate) fn new(per_second: u32) -> Self {
        let gap = Duration::from_secs(1) / per_second.max(1);
        Self {
            gap,
            burst: gap * (per_second / 3).max(1),
            bucket: Mutex::default(),
            first: tokio::sync::Mutex::default(),
        }
    }

    /// Waits for this login's turn. Turns are in the order of the calls. A call that is dropped takes none.
    ///
    /// # Errors
    /// The wait, if it would be too long.
    pub(crate) async fn turn(&self) -> Result<(), Duration> {
        let _waiting = self.queue(Instant::now())?;
        let _first = self.first.lock().await;
        let now = Instant::now();
        let wait = self.wait(&self.bucket(), now, 0);
        if !wait.is_zero() {
            tokio::time::sleep(wait).await;
        }
        self.take(now);
        Ok(())
    }

    fn queue(&self, now: Instant) -> Result<Waiting<'_>, Duration> {
        let mut bucket = self.bucket();
        let wait = self.wait(&bucket, now, bucket.waiting);
        if wait > LONGEST_WAIT {
            return Err(wait);
        }
        bucket.waiting += 1;
        Ok(Waiting(self))
    }

    /// Returns how long a login waits that has so many before it.
    fn wait(&self, bucket: &Bucket, now: Instant, before: u32) -> Duration {
        let next = bucket.start(now) + self.gap * (before + 1);
        next.saturating_duration_since(now + self.burst)
    }

    /// Takes the turn that a login waited for since then.
    fn take(&self, since: Instant) {
        let mut bucket = self.bucket();
        bucket.full_at = Some(bucket.start(since) + self.gap);
    }

    fn bucket(&self) -> MutexGuard<'_, Bucket> {
        self.bucket.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Bucket {
    fn start(&self, now: Instant) -> Instant {
        self.full_at.map_or(now, |at| at.max(now))
    }
}

/// A place in the queue, until it is dropped.
struct Waiting<'a>(&'a Rate);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.bucket().waiting -= 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns when each of `count` logins starts that arrive together.
    fn starts(rate: &Rate, now: Instant, count: u32) -> Vec<Duration> {
        (0..count).map(|_| start(rate, now)).collect()
    }

    fn start(rate: &Rate, now: Instant) -> Duration {
        let wait = rate.wait(&rate.bucket(), now, 0);
        rate.take(now);
        wait
    }

    #[test]
    fn no_second_has_more_logins_than_rds_accepts() {
        let waits = starts(&Rate::new(150), Instant::now(), 1000);
        assert!(waits.is_sorted());
        for start in &waits {
            let second = *start..*start + Duration::from_secs(1);
            let started = waits.iter().filter(|wait| second.contains(*wait)).count();
            assert!(started <= 200, "{started} in the second from {start:?}");
        }
        let last = waits.last().unwrap();
        assert!(*last > Duration::from_secs(6) && *last < Duration::from_secs(7));
    }

    #[test]
    fn a_burst_does_not_wait_and_comes_back_with_time() {
        let (rate, now) = (Rate::new(30), Instant::now());
        assert!(starts(&rate, now, 10).iter().all(Duration::is_zero));
        assert!(!start(&rate, now).is_zero());
        let later = now + Duration::from_secs(2);
        assert!(starts(&rate, later, 10).iter().all(Duration::is_zero));
    }

    #[test]
    fn the_queue_is_bounded_and_who_leaves_it_takes_no_turn() {
        let (rate, now) = (Rate::new(1), Instant::now());
        let mut queue: Vec<_> = (0..11).map(|_| rate.queue(now).ok()).collect();
        assert!(queue.iter().all(Option::is_some));
        assert!(rate.queue(now).is_err() && rate.queue(now).is_err());
        queue.pop();
        queue.push(rate.queue(now).ok());
        assert!(queue.iter().all(Option::is_some) && rate.queue(now).is_err());
        // The turn of the first.
        rate.take(now);
        queue.remove(0);
        assert!(rate.queue(now).is_err());
        assert!(rate.queue(now + Duration::from_secs(1)).is_ok());
    }

    #[test]
    fn extreme_rates_neither_panic_nor_stop() {
        for rate in [0, 1, 2, u32::MAX] {
            assert!(start(&Rate::new(rate), Instant::now()).is_zero(), "{rate}");
        }
    }
}
