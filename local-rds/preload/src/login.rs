//! Asks a client for its password, and lets it in if that is a token that RDS would accept.
//!
//! PostgreSQL calls [`authenticate`] after a login rule has matched, and before it tells the client
//! that it is logged in. The rule for members of rds_iam asks for nothing; this module does.
//!
//! While a client logs in, nothing catches PostgreSQL's errors, so each of them ends the process
//! and jumps over no frame of this library.

use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;
use std::sync::OnceLock;

use rdsign_local::login::{Decision, INTERNAL, Shown, decide, with_login};
use zeroize::Zeroize;

use crate::postgres::port::Connection;
use crate::postgres::{Functions, Level, functions};
use crate::roles;

/// `STATUS_OK`
const OK: c_int = 0;
/// What `pq_getbyte` returns if the client has disconnected.
const DISCONNECTED: c_int = -1;
/// The type of the message that asks for a password, and the message: `AUTH_REQ_PASSWORD`.
const ASK: (u8, [u8; 4]) = (b'R', 3_u32.to_be_bytes());
/// The type of the answer.
const PASSWORD: u8 = b'p';
/// `PG_MAX_AUTH_TOKEN_LENGTH`
const LONGEST_PASSWORD: c_int = 65_535;

type Hook = unsafe extern "C-unwind" fn(port: *mut c_void, status: c_int);

/// The hook of a library that was loaded before.
static BEFORE: OnceLock<Hook> = OnceLock::new();

/// `PQcommMethods`
#[repr(C)]
struct Methods {
    reset: *const c_void,
    flush: unsafe extern "C-unwind" fn() -> c_int,
    flush_if_writable: *const c_void,
    is_send_pending: *const c_void,
    put_message: unsafe extern "C-unwind" fn(c_char, *const u8, usize) -> c_int,
}

/// Makes PostgreSQL call [`authenticate`] for each login.
pub(crate) fn attach(postgres: &Functions) {
    let hook = postgres.authentication_hook.cast::<Option<Hook>>();
    // SAFETY: the variable belongs to PostgreSQL, which is starting.
    unsafe {
        if let Some(before) = *hook {
            let _ = BEFORE.set(before);
        }
        *hook = Some(authenticate);
    }
}

/// # Safety
/// Must be called by PostgreSQL as its `ClientAuthentication_hook`.
unsafe extern "C-unwind" fn authenticate(port: *mut c_void, status: c_int) {
    // SAFETY: the arguments are passed on.
    unsafe {
        if let Some(before) = BEFORE.get() {
            before(port, status);
        }
        let Some(postgres) = functions() else {
            std::process::abort() // unreachable: the functions are set before the hook
        };
        let connection = Connection::of(port);
        if status != OK || connection.is_authenticated {
            return;
        }
        let password = ask_for_password(postgres);
        let replicates = roles::replicates_with_password();
        let username = connection.username;
        let decision = catch_unwind(AssertUnwindSafe(|| {
            roles::decide_by_password(username, password.text(), replicates)
                .unwrap_or_else(|| decide(username.to_bytes(), password.text().to_bytes()))
        }));
        drop(password);
        match decision {
            Ok(Decision::Accepted(line)) => {
                let client = connection.client.to_bytes().escape_ascii();
                let line = with_login(&line, username.to_bytes());
                log(postgres, &format!("{line}; from {client}"));
            }
            Ok(Decision::Refused { line, shown }) => {
                log(postgres, &with_login(&line, username.to_bytes()));
                drop(line);
                refuse(postgres, username, shown, replicates);
            }
            Err(_) => {
                log(
                    postgres,
                    &format!("rdsign: refused ({INTERNAL}): a bug in rdsign"),
                );
                refuse(postgres, username, None, replicates);
            }
        }
    }
}

/// A password in PostgreSQL's memory, with its final NUL. Wiped when it is dropped.
struct Password(&'static mut [u8]);

impl Password {
    fn text(&self) -> &CStr {
        CStr::from_bytes_with_nul(self.0).unwrap_or_default()
    }
}

impl Drop for Password {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

/// Asks the client for its password. Ends the process if it sends none, as psql does to ask its user.
///
/// # Safety
/// Must be called while a client logs in.
unsafe fn ask_for_password(postgres: &Functions) -> Password {
    // SAFETY: in the order in which PostgreSQL itself asks for a password.
    unsafe {
        let methods = &**postgres.connection.cast::<*const Methods>();
        (methods.put_message)(ASK.0 as c_char, ASK.1.as_ptr(), ASK.1.len());
        (methods.flush)();
        (postgres.start_message)();
        match (postgres.get_byte)() {
            DISCONNECTED => (postgres.exit)(0),
            kind if kind == c_int::from(PASSWORD) => {}
            _ => {
                let message = c"expected password response";
                postgres.raise(Level::Fatal, *b"08P01", message, None);
            }
        }
        let mut buffer = StringInfo::default();
        (postgres.init_buffer)((&raw mut buffer).cast());
        if (postgres.get_message)((&raw mut buffer).cast(), LONGEST_PASSWORD) != OK {
            (postgres.exit)(0);
        }
        let length = usize::try_from(buffer.length).unwrap_or(0);
        let bytes = std::slice::from_raw_parts_mut(buffer.data, length);
        if CStr::from_bytes_with_nul(bytes).is_err() {
            bytes.zeroize();
            postgres.raise(
                Level::Fatal,
                *b"08P01",
                c"invalid password packet size",
                None,
            );
        }
        Password(bytes)
    }
}

/// `StringInfoData`
#[repr(C)]
struct StringInfo {
    data: *mut u8,
    length: c_int,
    capacity: c_int,
    cursor: c_int,
}

impl Default for StringInfo {
    fn default() -> Self {
        Self {
            data: ptr::null_mut(),
            length: 0,
            capacity: 0,
            cursor: 0,
        }
    }
}

/// Ends the process with the error that the client gets from RDS, or the one to be shown.
///
/// # Safety
/// Must be called while a client logs in.
unsafe fn refuse(postgres: &Functions, username: &CStr, shown: Option<Shown>, replicates: bool) {
    let failed = |method: &str| {
        let start = format!("{method} authentication failed for user \"");
        [start.as_bytes(), username.to_bytes(), b"\""].concat()
    };
    let (state, message, hint) = match (replicates, shown) {
        (true, _) => (*b"28P01", failed("password"), None),
        (false, Some(shown)) => (shown.state, shown.message.into(), shown.hint),
        (false, None) => (*b"28000", failed("PAM"), None),
    };
    let hint = hint.and_then(|hint| CString::new(hint).ok());
    // SAFETY: passed on from the caller. The error ends the process.
    unsafe {
        if let Ok(message) = CString::new(message) {
            postgres.raise(Level::Fatal, state, &message, hint.as_deref());
        }
        (postgres.exit)(1);
    }
}

/// Writes a line to the server's log.
///
/// # Safety
/// Must be called while a client logs in.
unsafe fn log(postgres: &Functions, line: &str) {
    // A NUL would end the line, and a line break would start a new one.
    let line = line.replace(char::is_control, "?");
    if let Ok(line) = CString::new(line) {
        // SAFETY: passed on from the caller.
        unsafe { postgres.raise(Level::Log, *b"00000", &line, None) };
    }
}
