//! How many logins a server gets in a second. RDS refuses more than 200.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use crate::locked;

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
        let wait = self.wait(&locked(&self.bucket), now, 0);
        if !wait.is_zero() {
            tokio::time::sleep(wait).await;
        }
        self.take(now);
        Ok(())
    }

    fn queue(&self, now: Instant) -> Result<Waiting<'_>, Duration> {
        let mut bucket = locked(&self.bucket);
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
        let mut bucket = locked(&self.bucket);
        bucket.full_at = Some(bucket.start(since) + self.gap);
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
        locked(&self.0.bucket).waiting -= 1;
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
        let wait = rate.wait(&locked(&rate.bucket), now, 0);
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
