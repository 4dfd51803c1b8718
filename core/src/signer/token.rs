//! Holds a token and its expiry.
//!
//! A token is a password until it expires, so it is wiped on drop, and `Debug` does not print it.
//! Pass its [`value`](Token::value) to the driver.

use std::fmt;
use std::time::SystemTime;

use crate::timestamp::format_rfc3339;
use crate::wipe::wipe;

/// A signed token for one login.
#[derive(Clone)]
pub struct Token {
    value: String,
    expires_at: SystemTime,
}

impl Token {
    /// The spare capacity of `value` must never have held a secret: only its text is wiped.
    pub(crate) fn new(value: String, expires_at: SystemTime) -> Self {
        Self { value, expires_at }
    }

    /// Returns the token's text, which is the password.
    pub fn value(&self) -> &str {
        &self.value
    }

    /// Returns the token's text as a string with at least one byte of spare capacity, so that a NUL
    /// can be appended without a copy. The caller is responsible for wiping it.
    pub fn into_value(mut self) -> String {
        std::mem::take(&mut self.value)
    }

    /// Returns the time from which the server rejects the token: when its lifetime ends or when the
    /// credentials that signed it expire, whichever comes first.
    pub fn expires_at(&self) -> SystemTime {
        self.expires_at
    }
}

impl Drop for Token {
    fn drop(&mut self) {
        wipe(&mut std::mem::take(&mut self.value).into_bytes());
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Token")
            .field("value", &"** redacted **")
            .field("expires_at", &format_rfc3339(self.expires_at))
            .finish()
    }
}
