//! The border between C and Rust: panics, NULL and text.
//!
//! Every function of the ABI goes through one of the functions here, so that no panic leaves the
//! library and an output is written when the call has succeeded and not before.

use std::ffi::{CStr, c_char};
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::error::rdsign_error;
use crate::status::{Status, rdsign_status};

pub(crate) type Result<T> = std::result::Result<T, rdsign_error>;

/// Runs the inside of a function; a panic is an error like any other.
pub(crate) fn caught<T>(body: impl FnOnce() -> Result<T>) -> Result<T> {
    // What a panic has left half done cannot be seen afterwards: the objects behind C's pointers
    // are whole at any time, or are freed and nothing else.
    catch_unwind(AssertUnwindSafe(body)).unwrap_or_else(|_| Err(rdsign_error::panicked()))
}

/// Runs the inside of a function that makes an object, and hands out the object or the error.
///
/// # Safety
/// `output` and `error` are each NULL or take a pointer.
pub(crate) unsafe fn produce<T>(
    output: *mut *mut T,
    name: &str,
    error: *mut *mut rdsign_error,
    body: impl FnOnce() -> Result<T>,
) -> Status {
    let outcome = if output.is_null() {
        Err(rdsign_error::null_argument(name))
    } else {
        caught(body)
    };
    match outcome {
        Ok(object) => {
            // SAFETY: it is not NULL, and so takes a pointer.
            unsafe { output.write(Box::into_raw(Box::new(object))) };
            rdsign_status::RDSIGN_OK as Status
        }
        Err(failure) => {
            let status = failure.status;
            if !error.is_null() {
                // SAFETY: it is not NULL, and so takes a pointer.
                unsafe { error.write(Box::into_raw(Box::new(failure))) };
            }
            status
        }
    }
}

/// Frees what [`produce`] has handed out.
///
/// # Safety
/// `object` is NULL or came from `produce`, and has not been freed.
pub(crate) unsafe fn free<T>(object: *mut T) {
    if !object.is_null() {
        // SAFETY: produce made it of a Box.
        let object = unsafe { Box::from_raw(object) };
        let _ = caught(|| {
            drop(object);
            Ok(())
        });
    }
}

/// The object behind a pointer.
///
/// # Safety
/// `object` is NULL or points to what lives, unchanged, for `'a`.
pub(crate) unsafe fn borrowed<'a, T>(object: *const T, name: &str) -> Result<&'a T> {
    // SAFETY: passed on from the caller.
    unsafe { object.as_ref() }.ok_or_else(|| rdsign_error::null_argument(name))
}

/// The text behind a pointer.
///
/// # Safety
/// `text` is NULL or a C string that lives, unchanged, for `'a`.
pub(crate) unsafe fn text<'a>(text: *const c_char, name: &str) -> Result<&'a str> {
    if text.is_null() {
        return Err(rdsign_error::null_argument(name));
    }
    // SAFETY: it is not NULL, and so a C string.
    let text = unsafe { CStr::from_ptr(text) };
    text.to_str().map_err(|_| rdsign_error::invalid_utf8(name))
}
