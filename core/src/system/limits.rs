//! Recognizes a process that has no descriptor, or on Windows no socket, left.

use std::io::Error;

#[cfg(unix)]
const NONE_LEFT: [i32; 2] = [libc::EMFILE, libc::ENFILE];
#[cfg(windows)]
const NONE_LEFT: [i32; 2] = {
    use windows_sys::Win32::{
        Foundation::ERROR_TOO_MANY_OPEN_FILES, Networking::WinSock::WSAEMFILE,
    };
    [WSAEMFILE, ERROR_TOO_MANY_OPEN_FILES as i32]
};

/// Returns the system's error for a process that has none left.
pub(crate) fn no_descriptor() -> Error {
    Error::from_raw_os_error(NONE_LEFT[0])
}

/// Whether a call failed because there is none left.
pub(crate) fn has_no_descriptor(error: &Error) -> bool {
    error
        .raw_os_error()
        .is_some_and(|code| NONE_LEFT.contains(&code))
}
