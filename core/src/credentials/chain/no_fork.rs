//! The functions of `fork.rs` for Windows, where no process forks.

pub(in crate::credentials) fn delay_forks() {}

pub(super) fn work() {}

pub(super) fn pause() {}
