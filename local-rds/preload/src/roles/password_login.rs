//! Checks the password of a member of rds_iam that logs in without a token.
//!
//! There are two such logins. From PostgreSQL 16 on, the login rules also count a membership
//! without privileges, so they ask `postgres` for a token as soon as a user that it created is in
//! rds_iam; on RDS it keeps its password. And on every version a member may replicate with its
//! password only, unless the configuration sets iam_auth_for_replication, as on RDS:
//! <https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/PostgreSQL.Concepts.General.FeatureSupport.IAMLogicalReplication.html>

use std::ffi::CStr;
use std::ptr;

use rdsign_local::login::{Decision, WRONG_PASSWORD, may_replicate_with_tokens};

use super::membership;
use crate::postgres::functions;

/// PostgreSQL's `STATUS_OK`
const STATUS_OK: i32 = 0;

const ADMINISTRATOR: &str = "the role is in rds_iam only as the administrator of a member";
const REPLICATION: &str = "a replication connection needs the password of the role, unless the configuration sets \
     iam_auth_for_replication = true";

/// Reports whether this session replicates, and the configuration allows no token for that.
pub(crate) fn replicates_with_password() -> bool {
    // SAFETY: the variable is PostgreSQL's own, and this process has one thread.
    let is_replication = functions().is_some_and(|postgres| unsafe { *postgres.is_replication });
    is_replication && !may_replicate_with_tokens()
}

/// Decides about a role that logs in with its password. Returns `None` if the role needs a token.
pub(crate) fn decide_by_password(
    username: &CStr,
    password: &CStr,
    replicates: bool,
) -> Option<Decision> {
    let postgres = functions()?;
    if !replicates && !postgres.is_16_or_newer() {
        return None;
    }
    let mut detail = ptr::null();
    // SAFETY: the arguments are C strings or results of these functions. PostgreSQL authenticates
    // in a transaction, and itself looks up roles and passwords with these functions.
    let is_correct = unsafe {
        let role = (postgres.find_role)(username.as_ptr(), true);
        if membership::needs_token(postgres, role) && !replicates {
            return None;
        }
        let stored = (postgres.stored_password)(username.as_ptr(), &raw mut detail);
        !stored.is_null()
            && (postgres.check_password)(
                username.as_ptr(),
                stored,
                password.as_ptr(),
                &raw mut detail,
            ) == STATUS_OK
    };
    let why = if replicates {
        REPLICATION
    } else {
        ADMINISTRATOR
    };
    Some(match is_correct {
        true => Decision::Accepted(format!(
            "rdsign: accepted: with its password, because {why}"
        )),
        false => Decision::Refused {
            line: format!("rdsign: refused ({WRONG_PASSWORD}): {why}"),
            shown: None,
        },
    })
}
