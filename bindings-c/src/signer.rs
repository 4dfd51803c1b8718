//! Signers and the tokens they make.
//!
//! A token is kept as C wants it, with a NUL at its end. Whatever held its text is wiped, not only
//! the last copy.

use std::ffi::c_char;
use std::ptr;

use rdsign::timestamp::to_unix_seconds;
use rdsign::{Signer, Token};
use zeroize::optimization_barrier;

use crate::boundary::{borrowed, free, produce};
use crate::error::rdsign_error;
use crate::options::rdsign_options;
use crate::status::Status;

/// Signs tokens for one database user at one endpoint.
///
/// Any number of threads may use one signer at the same time, and a child of fork() may go on using
/// its parent's. It keeps credentials and signing keys from one call to the next, so it should be
/// kept, not made anew for each token. It starts no thread and no timer.
pub struct rdsign_signer(Signer);

/// A token: what to send as the password, and until when. It outlives its signer.
pub struct rdsign_token {
    value: Wiped,
    expires_at: i64,
}

// The header says so.
const fn shared_by_threads<T: Send + Sync>() {}
const _: () = shared_by_threads::<rdsign_signer>();
const _: () = shared_by_threads::<rdsign_token>();

/// Makes a signer, and checks all of its options.
///
/// The options stay the caller's: they may be freed at once, or changed and used for another
/// signer. The signer is to be freed with rdsign_signer_free(). No network is used yet.
///
/// Returns RDSIGN_OK, the status of the first setter of these options that failed, any status from
/// RDSIGN_INVALID_HOSTNAME to RDSIGN_INVALID_EXPIRES_IN, or RDSIGN_NULL_ARGUMENT.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rdsign_signer_new(
    options: *const rdsign_options,
    signer: *mut *mut rdsign_signer,
    error: *mut *mut rdsign_error,
) -> Status {
    unsafe {
        produce(signer, "signer", error, || {
            borrowed(options, "options")?.build().map(rdsign_signer)
        })
    }
}

/// Makes a token, signed now. It is to be freed with rdsign_token_free().
///
/// With the credentials at hand this takes about a microsecond. Otherwise it asks their source for
/// them and waits, for the credentials timeout at the most; other threads wait with it.
///
/// Returns RDSIGN_OK, RDSIGN_INVALID_CREDENTIALS for what a source has given, any status from
/// RDSIGN_CREDENTIALS_NOT_FOUND to RDSIGN_CREDENTIALS_TIMEOUT, or RDSIGN_NULL_ARGUMENT.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rdsign_signer_token(
    signer: *const rdsign_signer,
    token: *mut *mut rdsign_token,
    error: *mut *mut rdsign_error,
) -> Status {
    unsafe {
        produce(token, "token", error, || {
            Ok(rdsign_token::new(borrowed(signer, "signer")?.0.token()?))
        })
    }
}

/// Makes a token as if it were signed at another time: for tests.
///
/// signing_time is in seconds since 1970-01-01T00:00:00Z, and lies before the year 10000.
/// Credentials are judged by that time as well.
///
/// Returns what rdsign_signer_token() does, or RDSIGN_INVALID_SIGNING_TIME.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rdsign_signer_token_at(
    signer: *const rdsign_signer,
    signing_time: i64,
    token: *mut *mut rdsign_token,
    error: *mut *mut rdsign_error,
) -> Status {
    unsafe {
        produce(token, "token", error, || {
            let signer = &borrowed(signer, "signer")?.0;
            Ok(rdsign_token::new(
                signer.token_at_unix_seconds(signing_time)?,
            ))
        })
    }
}

/// Frees a signer. Its tokens stay as they are. NULL is fine.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rdsign_signer_free(signer: *mut rdsign_signer) {
    unsafe { free(signer) };
}

/// The text of a token, to be given to the driver as the password, as it is.
///
/// It is ASCII, about 350 bytes long with a long-lived key, and 1,300 to 2,500 with a session token.
/// It lives until rdsign_token_free(), which wipes it. NULL for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rdsign_token_value(token: *const rdsign_token) -> *const c_char {
    match unsafe { token.as_ref() } {
        Some(token) => token.value.0.as_ptr().cast(),
        None => ptr::null(),
    }
}

/// The moment from which the server refuses the token, in seconds since 1970-01-01T00:00:00Z: the
/// end of its lifetime or of the credentials that signed it, whichever comes first. A connection
/// that is open by then stays open. 0 for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rdsign_token_expires_at(token: *const rdsign_token) -> i64 {
    match unsafe { token.as_ref() } {
        Some(token) => token.expires_at,
        None => 0,
    }
}

/// Wipes a token and frees it. NULL is fine.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rdsign_token_free(token: *mut rdsign_token) {
    unsafe { free(token) };
}

impl rdsign_token {
    fn new(token: Token) -> Self {
        let expires_at = to_unix_seconds(token.expires_at());
        let mut value = Wiped(token.into_value().into_bytes());
        // Core leaves room for it: a vector that grows may move, and leave a copy behind.
        value.0.push(0);
        Self { value, expires_at }
    }
}

/// Bytes that are wiped on drop. Zeroizing would do it byte by byte, in a tenth of the time that
/// signing takes.
struct Wiped(Vec<u8>);

impl Drop for Wiped {
    fn drop(&mut self) {
        self.0.fill(0);
        optimization_barrier(self.0.as_slice());
    }
}

#[cfg(test)]
mod tests {
    use std::ffi::CStr;
    use std::ptr::{dangling_mut, null_mut};

    use super::*;
    use crate::error::{rdsign_error_free, rdsign_error_message};
    use crate::status::rdsign_status;

    #[test]
    fn a_panic_ends_as_internal_and_its_words_stay_inside() {
        let signer = Signer::builder()
            .hostname("mydb.abc123.eu-central-1.rds.amazonaws.com")
            .username("iam_user")
            .credentials_provider(|| panic!("a secret"))
            .build()
            .unwrap();
        let signer = rdsign_signer(signer);
        let untouched = dangling_mut();
        let (mut token, mut error) = (untouched, null_mut());
        // Twice: what the first panic leaves must be as good as new.
        for _ in 0..2 {
            let status = unsafe { rdsign_signer_token(&signer, &mut token, &mut error) };
            assert_eq!(status, rdsign_status::RDSIGN_INTERNAL as Status);
            assert_eq!(token, untouched);
            let message = unsafe { CStr::from_ptr(rdsign_error_message(error)) };
            let message = message.to_str().unwrap();
            assert!(message.starts_with("internal error (panic)"), "{message}");
            assert!(!message.contains("secret"), "{message}");
            unsafe { rdsign_error_free(error) };
        }
    }
}
