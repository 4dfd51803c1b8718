//! Overwrites secrets quickly.
//!
//! `zeroize` writes byte by byte, which would take a noticeable part of the time of signing.

/// Overwrites a secret with zeros. The compiler cannot remove the write.
pub(crate) fn wipe(secret: &mut [u8]) {
    // The pointer of an empty String is dangling. There, glibc's memset for AVX-512 makes a masked
    // store of zero bytes, which takes the processor 200 ns.
    if secret.is_empty() {
        return;
    }
    secret.fill(0);
    zeroize::optimization_barrier(secret);
}
