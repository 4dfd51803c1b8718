//! Runs one fetch in its own tokio runtime, on the caller's thread.
//!
//! No thread outlives the call, so a fork, a freeze or the unloading of the library never
//! interrupts background work. The exception is a DNS lookup that hangs in the C library: it cannot
//! be cancelled, so its thread stays until it finishes.
//!
//! The AWS SDK's trace events may show requests with their secrets, so no subscriber of the host sees
//! them.

use std::future::Future;
use std::io;
use std::time::Duration;

use tokio::runtime::{Handle, Runtime};
use tracing::Dispatch;
use tracing::dispatcher::with_default;

use super::fork;
use super::quiet::{quiet_thread, quietly};
use super::stack;
use crate::error::{Error, ErrorCode};
use crate::system::limits::no_descriptor;

/// How long to wait for running DNS lookups.
const WIND_UP: Duration = Duration::from_millis(100);

/// The outcome of a fetch.
pub(crate) enum Outcome<T> {
    Done(T),
    /// It exceeded its bound.
    TimedOut,
    /// It panicked at this place.
    Panicked(String),
}

/// Runs a future to completion, or for at most `bound`.
///
/// A thread inside a runtime cannot enter another one, and one with a small stack has no room for it.
/// There, this function runs the future on a temporary thread.
pub(crate) fn block_on<T: Send>(
    bound: Duration,
    future: impl Future<Output = T> + Send,
) -> Result<Outcome<T>, Error> {
    let run = || -> Result<Outcome<T>, Error> {
        let _working = Working::start();
        let runtime = new_runtime()?;
        let bounded = async { tokio::time::timeout(bound, future).await };
        let outcome = quietly(|| {
            with_default(&Dispatch::none(), || {
                let outcome = runtime.block_on(bounded);
                runtime.shutdown_timeout(WIND_UP);
                outcome
            })
        });
        Ok(match outcome {
            Ok(Ok(done)) => Outcome::Done(done),
            Ok(Err(_)) => Outcome::TimedOut,
            Err(place) => Outcome::Panicked(place),
        })
    };
    match Handle::try_current().is_err() && stack::is_enough() {
        true => stack::here(run),
        false => stack::elsewhere(run)?,
    }
}

fn new_runtime() -> Result<Runtime, Error> {
    let built = quietly(|| {
        tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .on_thread_start(quiet_thread)
            .on_thread_park(fork::pause)
            .on_thread_unpark(fork::work)
            .build()
    });
    // tokio panics if no descriptor is left for a pair of sockets, and returns its other errors.
    let built = built.map_err(|place| {
        let probably = no_descriptor();
        io::Error::other(format!("{probably}: tokio panicked at {place}"))
    });
    built
        .flatten()
        .map_err(|error| cannot_start("a runtime", &error))
}

/// Returns the error for a process that has no descriptor or no thread left.
pub(crate) fn cannot_start(what: &str, error: &io::Error) -> Error {
    let message = format!("credentials: cannot start {what} to fetch them: {error}");
    Error::new(ErrorCode::CredentialsFailed, message)
}

/// Delays forks until it is dropped, except while the runtime waits.
struct Working;

impl Working {
    fn start() -> Self {
        fork::work();
        Self
    }
}

impl Drop for Working {
    fn drop(&mut self) {
        fork::pause();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

    use tracing::span::{Attributes, Id, Record};
    use tracing::{Event, Metadata, Subscriber, trace};

    use super::*;

    /// Counts the events that it sees.
    #[derive(Clone, Default)]
    struct Counter(Arc<AtomicUsize>);

    impl Subscriber for Counter {
        fn enabled(&self, _: &Metadata<'_>) -> bool {
            true
        }

        fn new_span(&self, _: &Attributes<'_>) -> Id {
            Id::from_u64(1)
        }

        fn record(&self, _: &Id, _: &Record<'_>) {}

        fn record_follows_from(&self, _: &Id, _: &Id) {}

        fn event(&self, _: &Event<'_>) {
            self.0.fetch_add(1, SeqCst);
        }

        fn enter(&self, _: &Id) {}

        fn exit(&self, _: &Id) {}
    }

    #[test]
    fn the_host_s_subscriber_sees_no_event_of_a_fetch() {
        let counter = Counter::default();
        tracing::subscriber::with_default(counter.clone(), || {
            trace!("before");
            let seen = counter.0.load(SeqCst);
            assert!(seen > 0);
            let bound = Duration::from_secs(60);
            assert!(block_on(bound, async { trace!("a secret") }).is_ok());
            assert_eq!(counter.0.load(SeqCst), seen);
            trace!("after");
            assert!(counter.0.load(SeqCst) > seen);
        });
    }
}
