//! The numbers that functions return, and their names.
//!
//! Numbers and names are core's; here they are only written out for the header, and the build fails
//! where the two differ. Functions return a plain number and not the enum, since a status that a
//! caller makes up, or that core learns first, would be no value of the enum.

use std::ffi::{CStr, c_char};

use rdsign::ErrorCode;

/// What a function returns: RDSIGN_OK, or why it failed.
///
/// A number is never used again for something else, and later versions may add more. If several
/// options are wrong, the lowest number wins; RDSIGN_NULL_ARGUMENT and RDSIGN_INVALID_UTF8 come
/// before all others.
#[repr(i32)]
#[derive(Clone, Copy)]
pub enum rdsign_status {
    /// It worked.
    RDSIGN_OK = 0,
    /// The host name is missing, empty, over 253 characters, or has something in it that no host
    /// name has: a scheme, a port, a path, a space, a control or non-ASCII character.
    RDSIGN_INVALID_HOSTNAME = 1,
    /// The port is not 1 to 65535.
    RDSIGN_INVALID_PORT = 2,
    /// The user name is missing, empty, or has a control character or U+FFFD in it.
    RDSIGN_INVALID_USERNAME = 3,
    /// The region is not lower-case letters, digits and '-'.
    RDSIGN_INVALID_REGION = 4,
    /// No region is given, and none is in the host name, the environment or the profile.
    RDSIGN_REGION_REQUIRED = 5,
    /// The region given is not the one in the host name.
    RDSIGN_REGION_MISMATCH = 6,
    /// The access key id or the secret access key is missing or empty, one of the keys has a
    /// control character in it, or two sources of credentials are given.
    RDSIGN_INVALID_CREDENTIALS = 7,
    /// The lifetime is not 1 to 900 seconds.
    RDSIGN_INVALID_EXPIRES_IN = 8,
    /// The signing time is before 1970 or after 9999.
    RDSIGN_INVALID_SIGNING_TIME = 9,
    /// No source had credentials: the text lists what was tried, and why each had none.
    RDSIGN_CREDENTIALS_NOT_FOUND = 20,
    /// The credentials have expired, and their source gives no newer ones.
    RDSIGN_CREDENTIALS_EXPIRED = 21,
    /// A source that should have had credentials failed, the credentials callback among them: the
    /// text says which one and why.
    RDSIGN_CREDENTIALS_FAILED = 22,
    /// Credentials did not arrive within the credentials timeout.
    RDSIGN_CREDENTIALS_TIMEOUT = 23,
    /// An argument that must not be NULL is.
    RDSIGN_NULL_ARGUMENT = 100,
    /// A text is not UTF-8.
    RDSIGN_INVALID_UTF8 = 101,
    /// A fault of rdsign itself.
    RDSIGN_INTERNAL = 255,
}

/// cbindgen:ignore
/// In the header this is `rdsign_status`; see the top of this file.
pub(crate) type Status = i32;

/// A name as a C string, made while compiling.
const fn terminated<const N: usize>(name: &str) -> [u8; N] {
    let mut bytes = [0; N];
    let mut at = 0;
    while at < name.len() {
        bytes[at] = name.as_bytes()[at];
        at += 1;
    }
    bytes
}

macro_rules! core_names {
    ($($code:ident = $status:ident),* $(,)?) => {
        $(const _: () = assert!(
            rdsign_status::$status as Status == ErrorCode::$code as Status,
            "the header gives a code another number than core does"
        );)*

        fn name(status: Status) -> &'static [u8] {
            match status {
                $(status if status == ErrorCode::$code as Status => {
                    const NAME: &str = ErrorCode::$code.as_str();
                    static TERMINATED: [u8; NAME.len() + 1] = terminated(NAME);
                    &TERMINATED
                })*
                status if status == rdsign_status::RDSIGN_OK as Status => b"OK\0",
                status if status == rdsign_status::RDSIGN_NULL_ARGUMENT as Status => {
                    b"NULL_ARGUMENT\0"
                }
                status if status == rdsign_status::RDSIGN_INVALID_UTF8 as Status => {
                    b"INVALID_UTF8\0"
                }
                _ => b"UNKNOWN\0",
            }
        }
    };
}

core_names! {
    InvalidHostname = RDSIGN_INVALID_HOSTNAME,
    InvalidPort = RDSIGN_INVALID_PORT,
    InvalidUsername = RDSIGN_INVALID_USERNAME,
    InvalidRegion = RDSIGN_INVALID_REGION,
    RegionRequired = RDSIGN_REGION_REQUIRED,
    RegionMismatch = RDSIGN_REGION_MISMATCH,
    InvalidCredentials = RDSIGN_INVALID_CREDENTIALS,
    InvalidExpiresIn = RDSIGN_INVALID_EXPIRES_IN,
    InvalidSigningTime = RDSIGN_INVALID_SIGNING_TIME,
    CredentialsNotFound = RDSIGN_CREDENTIALS_NOT_FOUND,
    CredentialsExpired = RDSIGN_CREDENTIALS_EXPIRED,
    CredentialsFailed = RDSIGN_CREDENTIALS_FAILED,
    CredentialsTimeout = RDSIGN_CREDENTIALS_TIMEOUT,
    Internal = RDSIGN_INTERNAL,
}

/// A status as every language spells it, such as "INVALID_PORT"; "OK" for RDSIGN_OK, "UNKNOWN" for
/// a number that this version does not know. The text is static.
#[unsafe(no_mangle)]
pub extern "C" fn rdsign_status_name(status: Status) -> *const c_char {
    CStr::from_bytes_with_nul(name(status))
        .unwrap_or_default()
        .as_ptr()
}
