//! Delays a fork while a fetch is working.
//!
//! The libraries that a fetch uses initialise many things once per process, each behind a lock. If
//! a process forks while another thread holds such a lock, the child can never take it. So a fetch
//! holds this module's lock while it works, but not while it waits for I/O, and a fork waits for
//! the lock: at most a few milliseconds, while the TLS roots are read.
//!
//! A fork that has begun does not run handlers that are registered meanwhile. So a Signer registers
//! them when it is made, before a thread can fetch.

use std::cell::RefCell;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

static WORK: RwLock<()> = RwLock::new(());
static REGISTERED: AtomicBool = AtomicBool::new(false);

thread_local! {
    static WORKING: RefCell<Option<RwLockReadGuard<'static, ()>>> = const { RefCell::new(None) };
    static FORKING: RefCell<Option<RwLockWriteGuard<'static, ()>>> = const { RefCell::new(None) };
}

/// Makes each later fork wait for the threads that work for a fetch.
///
/// Without a lock, which a child might find taken for ever: two threads may register the handlers
/// twice, which changes nothing.
pub(in crate::credentials) fn delay_forks() {
    if !REGISTERED.load(SeqCst) {
        // SAFETY: the handlers are functions of this library, and neither unwinds.
        #[expect(unsafe_code, reason = "pthread_atfork is a C function")]
        let _ = unsafe { libc::pthread_atfork(Some(before), Some(after), Some(after)) };
        REGISTERED.store(true, SeqCst);
    }
}

/// Marks this thread as working for a fetch, until [`pause`]. It must not be marked already.
pub(super) fn work() {
    delay_forks();
    let guard = WORK.read().unwrap_or_else(PoisonError::into_inner);
    WORKING.with_borrow_mut(|working| *working = Some(guard));
}

/// Marks this thread as waiting or done.
pub(super) fn pause() {
    WORKING.with_borrow_mut(|working| *working = None);
}

extern "C" fn before() {
    // A working thread forks only to start a program, and that child does not need the locks.
    let idle = WORKING.try_with(|working| working.try_borrow().is_ok_and(|held| held.is_none()));
    // Registered twice, it has the lock already.
    let waits = FORKING.try_with(|forking| forking.try_borrow().is_ok_and(|held| held.is_none()));
    if idle != Ok(true) || waits != Ok(true) {
        return;
    }
    let guard = WORK.write().unwrap_or_else(PoisonError::into_inner);
    let _ = FORKING.try_with(|forking| forking.replace(Some(guard)));
}

/// Runs in the parent and in the child.
extern "C" fn after() {
    let _ = FORKING.try_with(|forking| forking.replace(None));
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;
    use crate::Signer;

    /// In a process of its own: in this one, other tests make signers.
    #[test]
    fn forks_are_delayed_before_a_fetch_can_begin() {
        let name = "credentials::chain::fork::tests::alone_a_new_signer_delays_forks";
        let mut alone = Command::new(std::env::current_exe().unwrap());
        let done = alone.args(["--exact", name, "--ignored"]).output().unwrap();
        let output = String::from_utf8_lossy(&done.stdout);
        assert!(done.status.success(), "{output}");
        assert!(output.contains("1 passed"), "{output}");
    }

    #[test]
    #[ignore = "only alone in a process"]
    fn alone_a_new_signer_delays_forks() {
        let signer = || Signer::builder().hostname("mydb.abc123.eu-central-1.rds.amazonaws.com");
        let given = signer()
            .access_key_id("AKIDEXAMPLE")
            .secret_access_key("an example");
        given.username("iam_user").build().unwrap();
        assert!(!REGISTERED.load(SeqCst), "given keys are never fetched");
        signer().username("iam_user").build().unwrap();
        assert!(REGISTERED.load(SeqCst));
    }
}
