//! Decides how a statement about roles runs from PostgreSQL 16 on: what RDS allows, although
//! PostgreSQL's own rules do not. See the module above for why.

use std::ffi::{CStr, c_void};
use std::panic::catch_unwind;

use zeroize::Zeroize;

use super::RDS_IAM;
use super::tree::{Statement, parse};
use crate::postgres::{BOOTSTRAP_SUPERUSER, Functions, RoleId};

/// The options of CREATE ROLE that every role with CREATEROLE may give, by PostgreSQL's names. Also
/// [`CREATE_DATABASES`], if it has CREATEDB.
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

/// What a statement wants, as far as its text says. It has no destructor, either: the look-ups that
/// follow may fail, and jump over the frame that has it.
#[derive(Clone, Copy)]
#[expect(clippy::large_enum_variant, reason = "a box would need a destructor")]
enum Wanted {
    Nothing,
    /// GRANT or REVOKE of rds_iam.
    Membership,
    /// A new member of rds_iam, with harmless options.
    Member {
        role: Name,
        creates_databases: bool,
    },
    /// ALTER or DROP of roles. An empty name is none.
    Change([Name; MOST]),
}

impl Wanted {
    fn of(statement: &Statement) -> Self {
        let is_rds_iam = |roles: &[String]| matches!(roles, [role] if role == RDS_IAM);
        match statement {
            Statement::Grant { roles } if is_rds_iam(roles) => Self::Membership,
            Statement::Create {
                role,
                options,
                member_of,
            } if is_rds_iam(member_of) => {
                let is_allowed =
                    |option: &str| HARMLESS.contains(&option) || option == CREATE_DATABASES;
                match Name::new(role) {
                    Some(role) if options.iter().all(|option| is_allowed(option)) => Self::Member {
                        role,
                        creates_databases: options.iter().any(|option| option == CREATE_DATABASES),
                    },
                    _ => Self::Nothing,
                }
            }
            Statement::Alter { role } => Self::change(std::slice::from_ref(role)),
            Statement::Drop { roles } => Self::change(roles),
            _ => Self::Nothing,
        }
    }

    fn change(roles: &[String]) -> Self {
        let mut names = [Name([0; 64]); MOST];
        if roles.len() > MOST {
            return Self::Nothing;
        }
        for (name, role) in names.iter_mut().zip(roles) {
            match Name::new(role) {
                Some(role) => *name = role,
                None => return Self::Nothing,
            }
        }
        Self::Change(names)
    }
}

impl Plan {
    /// Decides about a statement of `user`.
    ///
    /// # Safety
    /// Must be called in a transaction, with the statement that PostgreSQL is about to run, and only
    /// from version 16 on. No value of the callers may need a destructor.
    pub(super) unsafe fn of(postgres: &Functions, statement: *const c_void, user: RoleId) -> Self {
        // SAFETY: passed on from the caller. PostgreSQL allocates the description.
        unsafe {
            if user == BOOTSTRAP_SUPERUSER || !(postgres.may_create_roles)(user) {
                return Self::AsUser;
            }
            let description = (postgres.describe)(statement);
            let wanted = catch_unwind(|| {
                let text = CStr::from_ptr(description).to_str().ok();
                let statement = text.and_then(parse);
                statement.map_or(Wanted::Nothing, |statement| Wanted::of(&statement))
            });
            // It may contain a password. PostgreSQL may have copied it while the text grew.
            let bytes = CStr::from_ptr(description).to_bytes().len();
            std::slice::from_raw_parts_mut(description.cast::<u8>(), bytes).zeroize();
            (postgres.free)(description.cast());
            let find = |name: &Name| (postgres.find_role)(name.as_c_str().as_ptr(), true);
            match wanted.unwrap_or(Wanted::Nothing) {
                Wanted::Membership => Self::AsSuperuser,
                Wanted::Member {
                    role,
                    creates_databases,
                } => {
                    let may = postgres.may_create_databases;
                    let is_allowed = !creates_databases || may.is_some_and(|may| may());
                    match is_allowed && find(&role) == 0 {
                        true => Self::Create(role),
                        false => Self::AsUser,
                    }
                }
                Wanted::Change(names) => {
                    let roles = names.map(|name| match name.as_c_str().is_empty() {
                        true => 0,
                        false => find(&name),
                    });
                    Self::administer(postgres, roles, user)
                }
                Wanted::Nothing => Self::AsUser,
            }
        }
    }

    /// Makes a member of rds_superuser the administrator of users in rds_iam. Leaves out roles of which
    /// it is a member, and its own members: the membership would be lost, or a circle.
    ///
    /// # Safety
    /// As [`Plan::of`].
    unsafe fn administer(postgres: &Functions, roles: [RoleId; MOST], user: RoleId) -> Self {
        // SAFETY: passed on from the caller; the names are C strings.
        unsafe {
            let superuser = (postgres.find_role)(c"rds_superuser".as_ptr(), true);
            let rds_iam = (postgres.find_role)(c"rds_iam".as_ptr(), true);
            if superuser == 0 || rds_iam == 0 || !(postgres.has_privileges)(user, superuser) {
                return Self::AsUser;
            }
            let roles = roles.map(|role| {
                let is_iam_user = role != 0
                    && role != user
                    && role != rds_iam
                    && !(postgres.is_superuser)(role)
                    && (postgres.is_member)(role, rds_iam)
                    && !(postgres.is_member)(user, role)
                    && !(postgres.is_member)(role, user);
                if is_iam_user { role } else { 0 }
            });
            match roles == [0; MOST] {
                true => Self::AsUser,
                false => Self::Administer(roles),
            }
        }
    }
}
