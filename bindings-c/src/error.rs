//! The error object: core's code and message, or the C ABI's own for NULL and for strings that are
//! not UTF-8.
//!
//! A function writes it through a pointer instead of keeping it for the thread. There, the next call
//! would overwrite it, and callers whose tasks move between threads (Go, fibers) would not find it.

use std::ffi::{CString, c_char};

use rdsign::Error;

use crate::boundary::free;
use crate::status::{Status, rdsign_status};

/// Why a function failed: a status and a message.
///
/// A function that fails writes one if you passed a place for it. Free it with rdsign_error_free().
/// The message names the field and says what is accepted. It never contains a secret access key, a
/// session token, a signature or a token, so it is safe to log.
#[derive(Clone)]
pub struct rdsign_error {
    pub(crate) status: Status,
    pub(crate) message: CString,
}

/// Returns the same status as the function that failed. For NULL, returns RDSIGN_NULL_ARGUMENT.
#[unsafe(no_mangle)]
pub extern "C" fn rdsign_error_status(error: Option<&rdsign_error>) -> Status {
    match error {
        Some(error) => error.status,
        None => rdsign_status::RDSIGN_NULL_ARGUMENT as Status,
    }
}

/// Returns the message, in UTF-8. It is valid until rdsign_error_free(). For NULL, returns an empty
/// string, so the result can always be printed.
#[unsafe(no_mangle)]
pub extern "C" fn rdsign_error_message(error: Option<&rdsign_error>) -> *const c_char {
    match error {
        Some(error) => error.message.as_ptr(),
        None => c"".as_ptr(),
    }
}

/// Frees an error. Accepts NULL.
#[unsafe(no_mangle)]
pub extern "C" fn rdsign_error_free(error: Option<Box<rdsign_error>>) {
    free(error);
}

impl rdsign_error {
    fn new(status: Status, message: &str) -> Self {
        Self {
            status,
            message: c_string(message),
        }
    }

    pub(crate) fn null_argument(name: &str) -> Self {
        let status = rdsign_status::RDSIGN_NULL_ARGUMENT;
        Self::new(status as Status, &format!("{name}: must not be NULL"))
    }

    pub(crate) fn invalid_utf8(name: &str) -> Self {
        let status = rdsign_status::RDSIGN_INVALID_UTF8;
        Self::new(
            status as Status,
            &format!("{name}: not UTF-8; accepted: text in UTF-8"),
        )
    }

    /// Returns the error for options that two threads use at once. No code of core's fits a mistake
    /// that only C can make.
    pub(crate) fn in_use() -> Self {
        let status = rdsign_status::RDSIGN_INTERNAL;
        Self::new(
            status as Status,
            "options: two threads used them at the same time; accepted: one thread at a time. Make new \
             options",
        )
    }

    /// Returns the error for a panic. It leaves out the panic's message, which may quote any text.
    pub(crate) fn panicked() -> Self {
        Error::from_panic().into()
    }
}

/// Converts a text. It may quote a file or a program's output, which may contain a NUL.
pub(crate) fn c_string(text: &str) -> CString {
    CString::new(text.replace('\0', "\u{FFFD}")).unwrap_or_default()
}

impl From<Error> for rdsign_error {
    fn from(error: Error) -> Self {
        Self::new(error.code() as Status, error.message())
    }
}
