//! A panic of the code below becomes a value, and writes nothing to standard error.
//!
//! The chain runs in someone else's process. A panic there goes through the process's panic hook,
//! which prints before anyone can catch the panic. So the hook that was there is wrapped once: it is
//! left out for threads that work for a fetch, and stays as it was for all others.

use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, PanicHookInfo, catch_unwind, set_hook, take_hook};
use std::path::Path;
use std::sync::Once;

thread_local! {
    static QUIET: Cell<bool> = const { Cell::new(false) };
    static PLACE: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Runs `work`; the error is the place of a panic, such as `endpoint.rs:195`.
pub(super) fn quietly<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    wrap_hook();
    let before = QUIET.replace(true);
    let outcome = catch_unwind(AssertUnwindSafe(work));
    QUIET.set(before);
    // What a panic carries is dropped: it may quote anything.
    outcome.map_err(|_| {
        PLACE
            .take()
            .unwrap_or_else(|| "an unknown place".to_owned())
    })
}

/// From here on, panics of this thread are not printed. For the threads of a fetch's runtime.
pub(super) fn quiet_thread() {
    QUIET.set(true);
}

fn wrap_hook() {
    static WRAP: Once = Once::new();
    // The hook cannot be replaced while the thread unwinds: then this panic's text may be printed.
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

/// Without the folders, which are those of the machine that built this.
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

    /// One test: the hook is the process's.
    #[test]
    fn a_panic_of_a_fetch_is_a_value_and_others_still_reach_the_host_s_hook() {
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
