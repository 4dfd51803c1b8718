//! Writes the IAM policy and the SQL for PostgreSQL that let a database user log in with tokens.

use serde::Serialize;
use serde_json::Value;

use super::document::VERSION_WITH_VARIABLES;
use crate::names::{ConnectResource, InvalidResource, Service, check_iam_arn, check_one_username};

/// Returns a policy that allows only [`ConnectResource::action`] on these resources, as indented
/// JSON, with one statement for each action.
///
/// Does not escape user names: `*` and `?` become wildcards, and `${…}` becomes a policy variable,
/// which IAM replaces. If `resources` is empty, the policy grants nothing, and IAM rejects it.
pub fn connect_policy(resources: &[ConnectResource]) -> String {
    #[derive(Serialize)]
    #[serde(rename_all = "PascalCase")]
    struct Document {
        version: &'static str,
        statement: Vec<Statement>,
    }
    #[derive(Serialize)]
    #[serde(rename_all = "PascalCase")]
    struct Statement {
        effect: &'static str,
        action: &'static str,
        resource: Value,
    }

    let mut actions: Vec<&'static str> = Vec::new();
    for action in resources.iter().map(ConnectResource::action) {
        if !actions.contains(&action) {
            actions.push(action);
        }
    }
    if actions.is_empty() {
        actions.push(Service::Rds.common_action().iam);
    }
    let statement = actions.into_iter().map(|action| {
        let of_action = resources.iter().filter(|one| one.action() == action);
        let mut arns: Vec<String> = of_action.map(ConnectResource::arn).collect();
        // The ARN of a DSQL cluster is the same for each user.
        let mut seen = std::collections::HashSet::new();
        arns.retain(|arn| seen.insert(arn.clone()));
        Statement {
            effect: "Allow",
            action,
            resource: match &arns[..] {
                [one] => Value::from(one.as_str()),
                _ => arns.into(),
            },
        }
    });
    let document = Document {
        version: VERSION_WITH_VARIABLES,
        statement: statement.collect(),
    };
    serde_json::to_string_pretty(&document).expect("strings and lists are always JSON")
}

/// The longest name in bytes. PostgreSQL truncates longer names, and the policy would not match the
/// truncated one.
///
/// Source: <https://www.postgresql.org/docs/current/sql-syntax-lexical.html#SQL-SYNTAX-IDENTIFIERS>
const LONGEST_NAME: usize = 63;

/// Returns `CREATE USER` and `GRANT rds_iam`, one line each, for a user of RDS that logs in with
/// tokens. Quotes the name, so that its case stays the same as in the policy.
///
/// # Errors
/// The name is empty or longer than 63 bytes, or contains a control character, U+FFFD, `*` or `?`.
/// A policy treats `*` and `?` as wildcards, so they cannot name one user.
pub fn connect_sql(username: &str) -> Result<String, InvalidResource> {
    let name = identifier(username)?;
    Ok(format!(
        "CREATE USER {name} WITH LOGIN;\nGRANT rds_iam TO {name};\n"
    ))
}

/// Returns `CREATE ROLE` and `AWS IAM GRANT`, one line each, for a role of DSQL that this IAM identity
/// may log in as. Quotes the name.
///
/// Source: <https://docs.aws.amazon.com/aurora-dsql/latest/userguide/using-database-and-iam-roles.html>
///
/// # Errors
/// - As [`connect_sql`], for the name. The role `admin` exists: its action in the policy is enough.
/// - `iam_arn` is not the ARN of an IAM role or user.
pub fn dsql_sql(username: &str, iam_arn: &str) -> Result<String, InvalidResource> {
    let name = identifier(username)?;
    if let Some((admin, action)) = Service::Dsql.admin_action()
        && admin == username
    {
        let problem = format!("exists in every cluster, and needs only {}", action.iam);
        return Err(InvalidResource::username(username, &problem));
    }
    check_iam_arn(iam_arn)?;
    Ok(format!(
        "CREATE ROLE {name} WITH LOGIN;\nAWS IAM GRANT {name} TO '{iam_arn}';\n"
    ))
}

fn identifier(username: &str) -> Result<String, InvalidResource> {
    check_one_username(username)?;
    if username.len() > LONGEST_NAME {
        let problem = "is longer than 63 bytes, so PostgreSQL would truncate it";
        return Err(InvalidResource::username(username, problem));
    }
    Ok(quoted_identifier(username))
}

/// Quotes a name for SQL. PostgreSQL then keeps its case and does not treat it as a keyword.
///
/// Source: <https://www.postgresql.org/docs/current/sql-syntax-lexical.html#SQL-SYNTAX-IDENTIFIERS>
pub fn quoted_identifier(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
