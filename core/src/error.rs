//! The one error type, and the codes that every language shows.
//!
//! A code is a promise: its text and its number never change and are never used again for
//! something else. Messages name the field and say what is accepted. They never hold a secret
//! access key, a session token, a signature or a whole token, so an error may always be logged.

use std::borrow::Cow;
use std::fmt;

/// Who has to act on an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// The caller: an option is not what is accepted, or the region is missing.
    Request,
    /// Whoever provides the credentials: they are missing, expired or could not be fetched.
    Credentials,
    /// The authors of rdsign: it is a bug.
    Internal,
}

/// Declares the codes, each once: `Name = number, "TEXT", kind`.
///
/// They are in the order of their numbers: if several options are wrong, the lowest is reported.
/// CONTRIBUTING.md lists what else a new code needs; a test fails for each step that is missing.
macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $number:literal, $text:literal, $kind:ident;)+) => {
        /// What went wrong, as a stable code. The number is the status that the C ABI returns.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        #[repr(i32)]
        pub enum ErrorCode {
            $($(#[$doc])* $name = $number,)+
        }

        impl ErrorCode {
            /// Every code, in the order of the numbers.
            pub const ALL: &[Self] = &[$(Self::$name),+];

            /// The code as every language spells it, such as `INVALID_PORT`.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text),+ }
            }

            /// Who has to act on it.
            pub const fn kind(self) -> ErrorKind {
                match self { $(Self::$name => ErrorKind::$kind),+ }
            }
        }
    };
}

codes! {
    /// The host name is empty, too long, or holds something that a host name cannot.
    InvalidHostname = 1, "INVALID_HOSTNAME", Request;
    /// The port is not 1 to 65535.
    InvalidPort = 2, "INVALID_PORT", Request;
    /// The user name is empty or holds a control character or U+FFFD.
    InvalidUsername = 3, "INVALID_USERNAME", Request;
    /// The region is not lower-case letters, digits and `-`.
    InvalidRegion = 4, "INVALID_REGION", Request;
    /// No region was given, and none was found in the host name, the environment or the profile.
    RegionRequired = 5, "REGION_REQUIRED", Request;
    /// The region given is not the one in the host name.
    RegionMismatch = 6, "REGION_MISMATCH", Request;
    /// The key id or the secret is empty, or one of the three holds a control character.
    InvalidCredentials = 7, "INVALID_CREDENTIALS", Request;
    /// The lifetime is not 1 to 900 seconds.
    InvalidExpiresIn = 8, "INVALID_EXPIRES_IN", Request;
    /// The signing time is before 1970 or after 9999.
    InvalidSigningTime = 9, "INVALID_SIGNING_TIME", Request;
    /// No source of credentials had any.
    CredentialsNotFound = 20, "CREDENTIALS_NOT_FOUND", Credentials;
    /// The credentials have expired, and their source gives no newer ones.
    CredentialsExpired = 21, "CREDENTIALS_EXPIRED", Credentials;
    /// A source of credentials that should have worked did not.
    CredentialsFailed = 22, "CREDENTIALS_FAILED", Credentials;
    /// A call for credentials ran past its bound.
    CredentialsTimeout = 23, "CREDENTIALS_TIMEOUT", Credentials;
    /// A bug in rdsign.
    Internal = 255, "INTERNAL", Internal;
}

impl ErrorCode {
    /// Whether the caller's own input is at fault, and not credentials or rdsign.
    pub const fn is_invalid_request(self) -> bool {
        matches!(self.kind(), ErrorKind::Request)
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
