//! Makes roles work as they do on RDS.
//!
//! # On every version
//!
//! [`utility`] hooks into the processing of utility statements. After each that can change a role or
//! who is a member of it, [`membership`] refuses the loss of a role of RDS and the superuser as a
//! member of rds_iam, and lets the members of rds_replication replicate. [`password_login`] asks a
//! member of rds_iam for its password if it replicates and the configuration does not allow tokens
//! for that. [`libraries`] refuses to load a logical decoding plugin from another folder than
//! PostgreSQL's own.
//!
//! # What PostgreSQL 16 changed
//!
//! Up to version 15, a role with CREATEROLE may grant any role that is not a superuser. Since 16 it
//! also needs ADMIN OPTION on the role that it grants, and ADMIN OPTION comes with membership. For
//! the role `postgres` of this server, which has CREATEROLE and is not a superuser, this means:
//!
//! - Without ADMIN OPTION on rds_iam, it cannot grant rds_iam to anyone.
//! - With it, it is a member of rds_iam. The login rules then ask it for a token, so it needs one
//!   from the start, and its password does not work.
//! - It gets ADMIN OPTION on every user that it creates, and so becomes a member of that user. Once
//!   such a user is in rds_iam, `postgres` is an indirect member, and needs a token as well.
//!
//! On RDS none of this happens, in any version. `postgres` may `GRANT rds_iam` to any user and
//! revoke it. It logs in with its password until it grants rds_iam to itself, and again after the
//! REVOKE.
//!
//! So from version 16 on, [`plan`] lets a role do what version 15 and RDS allow it: GRANT and REVOKE of
//! rds_iam, and CREATE USER in rds_iam, run as the bootstrap superuser if the current user has
//! CREATEROLE, and a member of rds_superuser is the administrator of users in rds_iam while it
//! alters or drops them. [`tree`] says what a statement does by PostgreSQL's own description of it, and
//! only plain forms are recognised: no second role, option or GRANTED BY, and no name such as
//! CURRENT_USER, which would mean the superuser here. [`password_login`] checks the password of a role
//! that is in rds_iam only as an administrator: it can grant rds_iam, or a user in it, to others, but
//! neither has the privileges of rds_iam nor may become rds_iam, as a member with NOINHERIT may.
//!
//! # How it fails closed
//!
//! - A statement that is not recognised runs as the current user, under PostgreSQL's own rules. A
//!   panic in the recognition counts as not recognised.
//! - An error in the statement, or in what follows it, aborts the transaction, which resets the
//!   current user.
//! - A role with the privileges of rds_iam needs a token, except to replicate.

mod libraries;
mod membership;
mod password_login;
mod plan;
mod tree;
mod utility;

pub(crate) use password_login::{decide_by_password, replicates_with_password};

use crate::postgres::{Functions, Problem};

/// The role whose members log in with tokens.
const RDS_IAM: &str = "rds_iam";

/// Hooks into PostgreSQL.
pub(crate) fn attach(postgres: &Functions) -> Result<(), Problem> {
    if !libraries::is_guarded() {
        return Err(Problem::NotPreloaded);
    }
    utility::attach(postgres);
    Ok(())
}
