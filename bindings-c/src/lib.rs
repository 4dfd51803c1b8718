//! librdsign: the C ABI of rdsign. include/rdsign.h is generated from this crate, so the comments
//! on public items are that header's text and speak of C.
//!
//! Nothing is decided here: each function converts, calls core and maps the error. Two rules hold
//! for all of them, and `boundary` sees to both: an output is written when the call has succeeded
//! and not before, and a panic ends as RDSIGN_INTERNAL.

// Types are named as in C.
#![allow(non_camel_case_types)]
// What a caller must keep to is said once, at the top of the header: pointers are valid or NULL,
// texts end with a NUL, and nothing is used after it was freed.
#![allow(clippy::missing_safety_doc, clippy::undocumented_unsafe_blocks)]

mod boundary;

// In the order of the header, which begins with what is in this file.
pub mod status;

pub mod error;

pub mod options;

pub mod credentials;

pub mod signer;

use std::ffi::c_char;

/// The version of the library that is running, such as "0.1.0". The text is static.
#[unsafe(no_mangle)]
pub extern "C" fn rdsign_version() -> *const c_char {
    concat!(env!("CARGO_PKG_VERSION"), "\0").as_ptr().cast()
}
