//! Checks the password of a role that is in rds_iam only as an administrator.
//!
//! PostgreSQL's login rules also count a membership without privileges. So they send `postgres` to
//! PAM as soon as a user that it created is in rds_iam. On RDS it keeps its password.

use std::ffi::{CStr, CString};
use std::ptr;

use rdsign_local::login::{Decision, WRONG_PASSWORD};

use super::functions::functions;
use super::statement::RDS_IAM;

/// PostgreSQL's `STATUS_OK`
const STATUS_OK: i32 = 0;

/// Decides about a role that logs in with its password. Returns `None` if the role needs a token.
pub(crate) fn decide_by_password(username: &[u8], password: &CStr) -> Option<Decision> {
    let postgres = functions()?;
    let username = CString::new(username).ok()?;
    let rds_iam = CString::new(RDS_IAM).ok()?;
    let mut detail = ptr::null();
    // SAFETY: the arguments are C strings or results of these functions. PostgreSQL authenticates
    // in a transaction, and itself looks up roles and passwords with these functions.
    let is_correct = unsafe {
        let role = (postgres.find_role)(username.as_ptr(), true);
        let rds_iam = (postgres.find_role)(rds_iam.as_ptr(), true);
        if role == 0 || rds_iam == 0 || (postgres.has_privileges)(role, rds_iam) {
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
    const WHY: &str = "the role is in rds_iam only as the administrator of a member";
    Some(match is_correct {
        true => Decision::Accepted(format!(
            "rdsign: accepted: with its password, because {WHY}"
        )),
        false => Decision::Refused(format!("rdsign: refused ({WRONG_PASSWORD}): {WHY}")),
    })
}
