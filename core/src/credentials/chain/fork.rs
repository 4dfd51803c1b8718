//! Keeps a fork out of the middle of a fetch's work.
//!
//! The libraries that a fetch goes through make many things once in a process, each behind a lock.
//! A child that is forked while another thread holds one finds it held for ever. So a fetch holds
//! this module's lock while it works, never while it waits, and a fork waits until no one works:
//! some milliseconds at the most, when the TLS roots are read.

use std::cell::RefCell;
use std::sync::{Once, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

static WORK: RwLock<()> = RwLock::new(());

thread_local! {
    static WORKING: RefCell<Option<RwLockReadGuard<'static, ()>>> = const { RefCell::new(None) };
    static FORKING: RefCell<Option<RwLockWriteGuard<'static, ()>>> = const { RefCell::new(None) };
}

/// This thread works for a fetch, until [`pause`]. It must not do so already.
pub(super) fn work() {
    static HANDLERS: Once = Once::new();
    HANDLERS.call_once(|| {
        // SAFETY: the handlers are functions of this library, and neither unwinds.
        #[expect(unsafe_code, reason = "pthread_atfork is a C function")]
        let _ = unsafe { libc::pthread_atfork(Some(before), Some(after), Some(after)) };
    });
    let guard = WORK.read().unwrap_or_else(PoisonError::into_inner);
    WORKING.with_borrow_mut(|working| *working = Some(guard));
}

/// This thread waits, or is done.
pub(super) fn pause() {
    WORKING.with_borrow_mut(|working| *working = None);
}

extern "C" fn before() {
    // A thread that forks amid its own work starts a program, whose child has no use for our locks.
    let idle = WORKING.try_with(|working| working.try_borrow().is_ok_and(|held| held.is_none()));
    if idle != Ok(true) {
        return;
    }
    let guard = WORK.write().unwrap_or_else(PoisonError::into_inner);
    let _ = FORKING.try_with(|forking| forking.replace(Some(guard)));
}

/// In the parent and in the child.
extern "C" fn after() {
    let _ = FORKING.try_with(|forking| forking.replace(None));
}
