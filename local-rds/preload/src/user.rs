//! Names a user without an entry in /etc/passwd, such as a container may have: initdb and PostgreSQL ask
//! for the name of the user that they run as, and end if there is none.

use std::ffi::CStr;
use std::mem::transmute;
use std::ptr::null_mut;

const NAME: &CStr = c"rdsign";
const NONE: &CStr = c"";
const ROOT: &CStr = c"/";

/// Replaces the system's function. Asks it first.
///
/// # Safety
/// As the system's function.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn getpwuid(user: libc::uid_t) -> *mut libc::passwd {
    // SAFETY: a C string, and the type of the system's function.
    let found = unsafe {
        let system = libc::dlsym(libc::RTLD_NEXT, c"getpwuid".as_ptr());
        type GetUser = unsafe extern "C" fn(libc::uid_t) -> *mut libc::passwd;
        transmute::<*mut libc::c_void, Option<GetUser>>(system)
            .map_or(null_mut(), |system| system(user))
    };
    match found.is_null() {
        true => Box::leak(Box::new(unknown(user))), // asked for once in a process
        false => found,
    }
}

/// Returns an entry. Its texts are never written to.
fn unknown(user: libc::uid_t) -> libc::passwd {
    libc::passwd {
        pw_name: NAME.as_ptr().cast_mut(),
        pw_passwd: NONE.as_ptr().cast_mut(),
        pw_uid: user,
        pw_gid: user,
        pw_gecos: NONE.as_ptr().cast_mut(),
        pw_dir: ROOT.as_ptr().cast_mut(),
        pw_shell: NONE.as_ptr().cast_mut(),
    }
}
