//! A token and the moment until which it can be used.
//!
//! A token is a password for its few minutes: it is wiped on drop, and neither `Debug` nor
//! anything else prints it. Ask for its [`value`](Token::value) where the driver takes it.

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
    /// What room `value` has to spare was never written to: only its text is wiped.
    pub(crate) fn new(value: String, expires_at: SystemTime) -> Self {
        Self { value, expires_at }
    }

    /// The text to send as the password.
    pub fn value(&self) -> &str {
        &self.value
    }

    /// The text itself, with room for one byte more: a NUL can be put behind it without a copy.
    /// From here on it is the caller's to wipe.
    pub fn into_value(mut self) -> String {
        std::mem::take(&mut self.value)
    }

    /// The moment from which the server refuses the token: its lifetime's end or the end of the
    /// credentials that signed it, whichever comes first.
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
