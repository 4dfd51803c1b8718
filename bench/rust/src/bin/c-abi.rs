//! Measures what a call through the C ABI adds to core's own `token()`. The shipped library is
//! loaded at run time, as a C program would load it, and compared with core in the same process.
//!
//! `$RDSIGN_LIBRARY` names the library.

#![expect(unsafe_code, reason = "calls C functions")]

use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::hint::black_box;
use std::ptr::null_mut;

use rdsign_bench::{HOST, KEY_ID, Row, SECRET, USER, interleaved, kinds_of_keys};
use serde_json::json;

const PEER: &str = "rdsign in Rust";
const TOKENS_PER_ROUND: u32 = 400;

type Make = unsafe extern "C" fn(*const c_void, *mut *mut c_void, *mut *mut c_void) -> c_int;
type Set = unsafe extern "C" fn(*mut c_void, *const c_char) -> c_int;
type Value = unsafe extern "C" fn(*const c_void) -> *const c_char;
type Free = unsafe extern "C" fn(*mut c_void);

/// A loaded library. It is never closed.
struct Library(*mut c_void);

impl Library {
    fn open() -> Self {
        let path =
            std::env::var("RDSIGN_LIBRARY").expect("RDSIGN_LIBRARY is not set: run `make bench-c`");
        let path = CString::new(path).expect("a path has no NUL");
        // SAFETY: a C string, and a library whose constructors are Rust's.
        let handle = unsafe { libc::dlopen(path.as_ptr(), libc::RTLD_NOW) };
        assert!(!handle.is_null(), "{path:?} cannot be loaded");
        Self(handle)
    }

    /// Looks up a function of the library. `F` must be its type.
    fn function<F: Copy>(&self, name: &CStr) -> F {
        // SAFETY: a handle that is open, and a C string.
        let symbol = unsafe { libc::dlsym(self.0, name.as_ptr()) };
        assert!(!symbol.is_null(), "{name:?} is not in the library");
        assert_eq!(size_of::<F>(), size_of_val(&symbol));
        // SAFETY: each use below names the type that rdsign.h declares.
        unsafe { std::mem::transmute_copy(&symbol) }
    }
}

/// A signer behind the C ABI, and the functions that get a token from it.
struct CSigner {
    signer: *mut c_void,
    token: Make,
    value: Value,
    free: Free,
}

impl CSigner {
    fn new(library: &Library, session_token: Option<&str>) -> Self {
        let options_new: unsafe extern "C" fn() -> *mut c_void =
            library.function(c"rdsign_options_new");
        // SAFETY: the calls follow the rules of rdsign.h.
        unsafe {
            let options = options_new();
            for (setter, text) in [
                (c"rdsign_options_set_hostname", Some(HOST)),
                (c"rdsign_options_set_username", Some(USER)),
                (c"rdsign_options_set_access_key_id", Some(KEY_ID)),
                (c"rdsign_options_set_secret_access_key", Some(SECRET)),
                (c"rdsign_options_set_session_token", session_token),
            ] {
                if let Some(text) = text {
                    let text = CString::new(text).expect("no NUL");
                    assert_eq!(library.function::<Set>(setter)(options, text.as_ptr()), 0);
                }
            }
            let mut signer = null_mut();
            let make: Make = library.function(c"rdsign_signer_new");
            assert_eq!(make(options, &mut signer, null_mut()), 0);
            library.function::<Free>(c"rdsign_options_free")(options);
            Self {
                signer,
                token: library.function(c"rdsign_signer_token"),
                value: library.function(c"rdsign_token_value"),
                free: library.function(c"rdsign_token_free"),
            }
        }
    }

    /// Gets a token, and passes its text to `look`.
    fn one_token<T>(&self, look: impl FnOnce(&*const c_char) -> T) -> T {
        let mut token = null_mut();
        // SAFETY: a signer that is never freed, and a token that is freed after its last use.
        unsafe {
            let status = (self.token)(self.signer, &mut token, null_mut());
            assert_eq!(status, 0);
            let seen = look(&(self.value)(token));
            (self.free)(token);
            seen
        }
    }
}

fn main() {
    let quick = std::env::args().any(|argument| argument == "--quick");
    let rounds = if quick { 41 } else { 201 };
    let library = Library::open();
    for (kind, session_token) in kinds_of_keys() {
        let mut core = rdsign::Signer::builder()
            .hostname(HOST)
            .username(USER)
            .access_key_id(KEY_ID)
            .secret_access_key(SECRET);
        if let Some(session_token) = &session_token {
            core = core.session_token(session_token.as_str());
        }
        let core = core.build().expect("valid options");
        let c = CSigner::new(&library, session_token.as_deref());
        // SAFETY: a C string, as long as its token lives.
        let c_length = c.one_token(|text| unsafe { CStr::from_ptr(*text) }.count_bytes());
        let core_length = core.token().expect("valid credentials").value().len();
        assert_eq!(c_length, core_length, "the same request");

        let measured = interleaved(
            rounds,
            TOKENS_PER_ROUND,
            &mut [
                &mut || {
                    c.one_token(|text| {
                        black_box(text);
                    });
                },
                &mut || drop(black_box(core.token())),
            ],
        );
        Row {
            language: "C",
            row: &format!("one token, warm, {kind}"),
            unit: "ns of CPU",
            rdsign: &measured[0],
            peers: &[(PEER, &measured[1])],
            aims: &[json!({"times at most": PEER, "times": 1.15})],
            chart: None,
        }
        .print();
    }
}
