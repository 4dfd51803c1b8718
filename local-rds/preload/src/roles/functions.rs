//! The functions and variables of the `postgres` program that the module above uses.
//!
//! They are looked up by name when the library is loaded. Their types are the same from PostgreSQL
//! 14 to 18. Nothing is looked up in another program, such as initdb.

use std::ffi::{CStr, c_char, c_int, c_long, c_void};
use std::mem::transmute_copy;
use std::sync::OnceLock;

use rdsign_local::login::variables::ROLES_VARIABLE;

/// `Oid` of a role.
pub(crate) type RoleId = u32;

/// The superuser that initdb creates: rdsadmin.
pub(super) const BOOTSTRAP_SUPERUSER: RoleId = 10;

/// `ProcessUtility_hook_type`
pub(crate) type ProcessUtility = unsafe extern "C-unwind" fn(
    statement: *mut c_void,
    query: *const c_char,
    read_only_tree: bool,
    context: c_int,
    parameters: *mut c_void,
    environment: *mut c_void,
    destination: *mut c_void,
    completion: *mut c_void,
);

/// Defines [`Functions`]: for each field, the name in PostgreSQL and its type.
macro_rules! functions {
    ($($field:ident = $name:literal: fn($($argument:ty),* $(; $variadic:tt)?) $(-> $result:ty)?;)+) => {
        /// PostgreSQL's functions, named after what they are used for.
        pub(crate) struct Functions {
            pub(crate) process_utility: ProcessUtility,
            $(pub(crate) $field: unsafe extern "C-unwind" fn($($argument),* $(, $variadic)?) $(-> $result)?,)+
            /// Whether the first role may SET ROLE to the second. Only in PostgreSQL 16 and newer.
            pub(crate) can_set_role: Option<unsafe extern "C-unwind" fn(RoleId, RoleId) -> bool>,
            /// Whether this session replicates: PostgreSQL's `am_walsender`.
            pub(crate) is_replication: *const bool,
            /// The folder of PostgreSQL's own libraries, as a C string: `pkglib_path`.
            pub(crate) library_folder: *const c_char,
        }

        impl Functions {
            fn find() -> Option<Self> {
                // SAFETY: each name is that of a PostgreSQL function with the type next to it, and
                // a pointer to a function has the size of a pointer.
                unsafe {
                    Some(Self {
                        process_utility: transmute_copy(&symbol(c"standard_ProcessUtility")?),
                        $($field: transmute_copy(&symbol($name)?),)+
                        can_set_role: symbol(c"member_can_set_role")
                            .map(|address| transmute_copy(&address)),
                        is_replication: symbol(c"am_walsender")?.cast(),
                        library_folder: symbol(c"pkglib_path")?.cast(),
                    })
                }
            }
        }
    };
}

functions! {
    // Users.
    get_user = c"GetUserIdAndSecContext": fn(*mut RoleId, *mut c_int);
    set_user = c"SetUserIdAndSecContext": fn(RoleId, c_int);
    // Roles.
    may_create_roles = c"has_createrole_privilege": fn(RoleId) -> bool;
    find_role = c"get_role_oid": fn(*const c_char, bool) -> RoleId;
    has_privileges = c"has_privs_of_role": fn(RoleId, RoleId) -> bool;
    is_member = c"is_member_of_role_nosuper": fn(RoleId, RoleId) -> bool;
    // Passwords. The last argument gets a detail for the log.
    stored_password = c"get_role_password": fn(*const c_char, *mut *const c_char) -> *mut c_char;
    check_password = c"plain_crypt_verify":
        fn(*const c_char, *const c_char, *const c_char, *mut *const c_char) -> c_int;
    // Statements.
    tag = c"CreateCommandTag": fn(*mut c_void) -> c_int;
    tag_name = c"GetCommandTagName": fn(c_int) -> *const c_char;
    see_changes = c"CommandCounterIncrement": fn();
    connect = c"SPI_connect": fn() -> c_int;
    execute = c"SPI_execute": fn(*const c_char, bool, c_long) -> c_int;
    finish = c"SPI_finish": fn() -> c_int;
    // Errors.
    error_start = c"errstart": fn(c_int, *const c_char) -> bool;
    error_code = c"errcode": fn(c_int) -> c_int;
    error_message = c"errmsg_internal": fn(*const c_char; ...) -> c_int;
    error_finish = c"errfinish": fn(*const c_char, c_int, *const c_char);
}

// SAFETY: the pointers are to variables of this process, written before the first login.
unsafe impl Send for Functions {}
// SAFETY: as above.
unsafe impl Sync for Functions {}

static FUNCTIONS: OnceLock<Functions> = OnceLock::new();

/// Returns the functions, or `None` unless [`attach`] succeeded.
pub(crate) fn functions() -> Option<&'static Functions> {
    FUNCTIONS.get()
}

/// Reports whether this PostgreSQL treats roles as version 16 and newer do.
pub(crate) fn is_16_or_newer() -> bool {
    std::env::var_os(ROLES_VARIABLE).is_some()
}

/// Looks the functions up and makes `hook` process utility statements. Returns `None` if this
/// program is not a PostgreSQL server.
pub(crate) fn attach(hook: ProcessUtility) -> Option<()> {
    let hook_variable = symbol(c"ProcessUtility_hook")?.cast::<Option<ProcessUtility>>();
    FUNCTIONS.set(Functions::find()?).ok()?;
    // SAFETY: the variable belongs to PostgreSQL, whose main has not started to use it.
    unsafe { *hook_variable = Some(hook) };
    Some(())
}

/// An error of PostgreSQL.
pub(crate) enum Level {
    /// Ends the statement and aborts the transaction: jumps over the caller's frame.
    Error = 21,
    /// Ends the process.
    Fatal = 22,
}

impl Functions {
    /// Raises an error with `state`, five characters of SQLSTATE, and does not return.
    ///
    /// # Safety
    /// As PostgreSQL's `ereport`. No value of the callers may need a destructor.
    pub(super) unsafe fn raise(&self, level: Level, state: [u8; 5], message: &CStr) {
        let code = (0..5).fold(0, |code, at| {
            code | (c_int::from(state[at] - b'0') & 0x3F) << (6 * at)
        });
        // SAFETY: in the order of `ereport`. The message is not used as a format.
        unsafe {
            if (self.error_start)(level as c_int, std::ptr::null()) {
                (self.error_code)(code);
                (self.error_message)(c"%s".as_ptr(), message.as_ptr());
                (self.error_finish)(c"rdsign".as_ptr(), 0, c"rdsign".as_ptr());
            }
        }
    }
}

fn symbol(name: &CStr) -> Option<*mut c_void> {
    // SAFETY: a C string, looked up in the program and the libraries that are loaded.
    let address = unsafe { libc::dlsym(libc::RTLD_DEFAULT, name.as_ptr()) };
    (!address.is_null()).then_some(address)
}
