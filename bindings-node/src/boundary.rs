//! The border between JavaScript and Rust: errors, panics and tokens.
//!
//! An error crosses as a JavaScript `Error` whose `code` is core's. A token crosses as two things,
//! its text and the time of its end: the time goes into an array that JavaScript has made, since
//! an object made here for each token would cost more than the signature.

#![expect(
    unsafe_code,
    reason = "implements napi's conversion, and writes to an array of JavaScript"
)]

use std::panic::{AssertUnwindSafe, catch_unwind};

use napi::bindgen_prelude::{Float64ArraySlice, ToNapiValue};
use napi::{check_status, sys};
use rdsign::timestamp::to_unix_milliseconds;
use rdsign::{Error, ErrorCode, Token};

/// Core's code in the place where napi has its own status.
pub struct Code(ErrorCode);

impl AsRef<str> for Code {
    fn as_ref(&self) -> &str {
        self.0.as_str()
    }
}

pub(crate) type Result<T> = std::result::Result<T, napi::Error<Code>>;

/// Runs the inside of a function; a panic is an error like any other.
pub(crate) fn caught<T>(
    body: impl FnOnce() -> std::result::Result<T, Error>,
) -> std::result::Result<T, Error> {
    // What a panic has left half done cannot be seen afterwards: a signer is whole at any time.
    catch_unwind(AssertUnwindSafe(body)).unwrap_or_else(|_| Err(Error::from_panic()))
}

/// The same, for a function that JavaScript calls.
pub(crate) fn thrown<T>(body: impl FnOnce() -> std::result::Result<T, Error>) -> Result<T> {
    caught(body).map_err(|error| napi::Error::new(Code(error.code()), error.message()))
}

/// The text of a token on its way to JavaScript; what stays here is wiped.
pub struct Value(Token);

impl Value {
    pub(crate) fn new(token: Token) -> Self {
        Self(token)
    }

    /// Writes down when the token ends, in milliseconds since 1970.
    pub(crate) fn of(token: Token, mut expires_at: Float64ArraySlice<'_>) -> Self {
        // SAFETY: the array is index.js's own, which has one place and is used by one thread.
        if let Some(place) = unsafe { expires_at.as_mut() }.first_mut() {
            *place = expires_at_of(&token);
        }
        Self(token)
    }
}

/// When a token ends, in milliseconds since 1970, as JavaScript's Date counts.
pub(crate) fn expires_at_of(token: &Token) -> f64 {
    to_unix_milliseconds(token.expires_at()) as f64
}

impl ToNapiValue for Value {
    unsafe fn to_napi_value(env: sys::napi_env, value: Self) -> napi::Result<sys::napi_value> {
        let text = value.0.value();
        let mut string = std::ptr::null_mut();
        // A token is ASCII by construction, which JavaScript copies without looking at it.
        // SAFETY: the text lives until after the call, and env is the one that called.
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
