//! Recognizes texts that look like a token for RDS or replace one: masks, and tokens for DSQL.

use super::finding::{Finding, FindingId};

pub(super) fn is_masked(text: &str) -> bool {
    text.contains("***") || text.contains("\u{2022}\u{2022}\u{2022}")
}

pub(super) fn masked() -> Finding {
    Finding::new(
        FindingId::Masked,
        "All or part of it is masked (*** or \u{2022}\u{2022}\u{2022}), as in output that hides \
         passwords.",
        "Take the token from its source, not from a log or a printed URL. CI logs mask passwords, \
         and so does SQLAlchemy's str(url); url.render_as_string(hide_password=False) does not.",
    )
}

pub(super) fn dsql_token() -> Finding {
    Finding::new(
        FindingId::DsqlToken,
        "It is a token for Aurora DSQL (service dsql, action DbConnect or DbConnectAdmin).",
        "For RDS and Aurora PostgreSQL, make a token with `rdsign token` or `aws rds \
         generate-db-auth-token`; `aws dsql generate-db-connect-auth-token` makes tokens for DSQL.",
    )
}
