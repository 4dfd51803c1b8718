//! What follows from a change of the members of roles, in any statement: also in a DO block, in a
//! function, or through a group.
//!
//! All functions run as the superuser, inside the user's transaction.

use std::ffi::CStr;

use rdsign_local::login::variables::INIT_SETTING;

use crate::postgres::{BOOTSTRAP_SUPERUSER, Functions, Level, RoleId};

/// Reports whether a role logs in with tokens. Also true for a role that does not exist.
///
/// From PostgreSQL 16 on, a role that is in rds_iam only as the administrator of a member does not.
///
/// # Safety
/// Must be called in a transaction. No value of the callers may need a destructor.
pub(super) unsafe fn needs_token(postgres: &Functions, role: RoleId) -> bool {
    // SAFETY: passed on from the caller; the name is a C string.
    unsafe {
        let rds_iam = (postgres.find_role)(c"rds_iam".as_ptr(), true);
        if role == 0 || rds_iam == 0 {
            return true;
        }
        if !postgres.is_16_or_newer() {
            return (postgres.is_member)(role, rds_iam);
        }
        let can_become = |other| postgres.can_set_role.is_some_and(|can| can(role, other));
        (postgres.has_privileges)(role, rds_iam) || can_become(rds_iam)
    }
}

/// Raises an error if `postgres` needs a token in a session of `--init`: no later one could log in
/// with the password.
///
/// # Safety
/// As [`needs_token`].
pub(super) unsafe fn check_postgres(postgres: &Functions) {
    // SAFETY: passed on from the caller; the names are C strings.
    unsafe {
        if (postgres.option)(INIT_SETTING.as_ptr(), true, false).is_null() {
            return;
        }
        (postgres.see_changes)();
        let role = (postgres.find_role)(c"postgres".as_ptr(), true);
        if role != 0 && needs_token(postgres, role) {
            let message = c"postgres cannot be in rds_iam: files of --init log in as it, with its password; GRANT \
                rds_iam to another role";
            postgres.raise(Level::Error, *b"42501", message, None);
        }
    }
}

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

/// The roles that the login rules and the rights of `postgres` depend on, and `postgres`, whose password
/// each start sets.
const ROLES_OF_RDS: [&CStr; 5] = [
    c"postgres",
    c"rds_iam",
    c"rds_password",
    c"rds_replication",
    c"rds_superuser",
];

/// Returns the ids of the roles of RDS.
///
/// # Safety
/// Must be called in a transaction. No value of the callers may need a destructor.
pub(super) unsafe fn roles_of_rds(postgres: &Functions) -> [RoleId; 5] {
    // SAFETY: passed on from the caller; the names are C strings.
    ROLES_OF_RDS.map(|name| unsafe { (postgres.find_role)(name.as_ptr(), true) })
}

/// Raises an error if a role of RDS was dropped or renamed. Without rds_iam, for example, its
/// members would log in with their passwords.
///
/// # Safety
/// As [`roles_of_rds`].
pub(super) unsafe fn check_roles_of_rds(postgres: &Functions, before: [RoleId; 5]) {
    // SAFETY: passed on from the caller.
    unsafe {
        (postgres.see_changes)();
        if roles_of_rds(postgres) != before {
            let message = c"postgres and the roles of RDS cannot be dropped or renamed";
            postgres.raise(Level::Error, *b"42501", message, None);
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
            postgres.raise(Level::Error, *b"42501", message, None);
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

/// Makes `user` the administrator of a role that it has created, as PostgreSQL does if no superuser
/// creates it. Raises an error if there is no such role.
///
/// # Safety
/// As [`make_administrator`].
pub(super) unsafe fn make_creator(postgres: &Functions, role: &CStr, user: RoleId) {
    // SAFETY: passed on from the caller.
    unsafe {
        (postgres.see_changes)();
        (postgres.find_role)(role.as_ptr(), false);
        make_administrator(postgres, role, user);
    }
}

/// Makes `user` the administrator of a role.
///
/// # Safety
/// Must be called in a transaction, as the superuser. No value of the callers may need a destructor.
unsafe fn make_administrator(postgres: &Functions, role: &CStr, user: RoleId) {
    // SAFETY: passed on from the caller; PostgreSQL returns a C string.
    unsafe {
        (postgres.see_changes)();
        let user = CStr::from_ptr((postgres.name)(user, false));
        let grant = [
            Word::Sql("GRANT "),
            Word::Name(role),
            Word::Sql(" TO "),
            Word::Name(user),
        ];
        execute(postgres, Sql::new(&grant).and(AS_ADMINISTRATOR).as_c_str());
    }
}

/// Makes `user` the administrator of `roles`. 0 is none.
///
/// # Safety
/// As [`make_administrator`].
pub(super) unsafe fn add_administrator(postgres: &Functions, roles: [RoleId; 16], user: RoleId) {
    for role in roles.into_iter().filter(|role| *role != 0) {
        // SAFETY: passed on from the caller; PostgreSQL returns a C string.
        unsafe {
            let role = CStr::from_ptr((postgres.name)(role, false));
            make_administrator(postgres, role, user);
        }
    }
    // SAFETY: passed on from the caller.
    unsafe { (postgres.see_changes)() };
}

/// Ends what [`add_administrator`] began, for those of `roles` that still exist.
///
/// # Safety
/// As [`make_administrator`].
pub(super) unsafe fn remove_administrator(postgres: &Functions, roles: [RoleId; 16], user: RoleId) {
    // SAFETY: passed on from the caller; PostgreSQL returns null or a C string.
    unsafe {
        (postgres.see_changes)();
        for role in roles.into_iter().filter(|role| *role != 0) {
            let role = (postgres.name)(role, true);
            if !role.is_null() {
                let user = CStr::from_ptr((postgres.name)(user, false));
                let (role, from) = (Word::Name(CStr::from_ptr(role)), Word::Sql(" FROM "));
                let revoke = [Word::Sql("REVOKE "), role, from, Word::Name(user)];
                execute(postgres, Sql::new(&revoke).as_c_str());
            }
        }
    }
}

const AS_ADMINISTRATOR: &str = " WITH ADMIN TRUE, INHERIT FALSE, SET FALSE";

enum Word<'a> {
    Sql(&'static str),
    /// The name of a role, to be quoted.
    Name(&'a CStr),
}

/// A statement without a destructor: an error of the statement jumps over its frame. It has room for
/// two names of 63 bytes that consist of quotes.
struct Sql {
    bytes: [u8; 384],
    length: usize,
}

impl Sql {
    fn new(words: &[Word<'_>]) -> Self {
        let mut sql = Self {
            bytes: [0; 384],
            length: 0,
        };
        for word in words {
            match word {
                Word::Sql(text) => sql = sql.and(text),
                Word::Name(name) => {
                    sql = sql.and("\"");
                    for byte in name.to_bytes() {
                        sql.push(*byte);
                        if *byte == b'"' {
                            sql.push(*byte);
                        }
                    }
                    sql = sql.and("\"");
                }
            }
        }
        sql
    }

    fn and(mut self, text: &str) -> Self {
        text.bytes().for_each(|byte| self.push(byte));
        self
    }

    /// Adds a byte. The last one stays NUL.
    fn push(&mut self, byte: u8) {
        if self.length < self.bytes.len() - 1 {
            self.bytes[self.length] = byte;
            self.length += 1;
        }
    }

    fn as_c_str(&self) -> &CStr {
        CStr::from_bytes_until_nul(&self.bytes).unwrap_or_default()
    }
}
