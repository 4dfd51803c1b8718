//! Runs GRANT and REVOKE of rds_iam as the superuser, if the current user may create roles.
//!
//! PostgreSQL reports an error with longjmp, which skips Rust's destructors: no value in the hook's
//! frame may need one.

use std::ffi::{CStr, c_char, c_int, c_void};
use std::panic::catch_unwind;

use super::functions::{RoleId, functions};
use super::statement::is_grant_of_rds_iam;

/// The superuser that initdb creates.
const BOOTSTRAP_SUPERUSER: RoleId = 10;
/// Keeps the statement from changing the current user itself.
const SECURITY_LOCAL_USERID_CHANGE: c_int = 1;

/// Processes a utility statement.
///
/// If the statement fails, PostgreSQL jumps over this frame and aborts the transaction, which
/// restores the current user, as it does when PostgreSQL itself has changed it.
///
/// # Safety
/// Must be called by PostgreSQL as its `ProcessUtility_hook`.
pub(super) unsafe extern "C-unwind" fn process_utility(
    statement: *mut c_void,
    query: *const c_char,
    read_only_tree: bool,
    context: c_int,
    parameters: *mut c_void,
    environment: *mut c_void,
    destination: *mut c_void,
    completion: *mut c_void,
) {
    let Some(postgres) = functions() else {
        return; // unreachable: the functions are set before the hook
    };
    let (mut user, mut security) = (0, 0);
    // SAFETY: called in a transaction, as PostgreSQL calls them itself; arguments are passed on.
    unsafe {
        (postgres.get_user)(&raw mut user, &raw mut security);
        let as_superuser = is_grant(query) && (postgres.may_create_roles)(user);
        if as_superuser {
            (postgres.set_user)(BOOTSTRAP_SUPERUSER, security | SECURITY_LOCAL_USERID_CHANGE);
        }
        (postgres.standard_process_utility)(
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
            (postgres.set_user)(user, security);
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
