//! Overwrites secrets at the speed of memory.
//!
//! `zeroize` goes byte by byte, which takes as long as a good part of signing does.

/// Overwrites a secret with zeros. The compiler cannot remove the write.
pub(crate) fn wipe(secret: &mut [u8]) {
    // An empty String points nowhere, and there glibc's memset for AVX-512 makes a masked store of
    // nothing, which takes the processor 200 ns to find harmless.
    if secret.is_empty() {
        return;
    }
    secret.fill(0);
    zeroize::optimization_barrier(secret);
}
