//! What follows from a change of the members of roles, in any statement: also in a DO block, in a
//! function, or through a group.
//!
//! All functions run as the superuser, inside the user's transaction.

use std::ffi::CStr;

use super::functions::{BOOTSTRAP_SUPERUSER, Functions, Level, RoleId};

/// Gives the members of rds_replication, and nobody else, the attribute that PostgreSQL asks for.
///
/// Every name is qualified, and there is no operator, so that the user's search_path cannot make it
/// call a function of the user's.
const UPDATE_REPLICATION: &CStr = c"\
UPDATE pg_catalog.pg_authid SET rolreplication = NOT rolreplication \
WHERE NOT rolsuper AND CASE WHEN rolcanlogin AND pg_catalog.pg_has_role(\
oid, 'rds_replication'::pg_catalog.name, 'usage'::pg_catalog.text) \
THEN NOT rolreplication ELSE rolreplication END";

const CLEAR_REPLICATION: &CStr = c"\
UPDATE pg_catalog.pg_authid SET rolreplication = false WHERE NOT rolsuper AND rolreplication";

/// The roles that the login rules and the rights of `postgres` depend on.
const ROLES_OF_RDS: [&CStr; 4] = [
    c"rds_iam",
    c"rds_password",
    c"rds_replication",
    c"rds_superuser",
];

/// Returns the ids of the roles of RDS.
///
/// # Safety
/// Must be called in a transaction. No value of the callers may need a destructor.
pub(super) unsafe fn roles_of_rds(postgres: &Functions) -> [RoleId; 4] {
    // SAFETY: passed on from the caller; the names are C strings.
    ROLES_OF_RDS.map(|name| unsafe { (postgres.find_role)(name.as_ptr(), true) })
}

/// Raises an error if a role of RDS was dropped or renamed. Without rds_iam, for example, its
/// members would log in with their passwords.
///
/// # Safety
/// As [`roles_of_rds`].
pub(super) unsafe fn check_roles_of_rds(postgres: &Functions, before: [RoleId; 4]) {
    // SAFETY: passed on from the caller.
    unsafe {
        (postgres.see_changes)();
        if roles_of_rds(postgres) != before {
            let message = c"the roles of RDS cannot be dropped or renamed";
            postgres.raise(Level::Error, *b"42501", message);
        }
    }
}

/// Raises an error if the superuser is in rds_iam: a token could then log in as it.
///
/// # Safety
/// Must be called in a transaction. No value of the callers may need a destructor.
pub(super) unsafe fn check_superuser(postgres: &Functions) {
    // SAFETY: passed on from the caller; the names are C strings.
    unsafe {
        (postgres.see_changes)();
        let rds_iam = (postgres.find_role)(c"rds_iam".as_ptr(), true);
        if rds_iam != 0 && (postgres.is_member)(BOOTSTRAP_SUPERUSER, rds_iam) {
            let message = c"must be superuser to alter superusers";
            postgres.raise(Level::Error, *b"42501", message);
        }
    }
}

/// Takes the attribute for replication from every role, until [`update_replication`].
///
/// Up to version 15, only a superuser may alter a role with that attribute, so `postgres` could not
/// even change its own password.
///
/// # Safety
/// Must be called in a transaction. No value of the callers may need a destructor.
pub(super) unsafe fn clear_replication(postgres: &Functions) {
    // SAFETY: passed on from the caller.
    unsafe {
        execute(postgres, CLEAR_REPLICATION);
        (postgres.see_changes)();
    }
}

/// Makes rds_replication work as on RDS: its members may replicate.
///
/// # Safety
/// Must be called in a transaction. No value of the callers may need a destructor.
pub(super) unsafe fn update_replication(postgres: &Functions) {
    // SAFETY: passed on from the caller; the name is a C string.
    unsafe {
        if (postgres.find_role)(c"rds_replication".as_ptr(), true) != 0 {
            execute(postgres, UPDATE_REPLICATION);
        }
    }
}

/// # Safety
/// As [`update_replication`].
unsafe fn execute(postgres: &Functions, sql: &CStr) {
    // SAFETY: passed on from the caller.
    unsafe {
        (postgres.connect)();
        (postgres.execute)(sql.as_ptr(), false, 0);
        (postgres.finish)();
    }
}
