//! IAM policies for `rds-db:connect`, the one action of IAM database authentication: write the
//! policy that a database user needs, and say what a set of policies decides for one login.
//!
//! A resource's user name is a pattern: `*` and `?` in it are wildcards, and IAM has no plain way
//! to write them as themselves. Only identity policies without a `Condition` are evaluated. What
//! cannot be evaluated is an error, in a Deny too, and is never passed over: a statement that is
//! read in part decides something else than IAM does.
//!
//! Grammar: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html>

mod document;
mod evaluate;
mod json;
#[cfg(test)]
mod tests;

use serde::Serialize;
use serde_json::Value;

pub use document::{Policy, PolicyError};
pub use evaluate::{Decision, StatementId, evaluate};

/// The action that lets a database user log in with a token. Its service is `rds-db`, not `rds`.
pub const CONNECT_ACTION: &str = "rds-db:connect";

/// A database user, as the `Resource` of a policy names it. `*` and `?` are wildcards in a policy,
/// and stand for themselves in the resource given to [`evaluate`].
///
/// Source: <https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/UsingWithRDS.IAMDBAuth.IAMPolicy.html>
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnectResource {
    /// The partition of AWS: `aws`, `aws-cn`, `aws-us-gov` and so on.
    pub partition: String,
    /// The region of the database.
    pub region: String,
    /// The 12 digits of the AWS account that owns the database.
    pub account_id: String,
    /// The instance's `db-…`, the Aurora cluster's `cluster-…` or the RDS Proxy's `prx-…`: not the
    /// name that the host name starts with.
    pub resource_id: String,
    /// The name of the database user. Upper and lower case differ.
    pub username: String,
}

impl ConnectResource {
    /// `arn:PARTITION:rds-db:REGION:ACCOUNT:dbuser:RESOURCEID/USERNAME`, with nothing escaped.
    pub fn arn(&self) -> String {
        let Self {
            partition,
            region,
            account_id,
            resource_id,
            username,
        } = self;
        format!("arn:{partition}:rds-db:{region}:{account_id}:dbuser:{resource_id}/{username}")
    }
}

/// The policy, as indented JSON, that allows [`CONNECT_ACTION`] on these resources and nothing
/// else.
///
/// Nothing in a user name is escaped: `*` and `?` become wildcards, and `${…}` a policy variable,
/// which IAM replaces and [`Policy::from_json`] refuses. No resources give an empty list, which
/// grants nothing and which IAM refuses.
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
        version: document::VERSION_WITH_VARIABLES,
        statement: [Statement {
            effect: "Allow",
            action: CONNECT_ACTION,
            resource,
        }],
    };
    serde_json::to_string_pretty(&document).expect("strings and lists are always JSON")
}
