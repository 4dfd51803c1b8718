//! Runs a fetch on another thread if the caller's stack is too small.
//!
//! A fetch needs up to 180 KiB of stack. musl gives a thread 128 KiB, and a program may give less. An
//! overflow would end the process.

#[cfg(target_os = "linux")]
use std::mem::MaybeUninit;
use std::thread::{Builder, scope};

use super::runtime::cannot_start;
use crate::error::Error;
use crate::wipe::with_clean_stack;

/// Several times of what a fetch needs: a debug build needs more.
const ENOUGH: usize = 512 << 10;
/// How much of the stack to overwrite after a fetch.
const USED: usize = 256 << 10;
const OF_ITS_OWN: usize = 2 << 20;

/// Whether this thread's stack has room for a fetch.
pub(super) fn is_enough() -> bool {
    let here = 0_u8;
    let here = (&raw const here).addr();
    match bounds() {
        None => true,
        // A stack that is not the thread's own is that of a coroutine, whose size is unknown.
        Some((low, high)) => (low..high).contains(&here) && here - low >= ENOUGH,
    }
}

/// Runs `work` on this thread, or on a temporary one if this one's stack is too small.
pub(in crate::credentials) fn with_enough<T: Send>(
    work: impl FnOnce() -> T + Send,
) -> Result<T, Error> {
    match is_enough() {
        true => Ok(here(work)),
        false => elsewhere(work),
    }
}

/// Runs `work` on this thread, and overwrites the stack that it used.
pub(super) fn here<T>(work: impl FnOnce() -> T) -> T {
    with_clean_stack::<USED, T>(work)
}

/// Runs `work` on a temporary thread. Its stack is overwritten too: glibc keeps it for another thread.
pub(super) fn elsewhere<T: Send>(work: impl FnOnce() -> T + Send) -> Result<T, Error> {
    scope(|scope| {
        let thread = Builder::new().stack_size(OF_ITS_OWN);
        let outcome = thread
            .spawn_scoped(scope, || here(work))
            .map_err(|error| cannot_start("a thread", &error))?
            .join();
        Ok(outcome.unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
    })
}

/// Returns the lowest and the highest address of this thread's stack. The bounds of the main thread take
/// a file to find out, so it has `None` if its limit is high, and else the bounds of an empty stack.
#[cfg(target_os = "linux")]
#[expect(unsafe_code, reason = "these are C functions")]
fn bounds() -> Option<(usize, usize)> {
    let mut attributes = MaybeUninit::<libc::pthread_attr_t>::uninit();
    let mut limit = MaybeUninit::<libc::rlimit>::uninit();
    let (mut low, mut size) = (std::ptr::null_mut(), 0);
    // SAFETY: the system call has no arguments; glibc has a function for it only since 2.30. The limit is
    // read if it was written. Of the others, the first fills the attributes, the second reads them into
    // two variables, and the third frees them.
    unsafe {
        if libc::syscall(libc::SYS_gettid) == libc::c_long::from(libc::getpid()) {
            let is_small = libc::getrlimit(libc::RLIMIT_STACK, limit.as_mut_ptr()) == 0
                && limit.assume_init().rlim_cur < OF_ITS_OWN as libc::rlim_t;
            return is_small.then_some((0, 0));
        }
        if libc::pthread_getattr_np(libc::pthread_self(), attributes.as_mut_ptr()) != 0 {
            return None;
        }
        libc::pthread_attr_getstack(attributes.as_ptr(), &mut low, &mut size);
        libc::pthread_attr_destroy(attributes.as_mut_ptr());
    }
    Some((low.addr(), low.addr() + size))
}

#[cfg(target_os = "macos")]
#[expect(unsafe_code, reason = "these are C functions")]
fn bounds() -> Option<(usize, usize)> {
    // SAFETY: both take the calling thread, which exists.
    let (high, size) = unsafe {
        let thread = libc::pthread_self();
        (
            libc::pthread_get_stackaddr_np(thread).addr(),
            libc::pthread_get_stacksize_np(thread),
        )
    };
    Some((high - size, high))
}

#[cfg(windows)]
#[expect(unsafe_code, reason = "GetCurrentThreadStackLimits is a C function")]
fn bounds() -> Option<(usize, usize)> {
    use windows_sys::Win32::System::Threading::GetCurrentThreadStackLimits;

    let (mut low, mut high) = (0, 0);
    // SAFETY: it only writes the two variables.
    unsafe { GetCurrentThreadStackLimits(&mut low, &mut high) };
    Some((low, high))
}

#[cfg(not(any(target_os = "linux", target_os = "macos", windows)))]
fn bounds() -> Option<(usize, usize)> {
    None
}

#[cfg(test)]
mod tests {
    use std::hint::black_box;
    use std::thread::current;

    use super::*;

    #[test]
    fn a_small_stack_is_left_for_another_thread() {
        for (size, stays) in [(64 << 10, false), (128 << 10, false), (4 << 20, true)] {
            let thread = Builder::new().stack_size(size).spawn(move || {
                let caller = current().id();
                let worker = with_enough(|| (current().id(), black_box([1_u8; 200 << 10]).len()));
                let worker = worker.unwrap();
                assert_eq!(worker.0 == caller, stays, "{size}");
            });
            thread.unwrap().join().unwrap();
        }
    }
}
