//! Decides how a statement about roles runs from PostgreSQL 16 on: what RDS allows, although
//! PostgreSQL's own rules do not. See the module above for why.

use std::ffi::{CStr, CString, c_void};
use std::panic::catch_unwind;

use zeroize::Zeroize;

use super::RDS_IAM;
use super::tree::{Statement, parse};
use crate::postgres::{BOOTSTRAP_SUPERUSER, Functions, RoleId};

/// The options of CREATE ROLE that every role with CREATEROLE may give, by PostgreSQL's names. Also
/// `createdb`, if it has CREATEDB.
const HARMLESS: [&str; 5] = [
    "canlogin",
    "inherit",
    "password",
    "connectionlimit",
    "validUntil",
];
const CREATE_DATABASES: &str = "createdb";
/// The number of roles that one ALTER or DROP may name.
const MOST: usize = 16;

/// How a statement runs. It has no destructor: an error of the statement jumps over its frame.
#[derive(Clone, Copy)]
pub(super) enum Plan {
    /// As the current user.
    AsUser,
    /// As the superuser.
    AsSuperuser,
    /// As the superuser. Then the current user becomes the administrator of the new role.
    Create(Name),
    /// As the current user, who is the administrator of these roles meanwhile. 0 is none.
    Administer([RoleId; MOST]),
}

/// The name of a role, with a final NUL.
#[derive(Clone, Copy)]
pub(super) struct Name([u8; 64]);

impl Name {
    fn new(name: &str) -> Option<Self> {
        let mut bytes = [0; 64];
        bytes
            .get_mut(..name.len())?
            .copy_from_slice(name.as_bytes());
        bytes[63].eq(&0).then_some(Self(bytes))
    }

    pub(super) fn as_c_str(&self) -> &CStr {
        CStr::from_bytes_until_nul(&self.0).unwrap_or_default()
    }
}

impl Plan {
    /// Decides about a statement of `user`.
    ///
    /// # Safety
    /// Must be called in a transaction, with the statement that PostgreSQL is about to run, and only
    /// from version 16 on.
    pub(super) unsafe fn of(postgres: &Functions, statement: *const c_void, user: RoleId) -> Self {
        // SAFETY: passed on from the caller. PostgreSQL allocates the description.
        unsafe {
            if user == BOOTSTRAP_SUPERUSER || !(postgres.may_create_roles)(user) {
                return Self::AsUser;
            }
            let description = (postgres.describe)(statement);
            let parsed = catch_unwind(|| CStr::from_ptr(description).to_str().ok().and_then(parse));
            // It may contain a password.
            let bytes = CStr::from_ptr(description).to_bytes().len();
            std::slice::from_raw_parts_mut(description.cast::<u8>(), bytes).zeroize();
            (postgres.free)(description.cast());
            match parsed.unwrap_or(None) {
                Some(statement) => Self::choose(postgres, &statement, user),
                None => Self::AsUser,
            }
        }
    }

    /// # Safety
    /// As [`Plan::of`].
    unsafe fn choose(postgres: &Functions, statement: &Statement, user: RoleId) -> Self {
        let is_rds_iam = |roles: &[String]| matches!(roles, [role] if role == RDS_IAM);
        match statement {
            Statement::Grant { roles } if is_rds_iam(roles) => Self::AsSuperuser,
            Statement::Create {
                role,
                options,
                member_of,
            } if is_rds_iam(member_of) => {
                let may_create_databases = postgres
                    .may_create_databases
                    // SAFETY: passed on from the caller.
                    .is_some_and(|may| unsafe { may() });
                let is_allowed = |option: &String| {
                    HARMLESS.contains(&option.as_str())
                        || option == CREATE_DATABASES && may_create_databases
                };
                match Name::new(role) {
                    Some(role) if options.iter().all(is_allowed) => Self::Create(role),
                    _ => Self::AsUser,
                }
            }
            // SAFETY: passed on from the caller.
            Statement::Alter { role } => unsafe {
                Self::administer(postgres, std::slice::from_ref(role), user)
            },
            // SAFETY: passed on from the caller.
            Statement::Drop { roles } => unsafe { Self::administer(postgres, roles, user) },
            _ => Self::AsUser,
        }
    }

    /// Makes a member of rds_superuser the administrator of users in rds_iam.
    ///
    /// # Safety
    /// As [`Plan::of`].
    unsafe fn administer(postgres: &Functions, roles: &[String], user: RoleId) -> Self {
        let mut ids = [0; MOST];
        let mut count = 0;
        // SAFETY: passed on from the caller; the names are C strings.
        unsafe {
            let find = |name: &CStr| (postgres.find_role)(name.as_ptr(), true);
            let (superuser, rds_iam) = (find(c"rds_superuser"), find(c"rds_iam"));
            if superuser == 0 || rds_iam == 0 || !(postgres.has_privileges)(user, superuser) {
                return Self::AsUser;
            }
            for role in roles {
                let Ok(name) = CString::new(role.as_str()) else {
                    return Self::AsUser;
                };
                let role = find(&name);
                let is_iam_user = role != 0
                    && role != user
                    && !(postgres.is_superuser)(role)
                    && (postgres.is_member)(role, rds_iam)
                    && role != rds_iam;
                if is_iam_user && !(postgres.is_administrator)(user, role) && count < MOST {
                    ids[count] = role;
                    count += 1;
                }
            }
        }
        match count {
            0 => Self::AsUser,
            _ => Self::Administer(ids),
        }
    }
}
