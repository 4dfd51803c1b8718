//! The functions of the `postgres` program that the module above calls.
//!
//! They are looked up by name when the library is loaded, if the launcher asks for it.
//! Their types are the same from PostgreSQL 14 to 18.

use std::ffi::{CStr, c_char, c_int, c_void};
use std::mem::transmute;
use std::sync::OnceLock;

use rdsign_local::login::variables::ROLES_VARIABLE;

/// `Oid` of a role.
pub(crate) type RoleId = u32;

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
type GetUser = unsafe extern "C-unwind" fn(user: *mut RoleId, context: *mut c_int);
type SetUser = unsafe extern "C-unwind" fn(user: RoleId, context: c_int);
type MayCreateRoles = unsafe extern "C-unwind" fn(user: RoleId) -> bool;
type FindRole = unsafe extern "C-unwind" fn(name: *const c_char, missing_ok: bool) -> RoleId;
type HasPrivileges = unsafe extern "C-unwind" fn(member: RoleId, role: RoleId) -> bool;
type StoredPassword =
    unsafe extern "C-unwind" fn(role: *const c_char, detail: *mut *const c_char) -> *mut c_char;
type CheckPassword = unsafe extern "C-unwind" fn(
    role: *const c_char,
    stored: *const c_char,
    password: *const c_char,
    detail: *mut *const c_char,
) -> c_int;

/// PostgreSQL's functions, named after what they are used for.
pub(crate) struct Functions {
    pub(crate) standard_process_utility: ProcessUtility,
    pub(crate) get_user: GetUser,
    pub(crate) set_user: SetUser,
    pub(crate) may_create_roles: MayCreateRoles,
    pub(crate) find_role: FindRole,
    pub(crate) has_privileges: HasPrivileges,
    pub(crate) stored_password: StoredPassword,
    pub(crate) check_password: CheckPassword,
}

static FUNCTIONS: OnceLock<Functions> = OnceLock::new();

/// Returns the functions, or `None` unless [`attach`] succeeded.
pub(crate) fn functions() -> Option<&'static Functions> {
    FUNCTIONS.get()
}

/// Looks the functions up and makes `hook` process utility statements. Returns `None` if the
/// launcher did not ask for it, or if this program is not a PostgreSQL server.
pub(crate) fn attach(hook: ProcessUtility) -> Option<()> {
    std::env::var_os(ROLES_VARIABLE)?;
    let hook_variable = symbol(c"ProcessUtility_hook")?.cast::<Option<ProcessUtility>>();
    // SAFETY: each name is that of a PostgreSQL function with the type next to it.
    let functions = unsafe {
        Functions {
            standard_process_utility: transmute::<*mut c_void, ProcessUtility>(symbol(
                c"standard_ProcessUtility",
            )?),
            get_user: transmute::<*mut c_void, GetUser>(symbol(c"GetUserIdAndSecContext")?),
            set_user: transmute::<*mut c_void, SetUser>(symbol(c"SetUserIdAndSecContext")?),
            may_create_roles: transmute::<*mut c_void, MayCreateRoles>(symbol(
                c"has_createrole_privilege",
            )?),
            find_role: transmute::<*mut c_void, FindRole>(symbol(c"get_role_oid")?),
            has_privileges: transmute::<*mut c_void, HasPrivileges>(symbol(c"has_privs_of_role")?),
            stored_password: transmute::<*mut c_void, StoredPassword>(symbol(
                c"get_role_password",
            )?),
            check_password: transmute::<*mut c_void, CheckPassword>(symbol(c"plain_crypt_verify")?),
        }
    };
    FUNCTIONS.set(functions).ok()?;
    // SAFETY: the variable belongs to PostgreSQL, whose main has not started to use it.
    unsafe { *hook_variable = Some(hook) };
    Some(())
}

fn symbol(name: &CStr) -> Option<*mut c_void> {
    // SAFETY: a C string, looked up in the program and the libraries that are loaded.
    let address = unsafe { libc::dlsym(libc::RTLD_DEFAULT, name.as_ptr()) };
    (!address.is_null()).then_some(address)
}
