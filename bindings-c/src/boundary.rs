//! The border between C and Rust: panics, NULL and strings.
//!
//! Every function of the ABI that can fail goes through one of the functions here, so no panic leaves
//! the library, and outputs are written only on success.

use std::ffi::{CStr, c_char};
use std::mem::MaybeUninit;
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::error::rdsign_error;
use crate::status::{Status, rdsign_status};

pub(crate) type Result<T> = std::result::Result<T, rdsign_error>;

/// Runs the body of a function, and turns a panic into an error.
pub(crate) fn caught<T>(body: impl FnOnce() -> Result<T>) -> Result<T> {
    // No caller can see what a panic left half done: the objects behind C's pointers are always
    // whole, or are being freed.
    catch_unwind(AssertUnwindSafe(body)).unwrap_or_else(|_| Err(rdsign_error::panicked()))
}

/// Runs the body of a function that makes an object, and writes the object or the error.
pub(crate) fn produce<T>(
    output: Option<&mut MaybeUninit<Box<T>>>,
    name: &str,
    error: Option<&mut MaybeUninit<Box<rdsign_error>>>,
    body: impl FnOnce() -> Result<T>,
) -> Status {
    let outcome = match output {
        Some(place) => caught(body).map(|object| {
            place.write(Box::new(object));
        }),
        None => Err(rdsign_error::null_argument(name)),
    };
    match outcome {
        Ok(()) => rdsign_status::RDSIGN_OK as Status,
        Err(failure) => {
            let status = failure.status;
            if let Some(place) = error {
                place.write(Box::new(failure));
            }
            status
        }
    }
}

/// Runs the body of a setter. A failure is returned, and kept if it is the first one.
pub(crate) fn change(
    failure: &mut Option<rdsign_error>,
    body: impl FnOnce() -> Result<()>,
) -> Status {
    match caught(body) {
        Ok(()) => rdsign_status::RDSIGN_OK as Status,
        Err(error) => {
            let status = error.status;
            failure.get_or_insert(error);
            status
        }
    }
}

/// Frees an object that [`produce`] made.
pub(crate) fn free<T>(object: Option<Box<T>>) {
    let _ = caught(|| {
        drop(object);
        Ok(())
    });
}

/// Returns the object behind a pointer.
pub(crate) fn required<'a, T>(object: Option<&'a T>, name: &str) -> Result<&'a T> {
    object.ok_or_else(|| rdsign_error::null_argument(name))
}

/// Returns the string behind a pointer.
///
/// # Safety
/// `text` is NULL or a C string that lives, unchanged, for `'a`.
pub(crate) unsafe fn text<'a>(text: *const c_char, name: &str) -> Result<&'a str> {
    if text.is_null() {
        return Err(rdsign_error::null_argument(name));
    }
    // SAFETY: the pointer is not NULL, so the caller passes a C string that outlives `'a`.
    let text = unsafe { CStr::from_ptr(text) };
    text.to_str().map_err(|_| rdsign_error::invalid_utf8(name))
}
