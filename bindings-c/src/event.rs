//! Events for a callback of the caller: what came of each fetch of credentials.
//!
//! Core writes the text of an event. Here it only gets the NUL at its end.

use std::ffi::{CString, c_char, c_int, c_void};

use rdsign::Event;
use rdsign::timestamp::to_unix_seconds;

use crate::boundary::Result;
use crate::credentials::{UserData, rdsign_free_callback};
use crate::error::{c_string, rdsign_error};

/// What came of a fetch of credentials. The library owns it; it is valid until the callback returns.
pub struct rdsign_event {
    name: CString,
    message: CString,
    is_warning: bool,
    expires_at: i64,
    error: Option<rdsign_error>,
}

/// Is told what comes of each fetch of credentials: see rdsign_options_set_event_callback().
///
/// user_data is the pointer that you set with the callback. The callback must return: do not leave it
/// with longjmp() or a C++ exception. It may use the signer, but events that this causes on the same
/// thread are dropped.
pub type rdsign_event_callback =
    Option<unsafe extern "C" fn(user_data: *mut c_void, event: *const rdsign_event)>;

/// Returns what happened. Later versions may add names. The string is valid until the callback returns.
/// For NULL, returns an empty string.
///
/// - "fetched": a source returned new credentials.
/// - "refresh-failed": a refresh failed. The credentials in use are still valid and go on signing.
/// - "fetch-failed": a fetch failed, and no credentials are valid. The caller gets the error.
/// - "expiring": the credentials in use expire within a minute, and their source has no newer ones. Occurs
///   once for the same credentials.
#[unsafe(no_mangle)]
pub extern "C" fn rdsign_event_name(event: Option<&rdsign_event>) -> *const c_char {
    event.map_or(c"".as_ptr(), |event| event.name.as_ptr())
}

/// Returns 1 if the event is a warning, and 0 if it is only information, as "fetched" is. For NULL,
/// returns 0.
#[unsafe(no_mangle)]
pub extern "C" fn rdsign_event_is_warning(event: Option<&rdsign_event>) -> c_int {
    event.is_some_and(|event| event.is_warning).into()
}

/// Returns one line about the event, in UTF-8, with the source, the expiry and the error. It contains no
/// secret, so it is safe to log; an error may name an access key ID. It is valid until the callback returns. For
/// NULL, returns an empty string.
#[unsafe(no_mangle)]
pub extern "C" fn rdsign_event_message(event: Option<&rdsign_event>) -> *const c_char {
    event.map_or(c"".as_ptr(), |event| event.message.as_ptr())
}

/// Returns when the credentials in use expire, in seconds since 1970-01-01T00:00:00Z. Returns 0 if they
/// do not expire, if there are none, or for NULL.
#[unsafe(no_mangle)]
pub extern "C" fn rdsign_event_expires_at(event: Option<&rdsign_event>) -> i64 {
    event.map_or(0, |event| event.expires_at)
}

/// Returns why the fetch failed, or NULL if it did not. The error is valid until the callback returns:
/// do not free it. For NULL, returns NULL.
#[unsafe(no_mangle)]
pub extern "C" fn rdsign_event_error(event: Option<&rdsign_event>) -> Option<&rdsign_error> {
    event.and_then(|event| event.error.as_ref())
}

impl From<&Event> for rdsign_event {
    fn from(event: &Event) -> Self {
        Self {
            name: c_string(event.kind.as_str()),
            message: c_string(&event.to_string()),
            is_warning: event.kind.is_warning(),
            expires_at: event.expires_at.map_or(0, to_unix_seconds),
            error: event.error.clone().map(rdsign_error::from),
        }
    }
}

/// A callback and its user_data.
pub(crate) struct EventCallback {
    function: unsafe extern "C" fn(*mut c_void, *const rdsign_event),
    user_data: UserData,
}

impl EventCallback {
    pub(crate) fn new(
        function: rdsign_event_callback,
        user_data: *mut c_void,
        free_user_data: rdsign_free_callback,
    ) -> Result<Self> {
        let function = function.ok_or_else(|| rdsign_error::null_argument("callback"))?;
        let user_data = UserData::new(user_data, free_user_data);
        Ok(Self {
            function,
            user_data,
        })
    }

    pub(crate) fn tell(&self, event: &Event) {
        let event = rdsign_event::from(event);
        // SAFETY: the caller set both together, and `self` frees user_data only when it is dropped.
        unsafe { (self.function)(self.user_data.pointer, &event) };
    }
}
