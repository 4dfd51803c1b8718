//! Credentials from a callback of the caller's.
//!
//! Core calls the provider made here from whichever thread asks for a token, and one at a time. All
//! texts are copied before the callback's setters return, so the callback may wipe its own.

use std::ffi::{c_char, c_int, c_void};
use std::time::SystemTime;

use rdsign::Credentials;
use rdsign::timestamp::from_unix_seconds;
use zeroize::Zeroizing;

use crate::boundary::{Result, caught, text};
use crate::error::rdsign_error;
use crate::status::{Status, rdsign_status};

/// What a credentials callback fills in. It belongs to the library, and is gone when the callback
/// returns.
#[derive(Default)]
pub struct rdsign_credentials {
    access_key_id: Zeroizing<String>,
    secret_access_key: Zeroizing<String>,
    session_token: Option<Zeroizing<String>>,
    expires_at: Option<SystemTime>,
    reason: Option<String>,
    /// The first setter that failed.
    failure: Option<rdsign_error>,
}

/// Gets credentials from a place of the caller's own: see
/// rdsign_options_set_credentials_callback().
///
/// user_data is the pointer given with the callback. To succeed, it sets the access key id and the
/// secret access key, for temporary credentials also their session token and expiry, and returns 0.
/// To fail, it may set a reason, and returns anything else. It must return: no longjmp() and no C++
/// exception may leave it. It bounds its own waiting, as the credentials timeout does not interrupt
/// it, and it must not use the signer that it works for, which would wait for itself.
pub type rdsign_credentials_callback = Option<
    unsafe extern "C" fn(user_data: *mut c_void, credentials: *mut rdsign_credentials) -> c_int,
>;

/// Frees what a callback's user_data points to.
pub type rdsign_free_callback = Option<unsafe extern "C" fn(user_data: *mut c_void)>;

/// Required. The text is copied.
///
/// The setters of rdsign_credentials return RDSIGN_OK, RDSIGN_NULL_ARGUMENT or RDSIGN_INVALID_UTF8.
/// A callback need not look: if one of its setters has failed, it has failed too, whatever it
/// returns.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rdsign_credentials_set_access_key_id(
    credentials: *mut rdsign_credentials,
    access_key_id: *const c_char,
) -> Status {
    unsafe {
        set(credentials, |credentials| {
            credentials.access_key_id = secret(access_key_id, "access key id")?;
            Ok(())
        })
    }
}

/// Required. The text is copied, and wiped when it is no longer needed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rdsign_credentials_set_secret_access_key(
    credentials: *mut rdsign_credentials,
    secret_access_key: *const c_char,
) -> Status {
    unsafe {
        set(credentials, |credentials| {
            credentials.secret_access_key = secret(secret_access_key, "secret access key")?;
            Ok(())
        })
    }
}

/// Required for temporary credentials; an empty one counts as none. The text is copied, and wiped
/// when it is no longer needed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rdsign_credentials_set_session_token(
    credentials: *mut rdsign_credentials,
    session_token: *const c_char,
) -> Status {
    unsafe {
        set(credentials, |credentials| {
            credentials.session_token = Some(secret(session_token, "session token")?);
            Ok(())
        })
    }
}

/// When the credentials end, in seconds since 1970-01-01T00:00:00Z. Default: never, and then the
/// callback is not called again. It should be given for all temporary credentials: a token ends with
/// the credentials that signed it, and new ones are asked for some minutes before.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rdsign_credentials_set_expires_at(
    credentials: *mut rdsign_credentials,
    expires_at: i64,
) -> Status {
    unsafe {
        set(credentials, |credentials| {
            credentials.expires_at = from_unix_seconds(expires_at);
            Ok(())
        })
    }
}

/// Why the callback fails: it becomes part of the error's text, so it must not hold a secret. The
/// text is copied.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rdsign_credentials_set_reason(
    credentials: *mut rdsign_credentials,
    reason: *const c_char,
) -> Status {
    unsafe {
        set(credentials, |credentials| {
            credentials.reason = Some(text(reason, "reason")?.to_owned());
            Ok(())
        })
    }
}

/// A callback, and what it was given together with.
pub(crate) struct Callback {
    function: unsafe extern "C" fn(*mut c_void, *mut rdsign_credentials) -> c_int,
    user_data: *mut c_void,
    free_user_data: rdsign_free_callback,
}

// The header asks this of the caller: user_data may be used by any thread, though by one at a time.
unsafe impl Send for Callback {}
unsafe impl Sync for Callback {}

impl Callback {
    pub(crate) fn new(
        function: rdsign_credentials_callback,
        user_data: *mut c_void,
        free_user_data: rdsign_free_callback,
    ) -> Result<Self> {
        let function = function.ok_or_else(|| rdsign_error::null_argument("callback"))?;
        Ok(Self {
            function,
            user_data,
            free_user_data,
        })
    }

    /// What a provider of core's returns. An error's text goes behind core's own words.
    pub(crate) fn credentials(
        &self,
    ) -> std::result::Result<Credentials, Box<dyn std::error::Error + Send + Sync>> {
        let mut filled = rdsign_credentials::default();
        let returned = unsafe { (self.function)(self.user_data, &mut filled) };
        if let Some(failure) = filled.failure {
            return Err(failure.message.to_string_lossy().into());
        }
        if returned != 0 {
            return Err(match filled.reason {
                Some(reason) => reason.into(),
                None => format!("the callback returned {returned}").into(),
            });
        }
        Ok(Credentials::new(
            taken(&mut filled.access_key_id),
            taken(&mut filled.secret_access_key),
            filled.session_token.as_mut().map(taken),
            filled.expires_at,
            "callback",
        ))
    }
}

impl Drop for Callback {
    fn drop(&mut self) {
        if let Some(free) = self.free_user_data {
            unsafe { free(self.user_data) };
        }
    }
}

unsafe fn set(
    credentials: *mut rdsign_credentials,
    body: impl FnOnce(&mut rdsign_credentials) -> Result<()>,
) -> Status {
    let Some(credentials) = (unsafe { credentials.as_mut() }) else {
        return rdsign_status::RDSIGN_NULL_ARGUMENT as Status;
    };
    match caught(|| body(credentials)) {
        Ok(()) => rdsign_status::RDSIGN_OK as Status,
        Err(failure) => {
            let status = failure.status;
            credentials.failure.get_or_insert(failure);
            status
        }
    }
}

unsafe fn secret(pointer: *const c_char, name: &str) -> Result<Zeroizing<String>> {
    Ok(Zeroizing::new(unsafe { text(pointer, name) }?.to_owned()))
}

/// Moves a text to where it is wiped later, without leaving a copy.
fn taken(text: &mut Zeroizing<String>) -> String {
    std::mem::take(text)
}
