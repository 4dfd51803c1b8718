//! The functions of PostgreSQL's own program that roles need from version 16 on.
//!
//! They are looked up by name when the library is loaded, and only where the launcher asks for it:
//! up to version 15 nothing of PostgreSQL's is touched. Their types are the same from 14 to 18.

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

/// PostgreSQL's functions, under names that say what they are for.
pub(crate) struct Server {
    pub(crate) standard_process_utility: ProcessUtility,
    pub(crate) get_user: GetUser,
    pub(crate) set_user: SetUser,
    pub(crate) may_create_roles: MayCreateRoles,
    pub(crate) find_role: FindRole,
    pub(crate) has_privileges: HasPrivileges,
    pub(crate) stored_password: StoredPassword,
    pub(crate) check_password: CheckPassword,
}

static SERVER: OnceLock<Server> = OnceLock::new();

/// `None` where roles are to be left as they are.
pub(crate) fn server() -> Option<&'static Server> {
    SERVER.get()
}

/// Looks the functions up, and hangs `hook` on the processing of utility statements. `None` in a
/// program that is not PostgreSQL's server, or where nobody asked for it.
pub(crate) fn attach(hook: ProcessUtility) -> Option<()> {
    std::env::var_os(ROLES_VARIABLE)?;
    let place = symbol(c"ProcessUtility_hook")?.cast::<Option<ProcessUtility>>();
    // SAFETY: each name is that of a PostgreSQL function of the type that is named beside it.
    let server = unsafe {
        Server {
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
    SERVER.set(server).ok()?;
    // SAFETY: the variable is PostgreSQL's, whose main has not begun: nobody else uses it yet.
    unsafe { *place = Some(hook) };
    Some(())
}

fn symbol(name: &CStr) -> Option<*mut c_void> {
    // SAFETY: a C string, looked up among what is loaded.
    let address = unsafe { libc::dlsym(libc::RTLD_DEFAULT, name.as_ptr()) };
    (!address.is_null()).then_some(address)
}
