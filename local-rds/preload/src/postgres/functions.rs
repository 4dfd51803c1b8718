//! The functions and variables of the `postgres` program.
//!
//! They are looked up by name when the library is loaded. Their types are the same from PostgreSQL
//! 14 to 18.

use std::ffi::{CStr, c_char, c_int, c_long, c_void};
use std::mem::transmute_copy;
use std::sync::OnceLock;

use super::magic::major;

/// `Oid` of a role.
pub(crate) type RoleId = u32;

/// The superuser that initdb creates: rdsadmin.
pub(crate) const BOOTSTRAP_SUPERUSER: RoleId = 10;

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
            /// `ClientAuthentication_hook`
            pub(crate) authentication_hook: *mut c_void,
            /// `ProcessUtility_hook`
            pub(crate) utility_hook: *mut Option<ProcessUtility>,
            /// `PqCommMethods`: how to write to the client.
            pub(crate) connection: *const c_void,
            /// Whether the current user may create databases. Only in PostgreSQL 16 and newer.
            pub(crate) may_create_databases: Option<unsafe extern "C-unwind" fn() -> bool>,
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
                        authentication_hook: symbol(c"ClientAuthentication_hook")?,
                        utility_hook: symbol(c"ProcessUtility_hook")?.cast(),
                        connection: symbol(c"PqCommMethods")?,
                        may_create_databases: symbol(c"have_createdb_privilege")
                            .map(|address| transmute_copy(&address)),
                    })
                }
            }
        }
    };
}

functions! {
    // Options.
    set_option = c"SetConfigOption": fn(*const c_char, *const c_char, c_int, c_int);
    // Messages of the client. Buffers are `StringInfo`.
    start_message = c"pq_startmsgread": fn();
    get_byte = c"pq_getbyte": fn() -> c_int;
    init_buffer = c"initStringInfo": fn(*mut c_void);
    get_message = c"pq_getmessage": fn(*mut c_void, c_int) -> c_int;
    exit = c"proc_exit": fn(c_int) -> !;
    // Users.
    get_user = c"GetUserIdAndSecContext": fn(*mut RoleId, *mut c_int);
    set_user = c"SetUserIdAndSecContext": fn(RoleId, c_int);
    // Roles.
    may_create_roles = c"has_createrole_privilege": fn(RoleId) -> bool;
    find_role = c"get_role_oid": fn(*const c_char, bool) -> RoleId;
    has_privileges = c"has_privs_of_role": fn(RoleId, RoleId) -> bool;
    is_member = c"is_member_of_role_nosuper": fn(RoleId, RoleId) -> bool;
    is_superuser = c"superuser_arg": fn(RoleId) -> bool;
    name = c"GetUserNameFromId": fn(RoleId, bool) -> *const c_char;
    // The value of a setting, or null.
    option = c"GetConfigOption": fn(*const c_char, bool, bool) -> *const c_char;
    // Passwords. The last argument gets a detail for the log.
    stored_password = c"get_role_password": fn(*const c_char, *mut *const c_char) -> *mut c_char;
    check_password = c"plain_crypt_verify":
        fn(*const c_char, *const c_char, *const c_char, *mut *const c_char) -> c_int;
    // Statements.
    tag = c"CreateCommandTag": fn(*mut c_void) -> c_int;
    tag_name = c"GetCommandTagName": fn(c_int) -> *const c_char;
    describe = c"nodeToString": fn(*const c_void) -> *mut c_char;
    free = c"pfree": fn(*mut c_void);
    see_changes = c"CommandCounterIncrement": fn();
    connect = c"SPI_connect": fn() -> c_int;
    execute = c"SPI_execute": fn(*const c_char, bool, c_long) -> c_int;
    finish = c"SPI_finish": fn() -> c_int;
    // Errors.
    error_start = c"errstart": fn(c_int, *const c_char) -> bool;
    error_code = c"errcode": fn(c_int) -> c_int;
    error_message = c"errmsg_internal": fn(*const c_char; ...) -> c_int;
    error_hint = c"errhint": fn(*const c_char; ...) -> c_int;
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

/// Why the library cannot work in this process.
pub(crate) enum Problem {
    /// A function or variable is missing, or the version is not known.
    OtherPostgres,
    /// The library was loaded without LD_PRELOAD.
    NotPreloaded,
    /// A bug in rdsign.
    Panic,
}

impl Problem {
    pub(crate) fn message(&self) -> &'static CStr {
        match self {
            Self::OtherPostgres => c"rdsign: this build of PostgreSQL cannot check tokens",
            Self::NotPreloaded => c"rdsign: only rdsign local starts PostgreSQL with this library",
            Self::Panic => c"rdsign: a bug in rdsign",
        }
    }
}

/// Looks the functions up.
pub(crate) fn attach() -> Result<&'static Functions, Problem> {
    if major() == 0 {
        return Err(Problem::OtherPostgres);
    }
    let found = Functions::find().ok_or(Problem::OtherPostgres)?;
    Ok(FUNCTIONS.get_or_init(|| found))
}

/// An error of PostgreSQL.
pub(crate) enum Level {
    /// A line in the log. Not an error: the call returns.
    Log = 15,
    /// Ends the statement and aborts the transaction: jumps over the caller's frame.
    Error = 21,
    /// Ends the process.
    Fatal = 22,
}

impl Functions {
    /// Reports whether this PostgreSQL treats roles as version 16 and newer do.
    pub(crate) fn is_16_or_newer(&self) -> bool {
        major() >= 16
    }

    /// Sets an option that can be set only when PostgreSQL starts, whatever its files and its command
    /// line say.
    ///
    /// # Safety
    /// Must be called when PostgreSQL starts.
    pub(crate) unsafe fn set_start_option(&self, name: &CStr, value: &CStr) {
        // PGC_POSTMASTER and PGC_S_OVERRIDE
        const AT_START: c_int = 1;
        const OVERRIDE: c_int = 10;
        // SAFETY: passed on from the caller; both are C strings.
        unsafe { (self.set_option)(name.as_ptr(), value.as_ptr(), AT_START, OVERRIDE) };
    }

    /// Raises an error with `state`, five characters of SQLSTATE, and perhaps a hint. Does not return.
    ///
    /// # Safety
    /// As PostgreSQL's `ereport`. No value of the callers may need a destructor.
    pub(crate) unsafe fn raise(
        &self,
        level: Level,
        state: [u8; 5],
        message: &CStr,
        hint: Option<&CStr>,
    ) {
        let code = (0..5).fold(0, |code, at| {
            code | (c_int::from(state[at] - b'0') & 0x3F) << (6 * at)
        });
        // SAFETY: in the order of `ereport`. The texts are not used as formats.
        unsafe {
            if (self.error_start)(level as c_int, std::ptr::null()) {
                (self.error_code)(code);
                (self.error_message)(c"%s".as_ptr(), message.as_ptr());
                if let Some(hint) = hint {
                    (self.error_hint)(c"%s".as_ptr(), hint.as_ptr());
                }
                (self.error_finish)(c"rdsign".as_ptr(), 0, c"rdsign".as_ptr());
            }
        }
    }
}

/// Returns the address of a function or variable of this process.
pub(super) fn symbol(name: &CStr) -> Option<*mut c_void> {
    // SAFETY: a C string, looked up in the program and the libraries that are loaded.
    let address = unsafe { libc::dlsym(libc::RTLD_DEFAULT, name.as_ptr()) };
    (!address.is_null()).then_some(address)
}
