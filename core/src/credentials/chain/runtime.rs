//! A tokio runtime for the length of one fetch, on the caller's own thread.
//!
//! Nothing of it stays: no thread outlives the call, so a fork, a freeze or an unloaded library
//! finds nothing half done. Only a name look-up that hangs in the C library cannot be called off,
//! and is left to end by itself.

use std::future::Future;
use std::time::Duration;

use super::fork;
use super::quiet::{quiet_thread, quietly};
use crate::error::Error;

/// How long the look-ups of names have to end.
const WIND_UP: Duration = Duration::from_millis(100);

/// How a fetch came to its end.
pub(crate) enum Outcome<T> {
    Done(T),
    /// The bound was reached first.
    TimedOut,
    /// The code below panicked at this place.
    Panicked(String),
}

/// Runs a future to its end, or for `bound` at the most.
///
/// It also works on a thread that is inside a runtime, which may not enter another one: there a
/// thread is borrowed for the call.
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

/// From here on a fork waits, except while the runtime does; also on the way out of a panic.
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
