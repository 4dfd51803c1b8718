//! The block that PostgreSQL compares with its own before it loads a library.

use std::ffi::{CStr, c_char, c_int};
use std::sync::OnceLock;

use super::functions::symbol;

/// `Pg_magic_struct`. Only the first `length` bytes exist for PostgreSQL.
#[repr(C)]
#[derive(Debug)]
pub struct Magic {
    length: c_int,
    version: c_int,
    most_arguments: c_int,
    most_index_keys: c_int,
    name_length: c_int,
    float8_by_value: c_int,
    /// Since 15: who built PostgreSQL.
    builder: [u8; 32],
    /// Since 18: the name and the version of the library, both optional.
    library: [usize; 2],
}

/// Returns the block for the PostgreSQL that this process runs. Any other version than 14 to 18 gets
/// one that it refuses, because its structures are not known.
pub(crate) fn magic() -> &'static Magic {
    static MAGIC: OnceLock<Magic> = OnceLock::new();
    MAGIC.get_or_init(|| {
        let mut builder = [0; 32];
        builder[..10].copy_from_slice(b"PostgreSQL");
        Magic {
            length: match major() {
                14 => 24,
                15..=17 => 56,
                _ => 72,
            },
            version: major() * 100,
            most_arguments: 100,
            most_index_keys: 32,
            name_length: 64,
            float8_by_value: 1,
            builder,
            library: [0; 2],
        }
    })
}

/// Returns the major version of the PostgreSQL that this process runs, or 0 if it is not known.
pub(crate) fn major() -> c_int {
    type GetOption = unsafe extern "C-unwind" fn(*const c_char, bool, bool) -> *const c_char;
    static MAJOR: OnceLock<c_int> = OnceLock::new();
    *MAJOR.get_or_init(|| {
        let number = symbol(c"GetConfigOption").and_then(|address| {
            // SAFETY: the type is that of PostgreSQL's function, which returns null or a C string.
            let text = unsafe {
                let get_option: GetOption = std::mem::transmute_copy(&address);
                get_option(c"server_version_num".as_ptr(), true, false)
            };
            // SAFETY: as above.
            let text = (!text.is_null()).then(|| unsafe { CStr::from_ptr(text) })?;
            text.to_str().ok()?.parse::<c_int>().ok()
        });
        let major = number.map_or(0, |number| number / 10_000);
        if (14..=18).contains(&major) { major } else { 0 }
    })
}
