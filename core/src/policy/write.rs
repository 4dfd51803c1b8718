//! Writes what a database user needs: the IAM policy that lets it log in, and the SQL for
//! PostgreSQL.

use serde::Serialize;
use serde_json::Value;

use super::document::VERSION_WITH_VARIABLES;
use crate::message::quoted;
use crate::names::{CONNECT_ACTION, ConnectResource, InvalidResource, check_username};

/// The policy, as indented JSON, that allows [`CONNECT_ACTION`] on these resources and nothing
/// else.
///
/// Nothing in a user name is escaped: `*` and `?` become wildcards, and `${…}` a policy variable,
/// which IAM replaces and [`Policy::from_json`](super::Policy::from_json) refuses. Without
/// resources the list is empty: it grants nothing, and IAM refuses it.
pub fn connect_policy(resources: &[ConnectResource]) -> String {
    #[derive(Serialize)]
    #[serde(rename_all = "PascalCase")]
    struct Document {
        version: &'static str,
        statement: [Statement; 1],
    }
    #[derive(Serialize)]
    #[serde(rename_all = "PascalCase")]
    struct Statement {
        effect: &'static str,
        action: &'static str,
        resource: Value,
    }

    let resource = match resources {
        [one] => Value::from(one.arn()),
        many => many.iter().map(ConnectResource::arn).collect(),
    };
    let document = Document {
        version: VERSION_WITH_VARIABLES,
        statement: [Statement {
            effect: "Allow",
            action: CONNECT_ACTION,
            resource,
        }],
    };
    serde_json::to_string_pretty(&document).expect("strings and lists are always JSON")
}

/// Where PostgreSQL cuts a name off, in bytes: the policy would then be for another one.
///
/// Source: <https://www.postgresql.org/docs/current/sql-syntax-lexical.html#SQL-SYNTAX-IDENTIFIERS>
const LONGEST_NAME: usize = 63;

/// `CREATE USER` and `GRANT rds_iam`, a line each, for a user that logs in with tokens. The name is
/// quoted, so that its letters' case stays as the policy has it.
///
/// # Errors
/// The name is empty, longer than 63 bytes, or has a control character or a `*` or `?` in it: a
/// wildcard in a policy, which can be no user's name there.
pub fn connect_sql(username: &str) -> Result<String, InvalidResource> {
    check_username(username)?;
    let problem = if username.contains(['*', '?']) {
        "is a pattern in a policy, and no user's name"
    } else if username.len() > LONGEST_NAME {
        "is longer than 63 bytes, and PostgreSQL would cut it"
    } else {
        let name = quoted_identifier(username);
        return Ok(format!(
            "CREATE USER {name} WITH LOGIN;\nGRANT rds_iam TO {name};\n"
        ));
    };
    Err(InvalidResource::new(format!(
        "username: {} {problem}; accepted: the name of one database user",
        quoted(username)
    )))
}

/// A name in quotes for SQL: PostgreSQL then keeps its case and takes no word for a keyword.
///
/// Source: <https://www.postgresql.org/docs/current/sql-syntax-lexical.html#SQL-SYNTAX-IDENTIFIERS>
pub fn quoted_identifier(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
