//! The library that PostgreSQL is started with (LD_PRELOAD): it answers the six calls that
//! `postgres` makes to libpam, and lets in whoever brings a token that RDS would accept.
//!
//! It runs inside a PostgreSQL backend, so nothing may leave it but an answer: a panic that got
//! out would take the backend and every other session down. It must export all six functions, or
//! the system's libpam would answer some of the calls with a handle that is not its own.

mod conversation;
mod grant;
mod member;
mod server;
#[cfg(test)]
mod tests;

use std::ffi::{CStr, c_char, c_int, c_void};
use std::io::Write;
use std::panic::{AssertUnwindSafe, Location, catch_unwind};
use std::sync::Once;
use std::time::SystemTime;

use conversation::{Conversation, PamConv};
use rdsign_local::decision::{Decision, INTERNAL, decide};
use rdsign_local::timestamp;

// The values of Linux-PAM's _pam_types.h.
const PAM_SUCCESS: c_int = 0;
const PAM_SYSTEM_ERR: c_int = 4;
const PAM_AUTH_ERR: c_int = 7;
const PAM_CONV_ERR: c_int = 19;
const PAM_USER: c_int = 2;
const PAM_RHOST: c_int = 4;
const PAM_CONV: c_int = 5;

/// One login, from `pam_start` to `pam_end`. To PostgreSQL it is opaque.
struct Login {
    username: Vec<u8>,
    client: Vec<u8>,
    conversation: Option<Conversation>,
}

/// Begins a login.
///
/// # Safety
/// As libpam's: `user` is null or a C string, `conversation` null or valid until `pam_end`, and
/// `handle` takes a pointer.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pam_start(
    _service: *const c_char,
    user: *const c_char,
    conversation: *const PamConv,
    handle: *mut *mut c_void,
) -> c_int {
    guarded(|| {
        keep_panics_silent();
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

/// Keeps what PostgreSQL says about the login; items of no interest here are taken and forgotten.
///
/// # Safety
/// As libpam's: `handle` comes from `pam_start`, and `item` is what `item_type` asks for.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pam_set_item(
    handle: *mut c_void,
    item_type: c_int,
    item: *const c_void,
) -> c_int {
    guarded(|| {
        // SAFETY: passed on from the caller; nobody else has a reference meanwhile.
        let Some(login) = (unsafe { handle.cast::<Login>().as_mut() }) else {
            return PAM_SYSTEM_ERR;
        };
        // SAFETY: the type says what the item points to.
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

/// Asks the client for its password and decides. The reason of a refusal goes through the
/// conversation into the server's log; the client is told nothing but that it failed.
///
/// # Safety
/// As libpam's: `handle` comes from `pam_start`.
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
        // None: the client is gone, which psql does to ask its user for the password.
        let Some(password) = conversation.ask_for_password() else {
            return PAM_CONV_ERR;
        };
        let decision = member::decide_by_password(&login.username, password.as_c_str());
        match decision.unwrap_or_else(|| decide(&login.username, password.as_bytes())) {
            Decision::Accepted(line) => {
                log(login, &line);
                PAM_SUCCESS
            }
            Decision::Refused(line) => {
                conversation.say(&line);
                PAM_AUTH_ERR
            }
        }
    })
}

/// Whether the user may log in now: whoever got this far may.
///
/// # Safety
/// None of its own; it has libpam's signature.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pam_acct_mgmt(_handle: *mut c_void, _flags: c_int) -> c_int {
    PAM_SUCCESS
}

/// Ends a login.
///
/// # Safety
/// As libpam's: `handle` comes from `pam_start` and is not used again.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pam_end(handle: *mut c_void, _status: c_int) -> c_int {
    guarded(|| {
        if !handle.is_null() {
            // SAFETY: it was made by Box::into_raw in pam_start.
            drop(unsafe { Box::from_raw(handle.cast::<Login>()) });
        }
        PAM_SUCCESS
    })
}

/// The text for one of the codes above, for the server's log.
///
/// # Safety
/// None of its own; it has libpam's signature.
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

/// Makes a panic leave no more than its place in the log: the message may quote what it was about,
/// which here is a token.
fn keep_panics_silent() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        std::panic::set_hook(Box::new(|panic| {
            let place = panic
                .location()
                .map(Location::to_string)
                .unwrap_or_default();
            let line = format!("rdsign: refused ({INTERNAL}): a fault of rdsign, {place}\n");
            let _ = std::io::stderr().write_all(line.as_bytes());
        }));
    });
}

/// Writes a line to standard error, which is the server's log: in one call, so that lines of
/// backends that write at the same time stay whole.
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
