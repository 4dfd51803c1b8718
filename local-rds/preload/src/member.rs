//! Lets a role log in by its password that is in rds_iam only as the administrator of a member:
//! from PostgreSQL 16 on.
//!
//! There, whoever creates a user gets ADMIN OPTION on it, and thereby a membership that gives no
//! privileges. PostgreSQL's rules of login count it, so `postgres` would be sent here, to bring a
//! token, as soon as a user that it created is in rds_iam. On RDS it keeps its password.

use std::ffi::{CStr, CString};
use std::ptr;

use rdsign_local::decision::{Decision, WRONG_PASSWORD};
use rdsign_local::roles::RDS_IAM;

use crate::server::server;

/// PostgreSQL's `STATUS_OK`
const STATUS_OK: i32 = 0;

/// `None` where the role has to bring a token.
pub(crate) fn decide_by_password(username: &[u8], password: &CStr) -> Option<Decision> {
    let server = server()?;
    let username = CString::new(username).ok()?;
    let rds_iam = CString::new(RDS_IAM).ok()?;
    let mut detail = ptr::null();
    // SAFETY: all are C strings or what PostgreSQL has just given. Authentication is in a
    // transaction, and looks roles and passwords up with these same functions.
    let same = unsafe {
        let role = (server.find_role)(username.as_ptr(), true);
        let rds_iam = (server.find_role)(rds_iam.as_ptr(), true);
        if role == 0 || rds_iam == 0 || (server.has_privileges)(role, rds_iam) {
            return None;
        }
        let stored = (server.stored_password)(username.as_ptr(), &raw mut detail);
        !stored.is_null()
            && (server.check_password)(
                username.as_ptr(),
                stored,
                password.as_ptr(),
                &raw mut detail,
            ) == STATUS_OK
    };
    const WHY: &str = "the role is in rds_iam only as the administrator of a member";
    Some(match same {
        true => Decision::Accepted(format!("rdsign: accepted: by its password, since {WHY}")),
        false => Decision::Refused(format!("rdsign: refused ({WRONG_PASSWORD}): {WHY}")),
    })
}
