//! Parses connection strings with libpq itself, to compare it with core's reading.

#![expect(unsafe_code, reason = "libpq is a C library")]

use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::ptr;
use std::sync::OnceLock;

/// libpq's `PQconninfoOption`.
#[repr(C)]
struct ConninfoOption {
    keyword: *const c_char,
    envvar: *const c_char,
    compiled: *const c_char,
    value: *const c_char,
    label: *const c_char,
    dispchar: *const c_char,
    dispsize: c_int,
}

type Parse = unsafe extern "C" fn(*const c_char, *mut *mut c_char) -> *mut ConninfoOption;
type FreeOptions = unsafe extern "C" fn(*mut ConninfoOption);
type Free = unsafe extern "C" fn(*mut c_void);

#[derive(Clone, Copy)]
struct Libpq {
    parse: Parse,
    free_options: FreeOptions,
    free: Free,
}

fn libpq() -> Libpq {
    static LIBPQ: OnceLock<Libpq> = OnceLock::new();
    *LIBPQ.get_or_init(|| {
        // SAFETY: the name ends with a NUL, and loading libpq runs no code that has requirements.
        let library = unsafe { libc::dlopen(c"libpq.so.5".as_ptr(), libc::RTLD_NOW) };
        assert!(
            !library.is_null(),
            "libpq.so.5 is missing: install psql, in Debian postgresql-client"
        );
        let symbol = |name: &CStr| {
            // SAFETY: the library is loaded and stays so.
            let symbol = unsafe { libc::dlsym(library, name.as_ptr()) };
            assert!(!symbol.is_null(), "{name:?}");
            symbol
        };
        // SAFETY: these are the types of the functions in libpq-fe.h.
        unsafe {
            Libpq {
                parse: std::mem::transmute::<*mut c_void, Parse>(symbol(c"PQconninfoParse")),
                free_options: std::mem::transmute::<*mut c_void, FreeOptions>(symbol(
                    c"PQconninfoFree",
                )),
                free: std::mem::transmute::<*mut c_void, Free>(symbol(c"PQfreemem")),
            }
        }
    })
}

/// Returns the settings that libpq reads in a connection string, or `None` if it rejects it.
pub(crate) fn settings(text: &str) -> Option<Vec<(String, String)>> {
    let text = CString::new(text).ok()?;
    let libpq = libpq();
    let mut message = ptr::null_mut();
    // SAFETY: the text ends with a NUL, and the message is writable.
    let options = unsafe { (libpq.parse)(text.as_ptr(), &mut message) };
    // SAFETY: the message is NULL or libpq's.
    unsafe { (libpq.free)(message.cast()) };
    if options.is_null() {
        return None;
    }
    let string = |text: *const c_char| {
        // SAFETY: libpq's strings end with a NUL.
        unsafe { CStr::from_ptr(text) }
            .to_string_lossy()
            .into_owned()
    };
    let mut settings = Vec::new();
    let mut option = options;
    loop {
        // SAFETY: the array ends with an option whose keyword is NULL.
        let ConninfoOption { keyword, value, .. } = unsafe { option.read() };
        if keyword.is_null() {
            break;
        }
        if !value.is_null() {
            settings.push((string(keyword), string(value)));
        }
        // SAFETY: this was not the last one.
        option = unsafe { option.add(1) };
    }
    // SAFETY: libpq made the options, and nothing uses them any more.
    unsafe { (libpq.free_options)(options) };
    Some(settings)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn libpq_is_asked() {
        let expected = [("dbname", "b"), ("host", "a b")];
        let expected = expected.map(|(k, v)| (k.to_owned(), v.to_owned()));
        let mut settings = settings("host='a b' dbname=b").unwrap();
        settings.sort();
        assert_eq!(settings, expected);
        assert_eq!(super::settings("host"), None);
    }
}
