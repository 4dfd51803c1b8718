//! `Port`, the structure that describes a connection. Its layout differs between versions.

use std::ffi::{CStr, c_char, c_int, c_void};
use std::mem::size_of;
use std::ptr;

use super::functions::symbol;
use super::magic::major;

/// `SockAddr`
#[repr(C)]
struct Address(libc::sockaddr_storage, libc::socklen_t);

/// The beginning of `Port`, the same in PostgreSQL 14 to 18.
#[repr(C)]
struct Head {
    socket: c_int,
    is_nonblocking: bool,
    protocol: u32,
    local: Address,
    remote: Address,
    remote_host: *const c_char,
    remote_hostname: *const c_char,
    remote_hostname_is_resolved: c_int,
    remote_hostname_error: c_int,
    remote_port: *const c_char,
}

/// The names in `Port`. Other fields of the same size as a pointer are not used.
#[repr(C)]
struct Names {
    database: *const c_char,
    user: *const c_char,
    command_line: *const c_char,
    options: *const c_void,
    application: *const c_char,
    rule: *const c_void,
    /// In 14 and 15.
    authenticated_as: *const c_char,
}

/// What the library needs to know about a connection that a login rule allows.
pub(crate) struct Connection<'a> {
    /// The role that it logs in as.
    pub(crate) username: &'a CStr,
    /// The client's address.
    pub(crate) client: &'a CStr,
    /// Whether PostgreSQL has checked a password, or other proof of who this is.
    pub(crate) is_authenticated: bool,
}

impl<'a> Connection<'a> {
    /// Reads what `port` says.
    ///
    /// # Safety
    /// `port` is a `Port` of this PostgreSQL that is valid for `'a`.
    pub(crate) unsafe fn of(port: *const c_void) -> Self {
        let between = match major() {
            14..=16 => size_of::<*const c_void>(), // canAcceptConnections
            17 => 0,
            _ => 64, // local_host
        };
        // SAFETY: the layout is that of this version, and the texts are null or C strings that live
        // as long as the connection.
        unsafe {
            let head = &*port.cast::<Head>();
            let names = port.byte_add(size_of::<Head>() + between);
            let names = &*names.cast::<Names>();
            let authenticated_as = match symbol(c"MyClientConnectionInfo") {
                // Since 16, its first field.
                Some(information) => *information.cast::<*const c_char>(),
                None => names.authenticated_as,
            };
            Self {
                username: text(names.user),
                client: text(head.remote_host),
                is_authenticated: !authenticated_as.is_null(),
            }
        }
    }
}

/// # Safety
/// `text` is null or a C string that is valid for `'a`.
unsafe fn text<'a>(text: *const c_char) -> &'a CStr {
    // SAFETY: passed on from the caller.
    ptr::NonNull::new(text.cast_mut()).map_or(c"", |text| unsafe { CStr::from_ptr(text.as_ptr()) })
}
