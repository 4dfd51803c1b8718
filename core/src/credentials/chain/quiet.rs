//! Turns a panic during a fetch into an error value, and prints nothing.
//!
//! The chain runs in the host program's process. The process's panic hook prints before the panic
//! can be caught. So this module wraps the existing hook once: threads that work for a fetch skip
//! it, and all others still use it.

use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, PanicHookInfo, catch_unwind, set_hook, take_hook};
use std::path::Path;
use std::sync::Once;

thread_local! {
    static QUIET: Cell<bool> = const { Cell::new(false) };
    static PLACE: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Runs `work`. If it panics, the error is the place, such as `endpoint.rs:195`.
pub(super) fn quietly<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    wrap_hook();
    let before = QUIET.replace(true);
    let outcome = catch_unwind(AssertUnwindSafe(work));
    QUIET.set(before);
    // The panic's payload is dropped, because it may quote a secret.
    outcome.map_err(|_| {
        PLACE
            .take()
            .unwrap_or_else(|| "an unknown place".to_owned())
    })
}

/// Stops printing the panics of this thread, which belongs to a fetch's runtime.
pub(super) fn quiet_thread() {
    QUIET.set(true);
}

fn wrap_hook() {
    static WRAP: Once = Once::new();
    // A thread that unwinds cannot replace the hook. Then this panic may be printed.
    if std::thread::panicking() {
        return;
    }
    WRAP.call_once(|| {
        let previous = take_hook();
        set_hook(Box::new(move |panic| {
            if QUIET.try_with(Cell::get) == Ok(true) {
                let _ = PLACE.try_with(|place| place.replace(Some(place_of(panic))));
            } else {
                previous(panic);
            }
        }));
    });
}

/// Returns the file name and line. The folders are left out: they are those of the build machine.
fn place_of(panic: &PanicHookInfo<'_>) -> String {
    let Some(location) = panic.location() else {
        return "an unknown place".to_owned();
    };
    let file = Path::new(location.file()).file_name().unwrap_or_default();
    format!("{}:{}", file.display(), location.line())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    /// All in one test, because the hook is global.
    #[test]
    fn only_panics_outside_a_fetch_reach_the_host_s_hook() {
        let seen = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&seen);
        set_hook(Box::new(move |_| {
            counter.fetch_add(1, Ordering::SeqCst);
        }));
        let place = quietly(|| -> () { panic!("a secret") }).unwrap_err();
        assert!(place.starts_with("quiet.rs:"), "{place}");
        assert_eq!(seen.load(Ordering::SeqCst), 0);
        assert_eq!(quietly(|| 1), Ok(1));

        let others = std::thread::spawn(|| panic!("the host's own")).join();
        assert!(others.is_err());
        assert_eq!(seen.load(Ordering::SeqCst), 1);
        let own = catch_unwind(|| panic!("after a fetch"));
        assert!(own.is_err());
        assert_eq!(seen.load(Ordering::SeqCst), 2);
        let _ = take_hook();
    }
}
