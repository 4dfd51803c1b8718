//! Keeps roles from loading libraries from anywhere on this machine.
//!
//! A role that replicates names a logical decoding plugin, and PostgreSQL loads the file: also one
//! with a path, which runs its code as the user of the server. PostgreSQL's LOAD refuses that. So
//! this module replaces `dlopen` for the calls of the `postgres` program: sessions of roles other
//! than the superuser load only what is in PostgreSQL's own folder of libraries. Calls of other
//! libraries, such as Perl or OpenSSL, go to the system's `dlopen`, as if it had been called.

use std::ffi::{CStr, c_char, c_void};
use std::mem::zeroed;
use std::panic::catch_unwind;

use crate::postgres::{BOOTSTRAP_SUPERUSER, Functions, Level, functions};

/// Replaces the system's function. Jumps to it, because it searches relative to its caller.
///
/// # Safety
/// As the system's function.
#[cfg(all(target_arch = "x86_64", not(test)))]
#[unsafe(naked)]
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C-unwind" fn dlopen(file: *const c_char, flags: i32) -> *mut c_void {
    std::arch::naked_asm!(
        "push rdi",
        "push rsi",
        "sub rsp, 8",
        "mov rsi, [rsp + 24]",
        "call {check}",
        "add rsp, 8",
        "pop rsi",
        "pop rdi",
        "jmp rax",
        check = sym check,
    )
}

/// Replaces the system's function. Jumps to it, because it searches relative to its caller.
///
/// # Safety
/// As the system's function.
#[cfg(all(target_arch = "aarch64", not(test)))]
#[unsafe(naked)]
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C-unwind" fn dlopen(file: *const c_char, flags: i32) -> *mut c_void {
    std::arch::naked_asm!(
        "stp x0, x1, [sp, #-32]!",
        "str x30, [sp, #16]",
        "mov x1, x30",
        "bl {check}",
        "mov x16, x0",
        "ldr x30, [sp, #16]",
        "ldp x0, x1, [sp], #32",
        "br x16",
        check = sym check,
    )
}

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
compile_error!(
    "without its own dlopen, a role could run code of its own: write one for this machine"
);

/// Reports whether PostgreSQL's calls of `dlopen` come here, which they do if the library was loaded
/// with LD_PRELOAD.
pub(super) fn is_guarded() -> bool {
    // SAFETY: a C string.
    let called = unsafe { libc::dlsym(libc::RTLD_DEFAULT, c"dlopen".as_ptr()) };
    module_of(called) == module_of(check as *const c_void)
}

/// Returns the system's `dlopen`, unless `file` is refused: then it raises an error of PostgreSQL.
///
/// # Safety
/// `file` is null or a C string, and `caller` an address in the code that calls `dlopen`.
unsafe extern "C-unwind" fn check(file: *const c_char, caller: *const c_void) -> *mut c_void {
    if let Some(postgres) = functions() {
        // SAFETY: passed on from the caller. PostgreSQL itself raises an error if dlopen fails, and
        // no value here needs a destructor.
        unsafe {
            if is_refused(postgres, file, caller) {
                let message = c"access to a library outside PostgreSQL's own folder is not allowed";
                postgres.raise(Level::Error, *b"42501", message, None);
            }
        }
    }
    // SAFETY: a C string.
    unsafe { libc::dlsym(libc::RTLD_NEXT, c"dlopen".as_ptr()) }
}

/// # Safety
/// As [`check`].
unsafe fn is_refused(postgres: &Functions, file: *const c_char, caller: *const c_void) -> bool {
    // SAFETY: the pointers of the caller are valid, and `library_folder` is a C string of PostgreSQL.
    unsafe {
        let (mut user, mut security) = (0, 0);
        (postgres.get_user)(&raw mut user, &raw mut security);
        // No user: the server is starting, or the session has not logged in.
        if user == 0 || user == BOOTSTRAP_SUPERUSER || file.is_null() {
            return false;
        }
        if module_of(caller) != module_of(postgres.process_utility as *const c_void) {
            return false;
        }
        let (file, folder) = (
            CStr::from_ptr(file),
            CStr::from_ptr(postgres.library_folder),
        );
        !catch_unwind(|| is_in(file.to_bytes(), folder.to_bytes())).unwrap_or(false)
    }
}

/// Returns where the program or library that has this address is loaded.
fn module_of(address: *const c_void) -> *mut c_void {
    // SAFETY: all-zero bytes are a valid Dl_info, and dladdr only fills it.
    unsafe {
        let mut about: libc::Dl_info = zeroed();
        libc::dladdr(address, &raw mut about);
        about.dli_fbase
    }
}

/// Reports whether the path `file` is in `folder`, or in a folder below it.
fn is_in(file: &[u8], folder: &[u8]) -> bool {
    let rest = file
        .strip_prefix(folder)
        .and_then(|rest| rest.strip_prefix(b"/"));
    rest.is_some_and(|rest| rest.split(|byte| *byte == b'/').all(|name| name != b".."))
}

#[cfg(test)]
mod tests {
    use super::is_in;

    #[test]
    fn only_paths_below_the_folder_are_in_it() {
        for (file, is_inside) in [
            ("/lib/pg/pgoutput.so", true),
            ("/lib/pg/plugins/a.so", true),
            ("/lib/pg/../evil.so", false),
            ("/lib/pg2/evil.so", false),
            ("/lib/pg", false),
            ("/tmp/lib/pg/evil.so", false),
            ("../evil.so", false),
            ("evil.so", false),
        ] {
            assert_eq!(is_in(file.as_bytes(), b"/lib/pg"), is_inside, "{file}");
        }
    }
}
