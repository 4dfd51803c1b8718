//! The library that is preloaded into PostgreSQL with LD_PRELOAD. It implements the six libpam
//! functions that `postgres` calls, and accepts the tokens that RDS would accept.
//!
//! It runs inside a PostgreSQL backend. No panic may leave it, because the crash of one backend
//! ends all other sessions. It must export all six functions; otherwise the system's libpam would
//! get some of the calls, with a handle that it does not know.

#![expect(
    unsafe_code,
    reason = "C functions that PostgreSQL calls, and calls of its own functions"
)]

mod conversation;
mod roles;
#[cfg(test)]
mod tests;

use std::ffi::{CStr, c_char, c_int, c_void};
use std::io::Write;
use std::panic::{AssertUnwindSafe, Location, catch_unwind};
use std::sync::Once;
use std::time::SystemTime;

use conversation::{Conversation, PamConv};
use rdsign_local::login::{Decision, INTERNAL, decide};
use rdsign_local::timestamp;

// The values are from Linux-PAM's _pam_types.h.
const PAM_SUCCESS: c_int = 0;
const PAM_SYSTEM_ERR: c_int = 4;
const PAM_AUTH_ERR: c_int = 7;
const PAM_CONV_ERR: c_int = 19;
const PAM_USER: c_int = 2;
const PAM_RHOST: c_int = 4;
const PAM_CONV: c_int = 5;

/// One login, from `pam_start` to `pam_end`. PostgreSQL holds it as an opaque handle.
struct Login {
    username: Vec<u8>,
    client: Vec<u8>,
    conversation: Option<Conversation>,
}

/// Starts a login.
///
/// # Safety
/// As for libpam: `user` is null or a C string, `conversation` null or valid until `pam_end`, and
/// `handle` points to writable memory.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pam_start(
    _service: *const c_char,
    user: *const c_char,
    conversation: *const PamConv,
    handle: *mut *mut c_void,
) -> c_int {
    guarded(|| {
        log_only_the_location_of_panics();
        // SAFETY: passed on from the caller.
        let login = unsafe {
            Login {
                username: bytes(user.cast()),
                client: Vec::new(),
                conversation: Conversation::new(conversation),
            }
        };
        // SAFETY: passed on from the caller.
        unsafe { *handle = Box::into_raw(Box::new(login)).cast() };
        PAM_SUCCESS
    })
}

/// Stores the user, the client's address or the conversation. Other items are accepted and ignored.
///
/// # Safety
/// As for libpam: `handle` comes from `pam_start`, and `item` has the type for `item_type`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pam_set_item(
    handle: *mut c_void,
    item_type: c_int,
    item: *const c_void,
) -> c_int {
    guarded(|| {
        // SAFETY: passed on from the caller; there is no other reference during this call.
        let Some(login) = (unsafe { handle.cast::<Login>().as_mut() }) else {
            return PAM_SYSTEM_ERR;
        };
        // SAFETY: `item_type` says what the item points to.
        unsafe {
            match item_type {
                PAM_USER => login.username = bytes(item.cast()),
                PAM_RHOST => login.client = bytes(item.cast()),
                PAM_CONV => login.conversation = Conversation::new(item.cast()),
                _ => {}
            }
        }
        PAM_SUCCESS
    })
}

/// Asks the client for its password and decides about the login. The reason for a refusal goes to
/// the server's log; the client only learns that the login failed.
///
/// # Safety
/// As for libpam: `handle` comes from `pam_start`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pam_authenticate(handle: *mut c_void, _flags: c_int) -> c_int {
    guarded(|| {
        // SAFETY: passed on from the caller.
        let Some(login) = (unsafe { handle.cast::<Login>().as_ref() }) else {
            return PAM_SYSTEM_ERR;
        };
        let Some(conversation) = &login.conversation else {
            return PAM_CONV_ERR;
        };
        // None means the client has disconnected, as psql does to ask its user for a password.
        let Some(password) = conversation.ask_for_password() else {
            return PAM_CONV_ERR;
        };
        let replicates = roles::replicates_with_password();
        let decision = roles::decide_by_password(&login.username, password.as_c_str(), replicates);
        let decision = decision.unwrap_or_else(|| decide(&login.username, password.as_bytes()));
        drop(password);
        match decision {
            Decision::Accepted(line) => {
                log(login, &line);
                PAM_SUCCESS
            }
            Decision::Refused(line) => {
                conversation.say(&line);
                if replicates {
                    roles::fail_as_password(&login.username); // what the client gets from RDS
                }
                PAM_AUTH_ERR
            }
        }
    })
}

/// Always succeeds: `pam_authenticate` has already decided.
///
/// # Safety
/// No requirements; the signature is that of libpam.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pam_acct_mgmt(_handle: *mut c_void, _flags: c_int) -> c_int {
    PAM_SUCCESS
}

/// Ends a login.
///
/// # Safety
/// As for libpam: `handle` comes from `pam_start` and is not used again.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pam_end(handle: *mut c_void, _status: c_int) -> c_int {
    guarded(|| {
        if !handle.is_null() {
            // SAFETY: the handle comes from Box::into_raw in pam_start.
            drop(unsafe { Box::from_raw(handle.cast::<Login>()) });
        }
        PAM_SUCCESS
    })
}

/// Returns the text of a PAM code, for the server's log.
///
/// # Safety
/// No requirements; the signature is that of libpam.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pam_strerror(_handle: *mut c_void, code: c_int) -> *const c_char {
    let text = match code {
        PAM_SUCCESS => c"Success",
        PAM_AUTH_ERR => c"Authentication failure",
        PAM_CONV_ERR => c"Conversation error",
        _ => c"System error",
    };
    text.as_ptr()
}

/// Turns a panic into a refusal.
fn guarded(body: impl FnOnce() -> c_int) -> c_int {
    catch_unwind(AssertUnwindSafe(body)).unwrap_or(PAM_SYSTEM_ERR)
}

/// Makes a panic log only its location, because its message might quote a token.
fn log_only_the_location_of_panics() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        std::panic::set_hook(Box::new(|panic| {
            let place = panic
                .location()
                .map(Location::to_string)
                .unwrap_or_default();
            let line = format!("rdsign: refused ({INTERNAL}): a bug in rdsign, {place}\n");
            let _ = std::io::stderr().write_all(line.as_bytes());
        }));
    });
}

/// Writes a line to standard error, which is the server's log. It is written in one call, so that
/// lines of different backends do not mix.
fn log(login: &Login, line: &str) {
    let now = timestamp::format_rfc3339(SystemTime::now());
    let client = login.client.escape_ascii();
    let line = format!("{now} [{}] {line}; from {client}\n", std::process::id());
    let _ = std::io::stderr().write_all(line.as_bytes());
}

/// # Safety
/// `text` is null or a C string.
unsafe fn bytes(text: *const c_char) -> Vec<u8> {
    if text.is_null() {
        return Vec::new();
    }
    // SAFETY: passed on from the caller.
    unsafe { CStr::from_ptr(text) }.to_bytes().to_owned()
}
