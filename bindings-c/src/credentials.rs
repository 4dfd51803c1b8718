//! Credentials from a callback of the caller.
//!
//! Core calls the provider that is made here from whichever thread asks for a token, one call at a
//! time. The setters copy their strings before they return, so the callback may wipe its own.

use std::ffi::{c_char, c_int, c_void};
use std::time::SystemTime;

use rdsign::Credentials;
use rdsign::timestamp::from_unix_seconds;
use zeroize::Zeroizing;

use crate::boundary::{Result, change, text};
use crate::error::rdsign_error;
use crate::status::{Status, rdsign_status};

/// The credentials that a credentials callback sets. The library owns them; they are valid until the
/// callback returns.
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

/// Gets credentials from a source of yours: see rdsign_options_set_credentials_callback().
///
/// user_data is the pointer that you set with the callback. To succeed, set the access key ID and the
/// secret access key, for temporary credentials also the session token and the expiry, and return 0.
/// To fail, return any other number; you may set a reason before.
///
/// The callback must return: do not leave it with longjmp() or a C++ exception. The credentials
/// timeout does not interrupt it, so limit its own waiting. Do not use the signer that called it: that
/// would deadlock.
pub type rdsign_credentials_callback = Option<
    unsafe extern "C" fn(user_data: *mut c_void, credentials: *mut rdsign_credentials) -> c_int,
>;

/// Frees the user_data of a callback.
pub type rdsign_free_callback = Option<unsafe extern "C" fn(user_data: *mut c_void)>;

/// Sets the access key ID. Required. Copies the string.
///
/// The setters of rdsign_credentials return RDSIGN_OK, RDSIGN_NULL_ARGUMENT or RDSIGN_INVALID_UTF8.
/// You need not check them: if a setter fails, the callback has failed, whatever it returns.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rdsign_credentials_set_access_key_id(
    credentials: Option<&mut rdsign_credentials>,
    access_key_id: *const c_char,
) -> Status {
    // SAFETY: NULL or a C string, as the header requires.
    let access_key_id = unsafe { text(access_key_id, "access key id") };
    set(credentials, access_key_id, |credentials, text| {
        credentials.access_key_id = secret(text);
    })
}

/// Sets the secret access key. Required. Copies the string, and wipes the copy after use.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rdsign_credentials_set_secret_access_key(
    credentials: Option<&mut rdsign_credentials>,
    secret_access_key: *const c_char,
) -> Status {
    // SAFETY: NULL or a C string, as the header requires.
    let secret_access_key = unsafe { text(secret_access_key, "secret access key") };
    set(credentials, secret_access_key, |credentials, text| {
        credentials.secret_access_key = secret(text);
    })
}

/// Sets the session token. Required for temporary credentials; an empty one is the same as omitting
/// it. Copies the string, and wipes the copy after use.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rdsign_credentials_set_session_token(
    credentials: Option<&mut rdsign_credentials>,
    session_token: *const c_char,
) -> Status {
    // SAFETY: NULL or a C string, as the header requires.
    let session_token = unsafe { text(session_token, "session token") };
    set(credentials, session_token, |credentials, text| {
        credentials.session_token = Some(secret(text));
    })
}

/// Sets when the credentials expire, in seconds since 1970-01-01T00:00:00Z. Default: never, and the
/// callback is not called again.
///
/// Set it for all temporary credentials: a token expires with the credentials that signed it, and the
/// callback is called again some minutes before.
#[unsafe(no_mangle)]
pub extern "C" fn rdsign_credentials_set_expires_at(
    credentials: Option<&mut rdsign_credentials>,
    expires_at: i64,
) -> Status {
    set(credentials, Ok(expires_at), |credentials, seconds| {
        credentials.expires_at = from_unix_seconds(seconds);
    })
}

/// Sets why the callback fails. It becomes part of the error's message, so it must not contain a
/// secret. Copies the string.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rdsign_credentials_set_reason(
    credentials: Option<&mut rdsign_credentials>,
    reason: *const c_char,
) -> Status {
    // SAFETY: NULL or a C string, as the header requires.
    let reason = unsafe { text(reason, "reason") };
    set(credentials, reason, |credentials, text| {
        credentials.reason = Some(text.to_owned());
    })
}

/// A callback and its user_data.
pub(crate) struct Callback {
    function: unsafe extern "C" fn(*mut c_void, *mut rdsign_credentials) -> c_int,
    user_data: UserData,
}

impl Callback {
    pub(crate) fn new(
        function: rdsign_credentials_callback,
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

    /// Calls the function. The text of an error follows core's own words.
    pub(crate) fn credentials(
        &self,
    ) -> std::result::Result<Credentials, Box<dyn std::error::Error + Send + Sync>> {
        let mut filled = rdsign_credentials::default();
        // SAFETY: the caller set both together, and `self` frees user_data only when it is dropped.
        let returned = unsafe { (self.function)(self.user_data.pointer, &mut filled) };
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

/// The user_data of a callback, which is freed with it.
pub(crate) struct UserData {
    pub(crate) pointer: *mut c_void,
    free: rdsign_free_callback,
}

// SAFETY: the header says that any thread may call a callback and free user_data.
unsafe impl Send for UserData {}
// SAFETY: the header says for each callback whether several threads may call it at the same time.
unsafe impl Sync for UserData {}

impl UserData {
    pub(crate) fn new(pointer: *mut c_void, free: rdsign_free_callback) -> Self {
        Self { pointer, free }
    }
}

impl Drop for UserData {
    fn drop(&mut self) {
        if let Some(free) = self.free {
            // SAFETY: the caller set both together, and this is the last use of user_data.
            unsafe { free(self.pointer) };
        }
    }
}

/// Sets one field, unless its value is a failure.
fn set<T>(
    credentials: Option<&mut rdsign_credentials>,
    value: Result<T>,
    apply: impl FnOnce(&mut rdsign_credentials, T),
) -> Status {
    let Some(credentials) = credentials else {
        return rdsign_status::RDSIGN_NULL_ARGUMENT as Status;
    };
    let mut failure = credentials.failure.take();
    let status = change(&mut failure, || {
        apply(credentials, value?);
        Ok(())
    });
    credentials.failure = failure;
    status
}

fn secret(text: &str) -> Zeroizing<String> {
    Zeroizing::new(text.to_owned())
}

/// Moves a string to an owner that wipes it later, without a copy.
fn taken(text: &mut Zeroizing<String>) -> String {
    std::mem::take(text)
}
