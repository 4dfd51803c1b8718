//! Overwrites secrets: this crate's own, and those that other code leaves on the stack.
//!
//! `zeroize` writes byte by byte, which would take a noticeable part of the time of signing.

use std::hint::black_box;

use zeroize::optimization_barrier;

/// Overwrites a secret with zeros. The compiler cannot remove the write.
pub(crate) fn wipe(secret: &mut [u8]) {
    // The pointer of an empty String is dangling. There, glibc's memset for AVX-512 makes a masked
    // store of zero bytes, which takes the processor 200 ns.
    if secret.is_empty() {
        return;
    }
    secret.fill(0);
    optimization_barrier(secret);
}

/// How many bytes of stack work on a secret may use, except for a fetch.
pub(crate) const LITTLE: usize = 8 << 10;

/// Runs `work`, and then overwrites the `BYTES` of stack that it may have used. What it returns may be
/// copied on its way, so a secret must not be part of that, except behind a pointer.
#[inline(never)]
pub(crate) fn with_clean_stack<const BYTES: usize, T>(work: impl FnOnce() -> T) -> T {
    let outcome = below(work);
    below(|| {
        let mut stack = [0_u8; BYTES];
        // As if it were changed: a constant would not be on the stack.
        black_box(&mut stack);
    });
    outcome
}

/// Runs `work` in a frame of its own. Inlined, it would be in the caller's.
#[inline(never)]
fn below<T>(work: impl FnOnce() -> T) -> T {
    work()
}

#[cfg(test)]
mod tests {
    use super::*;

    const MARK: u64 = 0x5ec2_e7a1_1c0f_fee5;

    /// Leaves marks on the stack.
    #[inline(never)]
    fn leave() -> usize {
        let mut marks = [MARK; 500];
        black_box(&mut marks).as_ptr().addr()
    }

    /// Returns how many marks are left where `leave` was.
    #[inline(never)]
    #[expect(unsafe_code, reason = "reads what a function left on the stack")]
    fn left(at: usize) -> usize {
        let marks = std::ptr::with_exposed_provenance::<u64>(at);
        // SAFETY: these addresses are on this thread's stack, below its frames.
        let found = (0..500).map(|n| unsafe { marks.add(n).read_volatile() });
        found.filter(|found| *found == MARK).count()
    }

    #[test]
    fn what_work_leaves_on_the_stack_is_overwritten() {
        assert!(left(below(leave)) > 400, "the search finds it");
        assert_eq!(left(with_clean_stack::<LITTLE, _>(leave)), 0);
    }
}
