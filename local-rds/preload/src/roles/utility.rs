//! Hooks into the processing of utility statements, such as GRANT and CREATE ROLE.
//!
//! PostgreSQL reports an error with longjmp, which skips Rust's destructors: no value in the hook's
//! frame may need one.

use std::ffi::{CStr, c_char, c_int, c_void};
use std::panic::catch_unwind;

use super::functions::{BOOTSTRAP_SUPERUSER, functions, is_16_or_newer};
use super::membership;
use super::statement::is_grant_of_rds_iam;

/// Keeps the statement from changing the current user itself.
const SECURITY_LOCAL_USERID_CHANGE: c_int = 1;
/// The tag of ALTER ROLE, ALTER USER and ALTER GROUP.
const ALTER_ROLE: &CStr = c"ALTER ROLE";
/// The tags of the statements that can drop or rename a role.
const CHANGES_ROLES: [&CStr; 2] = [c"DROP ROLE", ALTER_ROLE];
/// The tags of the statements that can change who is a member of a role.
const CHANGES_MEMBERS: [&CStr; 6] = [
    c"GRANT ROLE",
    c"REVOKE ROLE",
    c"CREATE ROLE",
    c"DROP ROLE",
    c"DROP OWNED",
    ALTER_ROLE,
];

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
    // SAFETY: called in a transaction, as PostgreSQL calls them itself; arguments are passed on.
    unsafe {
        let tag = CStr::from_ptr((postgres.tag_name)((postgres.tag)(statement)));
        let changes_members = CHANGES_MEMBERS.contains(&tag);
        let before = CHANGES_ROLES
            .contains(&tag)
            .then(|| membership::roles_of_rds(postgres));
        let (mut user, mut security) = (0, 0);
        (postgres.get_user)(&raw mut user, &raw mut security);
        let as_superuser = changes_members
            && is_16_or_newer()
            && is_grant(query)
            && (postgres.may_create_roles)(user);
        let become_superuser = || {
            (postgres.set_user)(BOOTSTRAP_SUPERUSER, security | SECURITY_LOCAL_USERID_CHANGE);
        };
        if tag == ALTER_ROLE && !is_16_or_newer() {
            become_superuser();
            membership::clear_replication(postgres);
            (postgres.set_user)(user, security);
        }
        if as_superuser {
            become_superuser();
        }
        (postgres.process_utility)(
            statement,
            query,
            read_only_tree,
            context,
            parameters,
            environment,
            destination,
            completion,
        );
        if let Some(before) = before {
            membership::check_roles_of_rds(postgres, before);
        }
        if changes_members {
            become_superuser();
            membership::check_superuser(postgres);
            membership::update_replication(postgres);
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
