//! The error object: core's code and message, or the C ABI's own for NULL and for text that is not
//! UTF-8.
//!
//! It is handed out through a pointer and not kept for the thread, where the next call would write
//! over it, and where a caller whose tasks move between threads (Go, fibers) would look in vain.

use std::ffi::{CString, c_char};

use rdsign::Error;

use crate::boundary::free;
use crate::status::{Status, rdsign_status};

/// What went wrong, in words: the status and the text that belongs to it.
///
/// Written by a function that fails, if it was given a place to write it to; to be freed with
/// rdsign_error_free(). The text names the field and says what is accepted. It never holds a
/// secret access key, a session token, a signature or a token, so it may always be logged.
#[derive(Clone)]
pub struct rdsign_error {
    pub(crate) status: Status,
    pub(crate) message: CString,
}

/// The status that the failed function returned too. RDSIGN_NULL_ARGUMENT for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rdsign_error_status(error: *const rdsign_error) -> Status {
    match unsafe { error.as_ref() } {
        Some(error) => error.status,
        None => rdsign_status::RDSIGN_NULL_ARGUMENT as Status,
    }
}

/// The text, in UTF-8. It lives until rdsign_error_free(). For NULL it is empty, so that the result
/// may always be printed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rdsign_error_message(error: *const rdsign_error) -> *const c_char {
    match unsafe { error.as_ref() } {
        Some(error) => error.message.as_ptr(),
        None => c"".as_ptr(),
    }
}

/// Frees an error. NULL is fine.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rdsign_error_free(error: *mut rdsign_error) {
    unsafe { free(error) };
}

impl rdsign_error {
    fn new(status: Status, message: &str) -> Self {
        // A message may quote what a file or a program said, and that may have a NUL in it.
        let message = message.replace('\0', "\u{FFFD}");
        Self {
            status,
            message: CString::new(message).unwrap_or_default(),
        }
    }

    pub(crate) fn null_argument(name: &str) -> Self {
        let status = rdsign_status::RDSIGN_NULL_ARGUMENT;
        Self::new(
            status as Status,
            &format!("{name}: is NULL; accepted: anything else"),
        )
    }

    pub(crate) fn invalid_utf8(name: &str) -> Self {
        let status = rdsign_status::RDSIGN_INVALID_UTF8;
        Self::new(
            status as Status,
            &format!("{name}: is not UTF-8; accepted: text in UTF-8"),
        )
    }

    /// A panic. What it said stays out of the text: it may quote any string at all.
    pub(crate) fn panicked() -> Self {
        Error::from_panic().into()
    }
}

impl From<Error> for rdsign_error {
    fn from(error: Error) -> Self {
        Self::new(error.code() as Status, error.message())
    }
}
