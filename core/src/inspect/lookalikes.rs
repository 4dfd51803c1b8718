//! Texts that are known not to be a token for RDS, though they look like one or stand in its place.

use super::finding::{Finding, FindingId};

pub(super) fn is_masked(text: &str) -> bool {
    text.contains("***") || text.contains("\u{2022}\u{2022}\u{2022}")
}

pub(super) fn masked() -> Finding {
    Finding::new(
        FindingId::Masked,
        "Stars stand in place of a part of it, or of all of it: it was printed for people to read.",
        "Take it from its source, and not from a log or from a URL turned into text: SQLAlchemy's \
         str(url) writes *** for the password (url.render_as_string(hide_password=False) does \
         not), and so do the logs of CI.",
    )
}

pub(super) fn dsql_token() -> Finding {
    Finding::new(
        FindingId::DsqlToken,
        "It is a token for Aurora DSQL: its service is dsql, and its action DbConnect or \
         DbConnectAdmin.",
        "For RDS and Aurora PostgreSQL make one with `rdsign token` or `aws rds \
         generate-db-auth-token`; `aws dsql generate-db-connect-auth-token` makes DSQL's.",
    )
}
