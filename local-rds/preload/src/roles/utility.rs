//! Hooks into the processing of utility statements, such as GRANT and CREATE ROLE.
//!
//! PostgreSQL reports an error with longjmp, which skips Rust's destructors: no value in the hook's
//! frame may need one.

use std::ffi::{CStr, c_char, c_int, c_void};
use std::sync::OnceLock;

use super::membership;
use super::plan::Plan;
use crate::postgres::{BOOTSTRAP_SUPERUSER, Functions, ProcessUtility, functions};

/// The hook of a library that was loaded before.
static BEFORE: OnceLock<ProcessUtility> = OnceLock::new();

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

/// Makes PostgreSQL call [`process_utility`] for each utility statement.
pub(super) fn attach(postgres: &Functions) {
    // SAFETY: the variable belongs to PostgreSQL, which is starting.
    unsafe {
        if let Some(before) = *postgres.utility_hook {
            let _ = BEFORE.set(before);
        }
        *postgres.utility_hook = Some(process_utility);
    }
}

/// Processes a utility statement.
///
/// If the statement fails, PostgreSQL jumps over this frame and aborts the transaction, which
/// restores the current user, as it does when PostgreSQL itself has changed it.
///
/// # Safety
/// Must be called by PostgreSQL as its `ProcessUtility_hook`.
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
        let plan = match (changes_members || before.is_some()) && postgres.is_16_or_newer() {
            true => Plan::of(postgres, statement, user),
            false => Plan::AsUser,
        };
        let become_superuser = || {
            (postgres.set_user)(BOOTSTRAP_SUPERUSER, security | SECURITY_LOCAL_USERID_CHANGE);
        };
        if tag == ALTER_ROLE && !postgres.is_16_or_newer() {
            become_superuser();
            membership::clear_replication(postgres);
            (postgres.set_user)(user, security);
        }
        match plan {
            Plan::AsUser => {}
            Plan::AsSuperuser | Plan::Create(_) => become_superuser(),
            Plan::Administer(roles) => {
                become_superuser();
                membership::add_administrator(postgres, roles, user);
                (postgres.set_user)(user, security);
            }
        }
        let process = BEFORE.get().unwrap_or(&postgres.process_utility);
        process(
            statement,
            query,
            read_only_tree,
            context,
            parameters,
            environment,
            destination,
            completion,
        );
        match plan {
            Plan::AsUser | Plan::AsSuperuser => {}
            Plan::Create(role) => membership::make_creator(postgres, role.as_c_str(), user),
            Plan::Administer(roles) => {
                become_superuser();
                membership::remove_administrator(postgres, roles, user);
                (postgres.set_user)(user, security);
            }
        }
        if let Some(before) = before {
            membership::check_roles_of_rds(postgres, before);
        }
        if changes_members {
            become_superuser();
            membership::check_superuser(postgres);
            membership::check_postgres(postgres);
            membership::update_replication(postgres);
            (postgres.set_user)(user, security);
        }
    }
}
