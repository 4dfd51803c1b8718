//! Runs GRANT and REVOKE of rds_iam as the superuser, for whoever may create roles: from
//! PostgreSQL 16 on. Why is in `rdsign_local::roles`.

use std::ffi::{CStr, c_char, c_int, c_void};
use std::panic::catch_unwind;

use rdsign_local::roles::is_grant_of_rds_iam;

use crate::server::{RoleId, attach, server};

/// The superuser that initdb makes.
const BOOTSTRAP_SUPERUSER: RoleId = 10;
/// So that the statement cannot change the user itself.
const SECURITY_LOCAL_USERID_CHANGE: c_int = 1;

/// Runs when the library is loaded, before PostgreSQL's main: extensions that hang on the same
/// hook later call on to this one.
#[used]
#[unsafe(link_section = ".init_array")]
static AT_LOAD: extern "C" fn() = {
    extern "C" fn at_load() {
        let _ = catch_unwind(|| attach(process_utility));
    }
    at_load
};

/// # Safety
/// To be called by PostgreSQL as its `ProcessUtility_hook`. An error of the statement's jumps over
/// this frame, so nothing in it may need dropping; ending the transaction then brings the user
/// back, as it does for PostgreSQL's own changes of user.
unsafe extern "C-unwind" fn process_utility(
    statement: *mut c_void,
    query: *const c_char,
    read_only_tree: bool,
    context: c_int,
    parameters: *mut c_void,
    environment: *mut c_void,
    destination: *mut c_void,
    completion: *mut c_void,
) {
    let Some(server) = server() else {
        return; // it is set before the hook is
    };
    let (mut user, mut security) = (0, 0);
    // SAFETY: called as PostgreSQL calls them itself, in a transaction; arguments are passed on.
    unsafe {
        (server.get_user)(&raw mut user, &raw mut security);
        let as_superuser = is_grant(query) && (server.may_create_roles)(user);
        if as_superuser {
            (server.set_user)(BOOTSTRAP_SUPERUSER, security | SECURITY_LOCAL_USERID_CHANGE);
        }
        (server.standard_process_utility)(
            statement,
            query,
            read_only_tree,
            context,
            parameters,
            environment,
            destination,
            completion,
        );
        if as_superuser {
            (server.set_user)(user, security);
        }
    }
}

/// # Safety
/// `query` is null or a C string.
unsafe fn is_grant(query: *const c_char) -> bool {
    // SAFETY: passed on from the caller.
    let query = (!query.is_null()).then(|| unsafe { CStr::from_ptr(query) }.to_bytes());
    query.is_some_and(|query| catch_unwind(|| is_grant_of_rds_iam(query)).unwrap_or(false))
}
