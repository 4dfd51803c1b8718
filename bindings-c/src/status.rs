//! The numbers that functions return, and their names.
//!
//! Core decides both. The enum only lists them for the header, and the build fails if it misses a code
//! or gives it another number. Functions pass a plain number instead of the enum, because C may pass
//! any number, which would not be a valid value of the enum.

use std::ffi::{CStr, c_char};

use rdsign::ErrorCode;

/// The result of a function: RDSIGN_OK, or why it failed.
///
/// Numbers are never reused, and later versions may add more. If several options are invalid, the
/// lowest number wins; RDSIGN_NULL_ARGUMENT and RDSIGN_INVALID_UTF8 come before all others.
#[repr(i32)]
#[derive(Clone, Copy)]
pub enum rdsign_status {
    /// Success.
    RDSIGN_OK = 0,
    /// The host name is missing, empty or longer than 253 characters, or contains a scheme, a port, a
    /// path, a space, or a control or non-ASCII character.
    RDSIGN_INVALID_HOSTNAME = 1,
    /// The port is not 1 to 65535.
    RDSIGN_INVALID_PORT = 2,
    /// The user name is missing, empty, a token, or contains a control character or U+FFFD.
    RDSIGN_INVALID_USERNAME = 3,
    /// The region has characters other than lower-case letters, digits and '-'.
    RDSIGN_INVALID_REGION = 4,
    /// No region was given, and none is in the host name, the environment or the profile.
    RDSIGN_REGION_REQUIRED = 5,
    /// The given region differs from the one in the host name.
    RDSIGN_REGION_MISMATCH = 6,
    /// The access key ID or the secret access key is missing or empty, one of the keys contains a
    /// control character, or more than one source of credentials was given.
    RDSIGN_INVALID_CREDENTIALS = 7,
    /// The lifetime is not 1 to 900 seconds, or for DSQL 1 to 604800.
    RDSIGN_INVALID_EXPIRES_IN = 8,
    /// The signing time is before 1970 or after 9999.
    RDSIGN_INVALID_SIGNING_TIME = 9,
    /// The service is neither "rds" nor "dsql", or differs from the one in the host name.
    RDSIGN_SERVICE_MISMATCH = 10,
    /// No source had credentials. The message lists the sources, and why each had none.
    RDSIGN_CREDENTIALS_NOT_FOUND = 20,
    /// The credentials have expired, and their source has no newer ones.
    RDSIGN_CREDENTIALS_EXPIRED = 21,
    /// A source that should have worked failed, such as the credentials callback. The message says
    /// which one and why.
    RDSIGN_CREDENTIALS_FAILED = 22,
    /// Credentials did not arrive within the credentials timeout.
    RDSIGN_CREDENTIALS_TIMEOUT = 23,
    /// An argument is NULL that must not be NULL.
    RDSIGN_NULL_ARGUMENT = 100,
    /// A string is not UTF-8.
    RDSIGN_INVALID_UTF8 = 101,
    /// A bug in rdsign, or options that two threads used at the same time.
    RDSIGN_INTERNAL = 255,
}

/// cbindgen:ignore
/// The header calls it `rdsign_status`: see the top of this file.
pub(crate) type Status = i32;

/// The statuses of core's codes, in the order of [`ErrorCode::ALL`]. If core has a code that is missing
/// here, this does not compile: add it here and to the enum.
const STATUSES: [rdsign_status; ErrorCode::ALL.len()] = [
    rdsign_status::RDSIGN_INVALID_HOSTNAME,
    rdsign_status::RDSIGN_INVALID_PORT,
    rdsign_status::RDSIGN_INVALID_USERNAME,
    rdsign_status::RDSIGN_INVALID_REGION,
    rdsign_status::RDSIGN_REGION_REQUIRED,
    rdsign_status::RDSIGN_REGION_MISMATCH,
    rdsign_status::RDSIGN_INVALID_CREDENTIALS,
    rdsign_status::RDSIGN_INVALID_EXPIRES_IN,
    rdsign_status::RDSIGN_INVALID_SIGNING_TIME,
    rdsign_status::RDSIGN_SERVICE_MISMATCH,
    rdsign_status::RDSIGN_CREDENTIALS_NOT_FOUND,
    rdsign_status::RDSIGN_CREDENTIALS_EXPIRED,
    rdsign_status::RDSIGN_CREDENTIALS_FAILED,
    rdsign_status::RDSIGN_CREDENTIALS_TIMEOUT,
    rdsign_status::RDSIGN_INTERNAL,
];

/// Longer than any name, so that each ends with a NUL.
const NAME_SIZE: usize = 32;

/// Core's names as C strings, in the same order.
static NAMES: [[u8; NAME_SIZE]; ErrorCode::ALL.len()] = {
    let mut names = [[0; NAME_SIZE]; ErrorCode::ALL.len()];
    let mut at = 0;
    while at < names.len() {
        let code = ErrorCode::ALL[at];
        assert!(
            STATUSES[at] as Status == code as Status,
            "a code has different numbers in the header and in core"
        );
        let name = code.as_str().as_bytes();
        assert!(name.len() < NAME_SIZE, "a name is too long");
        names[at].split_at_mut(name.len()).0.copy_from_slice(name);
        at += 1;
    }
    names
};

fn name(status: Status) -> &'static CStr {
    match status {
        status if status == rdsign_status::RDSIGN_OK as Status => c"OK",
        status if status == rdsign_status::RDSIGN_NULL_ARGUMENT as Status => c"NULL_ARGUMENT",
        status if status == rdsign_status::RDSIGN_INVALID_UTF8 as Status => c"INVALID_UTF8",
        status => ErrorCode::ALL
            .iter()
            .position(|code| *code as Status == status)
            .and_then(|at| CStr::from_bytes_until_nul(&NAMES[at]).ok())
            .unwrap_or(c"UNKNOWN"),
    }
}

/// Returns the name of a status, the same as in every language, such as "INVALID_PORT". Returns "OK"
/// for RDSIGN_OK, and "UNKNOWN" for a number that this version does not know. The string is static.
#[unsafe(no_mangle)]
pub extern "C" fn rdsign_status_name(status: Status) -> *const c_char {
    name(status).as_ptr()
}
