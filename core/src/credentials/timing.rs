//! Decides when to refresh credentials.
//!
//! They are refreshed a token's lifetime before they expire. A source may have newer ones only
//! shortly before that, so the pauses between two refreshes become shorter. A driver signs before it
//! connects, so credentials with a few seconds left are as good as expired.

use std::hash::{BuildHasher, RandomState};
use std::time::{Duration, Instant, SystemTime};

/// How long to wait after a refresh before the next one, while the credentials are valid.
const PAUSE: Duration = Duration::from_secs(60);
/// Credentials that expire sooner are refreshed more often.
pub(super) const SOON: Duration = Duration::from_secs(60);
const PAUSE_SOON: Duration = Duration::from_secs(3);
/// Credentials that expire sooner sign only if their source has no newer ones.
const ENDING: Duration = Duration::from_secs(5);
/// Long enough that calls in a row do not all ask a source that has nothing newer.
const PAUSE_ENDING: Duration = Duration::from_millis(500);

/// Whether the credentials sign only if their source has no newer ones.
pub(super) fn is_ending(end: SystemTime, now: SystemTime) -> bool {
    left(end, now) < ENDING
}

/// Returns when to refresh credentials that were fetched now: `ahead` before their end. That is
/// slightly earlier at random, so that processes that started together do not all refresh at once.
pub(super) fn ask_again_at(end: SystemTime, ahead: Duration, now: SystemTime) -> SystemTime {
    let left = left(end, now);
    let before = |distance| end.checked_sub(distance).unwrap_or(now);
    if left > SOON {
        let ahead = ahead.max(SOON);
        let early = before(ahead + ahead.mul_f64(0.2 * chance()));
        let pause = PAUSE.mul_f64(0.75 + 0.5 * chance());
        return early.max(now + pause).min(before(SOON));
    }
    if left > ENDING {
        let pause = PAUSE_SOON.mul_f64(0.75 + 0.5 * chance());
        return (now + pause).min(before(ENDING));
    }
    now + PAUSE_ENDING.min(left)
}

fn left(end: SystemTime, now: SystemTime) -> Duration {
    end.duration_since(now).unwrap_or_default()
}

/// Returns a random number from 0 to 1, which differs between forks of one process.
fn chance() -> f64 {
    let seed = (std::process::id(), Instant::now());
    let bits = RandomState::new().hash_one(seed) >> 11;
    bits as f64 / (1_u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(seconds: f64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs_f64(seconds)
    }

    /// Returns the time left at each refresh of a source that never has newer credentials.
    fn refreshes(lifetime: f64, ahead: u64) -> Vec<f64> {
        let (mut now, end) = (after(0.0), after(lifetime));
        let mut left = Vec::new();
        while now < end {
            now = ask_again_at(end, Duration::from_secs(ahead), now);
            left.push(end.duration_since(now).unwrap_or_default().as_secs_f64());
        }
        left
    }

    #[test]
    fn the_less_time_is_left_the_more_often_credentials_are_refreshed() {
        for lifetime in [4.0, 7.5, 60.0, 61.0, 100.0, 130.0, 900.0, 3600.0] {
            for ahead in [1, 60, 900] {
                let mut before = lifetime;
                for left in refreshes(lifetime, ahead) {
                    let most = match left {
                        left if left >= 60.0 => 3600.0,
                        left if left >= 5.0 => 3.75,
                        _ => 0.5,
                    };
                    // The first one in the last minute may follow any pause.
                    assert!(
                        before - left <= most || left >= 60.0 - 1e-6,
                        "{before} {left}"
                    );
                    before = left;
                }
            }
        }
    }

    #[test]
    fn a_refresh_never_follows_the_one_before_at_once() {
        for left in [0.2, 1.0, 4.9, 6.0, 30.0, 59.0, 64.0, 100.0, 3600.0] {
            let pause = ask_again_at(after(left), Duration::from_secs(900), after(0.0));
            assert!(pause >= after(left.min(0.5)), "{left}");
        }
    }
}
