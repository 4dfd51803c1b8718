//! Runs one fetch in its own tokio runtime, on the caller's thread.
//!
//! No thread outlives the call, so a fork, a freeze or the unloading of the library never
//! interrupts background work. The exception is a DNS lookup that hangs in the C library: it cannot
//! be cancelled, so its thread stays until it finishes.

use std::future::Future;
use std::time::Duration;

use super::fork;
use super::quiet::{quiet_thread, quietly};
use crate::error::Error;

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
/// A thread inside a runtime cannot enter another one. There, this function runs the future on a
/// temporary thread.
pub(crate) fn block_on<T: Send>(
    bound: Duration,
    future: impl Future<Output = T> + Send,
) -> Result<Outcome<T>, Error> {
    let run = || -> Result<Outcome<T>, Error> {
        let _working = Working::start();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .on_thread_start(quiet_thread)
            .on_thread_park(fork::pause)
            .on_thread_unpark(fork::work)
            .build()
            .map_err(|error| Error::internal(format!("cannot start a runtime: {error}")))?;
        let bounded = async { tokio::time::timeout(bound, future).await };
        let outcome = quietly(|| {
            let outcome = runtime.block_on(bounded);
            runtime.shutdown_timeout(WIND_UP);
            outcome
        });
        Ok(match outcome {
            Ok(Ok(done)) => Outcome::Done(done),
            Ok(Err(_)) => Outcome::TimedOut,
            Err(place) => Outcome::Panicked(place),
        })
    };
    if tokio::runtime::Handle::try_current().is_err() {
        return run();
    }
    std::thread::scope(|scope| {
        scope
            .spawn(run)
            .join()
            .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
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
