//! The one error type, and the codes that every language shows.
//!
//! A code is a promise: its text and its number never change and are never used again for
//! something else. Messages name the field and say what is accepted. They never hold a secret
//! access key, a session token, a signature or a whole token, so an error may always be logged.

use std::borrow::Cow;
use std::fmt;

/// What went wrong, as a stable code. The number is the status that the C ABI returns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
#[repr(i32)]
pub enum ErrorCode {
    /// The host name is empty, too long, or holds something that a host name cannot.
    InvalidHostname = 1,
    /// The port is not 1 to 65535.
    InvalidPort = 2,
    /// The user name is empty or holds a control character or U+FFFD.
    InvalidUsername = 3,
    /// The region is not lower-case letters, digits and `-`.
    InvalidRegion = 4,
    /// No region was given, and none was found in the host name, the environment or the profile.
    RegionRequired = 5,
    /// The region given is not the one in the host name.
    RegionMismatch = 6,
    /// The key id or the secret is empty, or one of the three holds a control character.
    InvalidCredentials = 7,
    /// The lifetime is not 1 to 900 seconds.
    InvalidExpiresIn = 8,
    /// The signing time is before 1970 or after 9999.
    InvalidSigningTime = 9,
    /// No source of credentials had any.
    CredentialsNotFound = 20,
    /// The credentials have expired, and their source gives no newer ones.
    CredentialsExpired = 21,
    /// A source of credentials that should have worked did not.
    CredentialsFailed = 22,
    /// A call for credentials ran past its bound.
    CredentialsTimeout = 23,
    /// A fault of rdsign itself.
    Internal = 255,
}

impl ErrorCode {
    /// Every code, for what has to know them all.
    pub const ALL: [Self; 14] = [
        Self::InvalidHostname,
        Self::InvalidPort,
        Self::InvalidUsername,
        Self::InvalidRegion,
        Self::RegionRequired,
        Self::RegionMismatch,
        Self::InvalidCredentials,
        Self::InvalidExpiresIn,
        Self::InvalidSigningTime,
        Self::CredentialsNotFound,
        Self::CredentialsExpired,
        Self::CredentialsFailed,
        Self::CredentialsTimeout,
        Self::Internal,
    ];

    /// The code as every language spells it, such as `INVALID_PORT`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InvalidHostname => "INVALID_HOSTNAME",
            Self::InvalidPort => "INVALID_PORT",
            Self::InvalidUsername => "INVALID_USERNAME",
            Self::InvalidRegion => "INVALID_REGION",
            Self::RegionRequired => "REGION_REQUIRED",
            Self::RegionMismatch => "REGION_MISMATCH",
            Self::InvalidCredentials => "INVALID_CREDENTIALS",
            Self::InvalidExpiresIn => "INVALID_EXPIRES_IN",
            Self::InvalidSigningTime => "INVALID_SIGNING_TIME",
            Self::CredentialsNotFound => "CREDENTIALS_NOT_FOUND",
            Self::CredentialsExpired => "CREDENTIALS_EXPIRED",
            Self::CredentialsFailed => "CREDENTIALS_FAILED",
            Self::CredentialsTimeout => "CREDENTIALS_TIMEOUT",
            Self::Internal => "INTERNAL",
        }
    }

    /// Whether the caller's own input is at fault, and not credentials or rdsign.
    pub const fn is_invalid_request(self) -> bool {
        (self as i32) < Self::CredentialsNotFound as i32
    }
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A code and a message. `Display` gives the message alone.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Error {
    code: ErrorCode,
    message: Cow<'static, str>,
}

impl Error {
    pub(crate) fn new(code: ErrorCode, message: impl Into<Cow<'static, str>>) -> Self {
        Self {
            code,
            message: message.into(),
        }
    }

    /// An [`ErrorCode::Internal`] for a binding that caught a panic at its boundary.
    pub fn internal(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ErrorCode::Internal, message)
    }

    /// The error for a panic that was caught at a boundary. What the panic said is left out: it may
    /// quote any text at all.
    pub fn from_panic() -> Self {
        Self::internal("internal error (panic); please report it")
    }

    /// The stable code.
    pub fn code(&self) -> ErrorCode {
        self.code
    }

    /// What is wrong and what is accepted, in one sentence.
    pub fn message(&self) -> &str {
        &self.message
    }
}
