//! Signers and the tokens that they make.
//!
//! A token is stored as a C string, with a NUL at its end. Every buffer that held its text is wiped,
//! not only the last one.

use std::ffi::c_char;
use std::mem::MaybeUninit;
use std::ptr;

use rdsign::timestamp::to_unix_seconds;
use rdsign::{Signer, Token};
use zeroize::optimization_barrier;

use crate::boundary::{free, produce, required};
use crate::error::rdsign_error;
use crate::options::rdsign_options;
use crate::status::Status;

/// Signs tokens for one database user at one endpoint.
///
/// Any number of threads may share a signer, and a child of fork() may keep using its parent's. It
/// caches credentials and signing keys, so keep it instead of making one for each token. It starts no
/// thread and no timer.
pub struct rdsign_signer(Signer);

/// A token: the password to send, and when it expires. It stays valid after its signer is freed.
pub struct rdsign_token {
    value: Wiped,
    expires_at: i64,
}

// The header promises that threads can share them.
const fn shared_by_threads<T: Send + Sync>() {}
const _: () = shared_by_threads::<rdsign_signer>();
const _: () = shared_by_threads::<rdsign_token>();

/// Makes a signer and checks all of its options. Uses no network. Free it with rdsign_signer_free().
///
/// The options remain yours: you may free them at once, or change them and make another signer.
///
/// Returns RDSIGN_OK, the status of the first setter of these options that failed, any status from
/// RDSIGN_INVALID_HOSTNAME to RDSIGN_INVALID_EXPIRES_IN, RDSIGN_NULL_ARGUMENT, or RDSIGN_INTERNAL if a
/// setter is running or if two have run at the same time.
#[unsafe(no_mangle)]
pub extern "C" fn rdsign_signer_new(
    options: Option<&rdsign_options>,
    signer: Option<&mut MaybeUninit<Box<rdsign_signer>>>,
    error: Option<&mut MaybeUninit<Box<rdsign_error>>>,
) -> Status {
    produce(signer, "signer", error, || {
        required(options, "options")?.build().map(rdsign_signer)
    })
}

/// Makes a token that is signed now. Free it with rdsign_token_free().
///
/// With cached credentials, this takes about a microsecond. Otherwise it fetches them from their
/// source, and blocks for at most the credentials timeout; other threads wait for the same fetch.
///
/// Returns RDSIGN_OK, RDSIGN_INVALID_CREDENTIALS if a source returned invalid keys, any status from
/// RDSIGN_CREDENTIALS_NOT_FOUND to RDSIGN_CREDENTIALS_TIMEOUT, or RDSIGN_NULL_ARGUMENT.
#[unsafe(no_mangle)]
pub extern "C" fn rdsign_signer_token(
    signer: Option<&rdsign_signer>,
    token: Option<&mut MaybeUninit<Box<rdsign_token>>>,
    error: Option<&mut MaybeUninit<Box<rdsign_error>>>,
) -> Status {
    produce(token, "token", error, || {
        Ok(rdsign_token::new(required(signer, "signer")?.0.token()?))
    })
}

/// Makes a token that is signed at another time, for tests.
///
/// signing_time is in seconds since 1970-01-01T00:00:00Z, and before the year 10000. It also decides
/// whether credentials have expired.
///
/// Returns the statuses of rdsign_signer_token(), or RDSIGN_INVALID_SIGNING_TIME.
#[unsafe(no_mangle)]
pub extern "C" fn rdsign_signer_token_at(
    signer: Option<&rdsign_signer>,
    signing_time: i64,
    token: Option<&mut MaybeUninit<Box<rdsign_token>>>,
    error: Option<&mut MaybeUninit<Box<rdsign_error>>>,
) -> Status {
    produce(token, "token", error, || {
        let signer = &required(signer, "signer")?.0;
        Ok(rdsign_token::new(
            signer.token_at_unix_seconds(signing_time)?,
        ))
    })
}

/// Frees a signer. Its tokens remain valid. Accepts NULL.
#[unsafe(no_mangle)]
pub extern "C" fn rdsign_signer_free(signer: Option<Box<rdsign_signer>>) {
    free(signer);
}

/// Returns the text of a token: pass it to the driver as the password, unchanged.
///
/// It is ASCII, about 350 bytes long with a long-lived key, and 1,300 to 2,500 with a session token.
/// It is valid until rdsign_token_free(), which wipes it. For NULL, returns NULL.
#[unsafe(no_mangle)]
pub extern "C" fn rdsign_token_value(token: Option<&rdsign_token>) -> *const c_char {
    match token {
        Some(token) => token.value.0.as_ptr().cast(),
        None => ptr::null(),
    }
}

/// Returns when the token expires, in seconds since 1970-01-01T00:00:00Z: when its lifetime is over or
/// its credentials expire, whichever comes first. From then on the server rejects it; open connections
/// stay open. For NULL, returns 0.
#[unsafe(no_mangle)]
pub extern "C" fn rdsign_token_expires_at(token: Option<&rdsign_token>) -> i64 {
    match token {
        Some(token) => token.expires_at,
        None => 0,
    }
}

/// Wipes a token and frees it. Accepts NULL.
#[unsafe(no_mangle)]
pub extern "C" fn rdsign_token_free(token: Option<Box<rdsign_token>>) {
    free(token);
}

impl rdsign_token {
    fn new(token: Token) -> Self {
        let expires_at = to_unix_seconds(token.expires_at());
        let mut value = Wiped(token.into_value().into_bytes());
        // Core reserves the space for it: a vector that grows may move and leave a copy behind.
        value.0.push(0);
        Self { value, expires_at }
    }
}

/// Bytes that are wiped on drop. `Zeroizing` would wipe them one by one, which takes a tenth of the
/// time of signing.
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
        // Twice: the first panic must leave the signer usable.
        for _ in 0..2 {
            let (mut token, mut error) = (MaybeUninit::zeroed(), MaybeUninit::uninit());
            let status = rdsign_signer_token(Some(&signer), Some(&mut token), Some(&mut error));
            assert_eq!(status, rdsign_status::RDSIGN_INTERNAL as Status);
            // SAFETY: all bytes are zero if the failed call did not write to it.
            let token: *const rdsign_token = unsafe { std::mem::transmute(token) };
            assert!(token.is_null());
            // SAFETY: a failed call writes its error.
            let error = unsafe { error.assume_init() };
            // SAFETY: the message of an error is a C string.
            let message = unsafe { CStr::from_ptr(rdsign_error_message(Some(&error))) };
            let message = message.to_str().unwrap();
            assert!(message.starts_with("internal error (panic)"), "{message}");
            assert!(!message.contains("secret"), "{message}");
            rdsign_error_free(Some(error));
        }
    }
}
