//! librdsign: the C ABI of rdsign. cbindgen generates include/rdsign.h from this crate, so the
//! comments on public items are the header's text and address C programmers.
//!
//! Each function converts, calls core and maps the error; it decides nothing. `boundary` upholds two
//! rules for all of them: outputs are written only on success, and a panic becomes RDSIGN_INTERNAL.
//! Arguments that are references or boxes in Rust are nullable pointers in C.

// Types are named as in C.
#![allow(non_camel_case_types)]
#![expect(unsafe_code, reason = "exports C symbols and reads what C passes")]
// The top of the header states once what callers must keep to: pointers are valid or NULL, strings
// end with a NUL, and nothing is used after it was freed.
#![allow(clippy::missing_safety_doc)]

mod boundary;

// In the header's order. The functions of this file come first.
pub mod status;

pub mod error;

pub mod options;

pub mod credentials;

#[cfg(feature = "chain")]
pub mod event;

pub mod signer;

use std::ffi::c_char;

#[global_allocator]
static ALLOCATOR: rdsign::WipingAllocator = rdsign::WipingAllocator;

/// Returns the version of the loaded library, such as "1.2.3". The string is static.
#[unsafe(no_mangle)]
pub extern "C" fn rdsign_version() -> *const c_char {
    concat!(env!("CARGO_PKG_VERSION"), "\0").as_ptr().cast()
}

/// Returns the certificate authorities of RDS, Aurora and RDS Proxy, as text in PEM. The string is
/// static.
///
/// pkg-config --variable=cafile rdsign names a file with the same text, for drivers that need one, such
/// as libpq for its sslrootcert.
#[unsafe(no_mangle)]
pub extern "C" fn rdsign_ca_bundle() -> *const c_char {
    concat!(include_str!("../../ca-bundle/rds.pem"), "\0")
        .as_ptr()
        .cast()
}
