//! Defines the error type and the codes that every language shows.
//!
//! The text and the number of a code never change, and are never reused for another error. Messages
//! name the field and say what is accepted. They never contain a secret access key, a session
//! token, a signature or a whole token, so every error is safe to log.

use std::borrow::Cow;
use std::fmt;

/// Says who can fix an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// The caller: an option is invalid, or the region is missing.
    Request,
    /// The provider of the credentials: they are missing, expired or could not be fetched.
    Credentials,
    /// The authors of rdsign: the error is a bug.
    Internal,
}

/// Declares the codes, each once: `Name = number, "TEXT", kind`.
///
/// The codes are in the order of their numbers. If several options are invalid, the lowest is
/// reported. CONTRIBUTING.md lists what else a new code needs; a test fails for each missing step.
macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $number:literal, $text:literal, $kind:ident;)+) => {
        /// Says what went wrong, as a stable code. Its number is the status that the C ABI returns.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        #[repr(i32)]
        pub enum ErrorCode {
            $($(#[$doc])* $name = $number,)+
        }

        impl ErrorCode {
            /// All codes, in the order of their numbers.
            pub const ALL: &[Self] = &[$(Self::$name),+];

            /// Returns the code as every language spells it, such as `INVALID_PORT`.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text),+ }
            }

            /// Returns who can fix the error.
            pub const fn kind(self) -> ErrorKind {
                match self { $(Self::$name => ErrorKind::$kind),+ }
            }
        }
    };
}

codes! {
    /// The host name is missing, empty, too long, a list of hosts, not the endpoint's, or contains something
    /// that a host name cannot.
    InvalidHostname = 1, "INVALID_HOSTNAME", Request;
    /// The port is not 1 to 65535.
    InvalidPort = 2, "INVALID_PORT", Request;
    /// The user name is missing or empty, contains a control character or U+FFFD, or is a token.
    InvalidUsername = 3, "INVALID_USERNAME", Request;
    /// The region is empty, contains something other than lower-case letters, digits and `-`, or is a zone.
    InvalidRegion = 4, "INVALID_REGION", Request;
    /// The region was not given, nor found in the host name, the environment or the profile.
    RegionRequired = 5, "REGION_REQUIRED", Request;
    /// The given region is not the one in the host name.
    RegionMismatch = 6, "REGION_MISMATCH", Request;
    /// A key is missing, empty or contains a control character, or the source is otherwise invalid,
    /// such as several sources at once.
    InvalidCredentials = 7, "INVALID_CREDENTIALS", Request;
    /// The lifetime is not 1 to 900 seconds, or for DSQL 1 to 604,800.
    InvalidExpiresIn = 8, "INVALID_EXPIRES_IN", Request;
    /// The signing time is before 1970 or after 9999.
    InvalidSigningTime = 9, "INVALID_SIGNING_TIME", Request;
    /// The service is not `rds` or `dsql`, or it is not the host name's.
    ServiceMismatch = 10, "SERVICE_MISMATCH", Request;
    /// No source has credentials.
    CredentialsNotFound = 20, "CREDENTIALS_NOT_FOUND", Credentials;
    /// The credentials expired, and their source has no newer ones.
    CredentialsExpired = 21, "CREDENTIALS_EXPIRED", Credentials;
    /// A source of credentials is configured, but failed.
    CredentialsFailed = 22, "CREDENTIALS_FAILED", Credentials;
    /// Fetching credentials took longer than the credentials timeout.
    CredentialsTimeout = 23, "CREDENTIALS_TIMEOUT", Credentials;
    /// A bug in rdsign.
    Internal = 255, "INTERNAL", Internal;
}

impl ErrorCode {
    /// Returns whether the error is in the caller's input, and not in the credentials or in rdsign.
    pub const fn is_invalid_request(self) -> bool {
        matches!(self.kind(), ErrorKind::Request)
    }
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// An error with a code and a message. `Display` writes only the message.
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

    /// Returns the same message with another code.
    #[cfg(feature = "chain")]
    pub(crate) fn with_code(self, code: ErrorCode) -> Self {
        Self { code, ..self }
    }

    /// Returns an [`ErrorCode::Internal`] for a bug that a binding detected at its boundary.
    pub fn internal(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ErrorCode::Internal, message)
    }

    /// Returns the error for a panic that was caught at a boundary. Its message does not repeat the
    /// panic's message, which may contain a secret.
    pub fn from_panic() -> Self {
        Self::internal("internal error (panic); please report it")
    }

    /// Returns the stable code.
    pub fn code(&self) -> ErrorCode {
        self.code
    }

    /// Returns what is wrong and what is accepted, usually as `FIELD: problem; accepted: …`.
    pub fn message(&self) -> &str {
        &self.message
    }
}
