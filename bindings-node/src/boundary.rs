//! Converts errors, panics and tokens for JavaScript.
//!
//! An error becomes a JavaScript `Error` with core's `code`. A token becomes its text; its expiry is
//! written to an array that index.js allocated once, because creating an object for each token here
//! would take longer than signing it.

#![expect(
    unsafe_code,
    reason = "implements napi's conversion, and writes to an array of JavaScript"
)]

use std::panic::{AssertUnwindSafe, catch_unwind};

use napi::bindgen_prelude::{Float64ArraySlice, ToNapiValue};
use napi::{check_status, sys};
use rdsign::timestamp::to_unix_milliseconds;
use rdsign::{Error, ErrorCode, Token};

/// Core's code, as the status of a napi error.
pub struct Code(ErrorCode);

impl AsRef<str> for Code {
    fn as_ref(&self) -> &str {
        self.0.as_str()
    }
}

pub(crate) type Result<T> = std::result::Result<T, napi::Error<Code>>;

/// Runs core's part of a call. A panic becomes an INTERNAL error.
pub(crate) fn caught<T>(
    body: impl FnOnce() -> std::result::Result<T, Error>,
) -> std::result::Result<T, Error> {
    // Unwind safe: core replaces its state as a whole, so a panic cannot leave it half changed.
    catch_unwind(AssertUnwindSafe(body)).unwrap_or_else(|_| Err(Error::from_panic()))
}

/// The same, for a function that JavaScript calls.
pub(crate) fn thrown<T>(body: impl FnOnce() -> std::result::Result<T, Error>) -> Result<T> {
    caught(body).map_err(|error| napi::Error::new(Code(error.code()), error.message()))
}

/// A token to return to JavaScript as a string. The Rust copy is wiped when dropped.
pub struct Value(Token);

impl Value {
    pub(crate) fn new(token: Token) -> Self {
        Self(token)
    }

    /// Writes the expiry, in milliseconds since 1970, to the array, and 1 after it if `has_events`.
    pub(crate) fn of(token: Token, has_events: bool, mut array: Float64ArraySlice<'_>) -> Self {
        // SAFETY: only index.js has the array, and each thread loads an index.js of its own.
        if let [expires_at, events, ..] = unsafe { array.as_mut() } {
            *expires_at = expires_at_of(&token);
            if has_events {
                *events = 1.0;
            }
        }
        Self(token)
    }
}

/// Returns when a token expires, in milliseconds since 1970, as JavaScript's Date counts.
pub(crate) fn expires_at_of(token: &Token) -> f64 {
    to_unix_milliseconds(token.expires_at()) as f64
}

impl ToNapiValue for Value {
    unsafe fn to_napi_value(env: sys::napi_env, value: Self) -> napi::Result<sys::napi_value> {
        let text = value.0.value();
        let mut string = std::ptr::null_mut();
        // A token is always ASCII, so Latin-1 is right, and faster than UTF-8.
        // SAFETY: the text outlives the call, and env is that of the current call.
        check_status!(unsafe {
            sys::napi_create_string_latin1(
                env,
                text.as_ptr().cast(),
                text.len() as isize,
                &mut string,
            )
        })?;
        Ok(string)
    }
}
