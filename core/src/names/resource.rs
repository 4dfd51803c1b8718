//! A database user as IAM names it, and what each part of that name may be.
//!
//! The resource id is not the name that a host name starts with: it is in the console and in the
//! answers of the AWS CLI.

use super::region::Region;
use super::username::check_username;
use crate::error::Error;
use crate::message::quoted;

/// The action that lets a database user log in with a token. Its service is `rds-db`, not `rds`.
pub const CONNECT_ACTION: &str = "rds-db:connect";

/// What a resource id starts with: an instance's, an Aurora cluster's, an RDS Proxy's.
pub(crate) const ID_PREFIXES: [&str; 3] = ["db-", "cluster-", "prx-"];

/// A database user, as the `Resource` of a policy names it. `*` and `?` are wildcards in a policy,
/// and stand for themselves in the resource given to [`evaluate`](crate::policy::evaluate).
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

/// What is wrong with a part of a [`ConnectResource`]: the part's name, and what is accepted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct InvalidResource(String);

/// Whether a resource id and a user name may have `*` and `?` in them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wildcards {
    /// In a policy, where they stand for other characters.
    Allowed,
    /// For a login, which is of one user at one database. A user name may have a `*` as such.
    Refused,
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

    /// Checks all parts.
    ///
    /// # Errors
    /// The region is not lower-case letters, digits and `-`, or the partition is not its own; the
    /// account id is not 12 digits; the resource id is not `db-`, `cluster-` or `prx-` and letters
    /// and digits; the user name is empty or has a control character in it. The first that applies.
    pub fn check(&self, wildcards: Wildcards) -> Result<(), InvalidResource> {
        let region = Region::new(self.region.as_str())?;
        if self.partition != region.partition() {
            return Err(InvalidResource(format!(
                "partition: {} is not that of {region}; accepted: {}",
                quoted(&self.partition),
                region.partition()
            )));
        }
        check_account_id(&self.account_id)?;
        check_resource_id(&self.resource_id, wildcards)?;
        Ok(check_username(&self.username)?)
    }
}

/// Whether a text has the form of an AWS account's id: 12 digits.
pub fn is_account_id(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit())
}

/// Whether a text has the form of a resource id: `db-`, `cluster-` or `prx-`, and letters and digits.
pub fn is_resource_id(text: &str) -> bool {
    ID_PREFIXES.iter().any(|prefix| {
        let rest = text.strip_prefix(prefix);
        rest.is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_alphanumeric()))
    })
}

fn check_account_id(account_id: &str) -> Result<(), InvalidResource> {
    if is_account_id(account_id) {
        return Ok(());
    }
    Err(InvalidResource(format!(
        "account: {} is not an account's id; accepted: 12 digits, as \
         `aws sts get-caller-identity` shows them",
        quoted(account_id)
    )))
}

fn check_resource_id(id: &str, wildcards: Wildcards) -> Result<(), InvalidResource> {
    let has_wildcards = id.contains(['*', '?']);
    let is_id = match has_wildcards {
        true => wildcards == Wildcards::Allowed && may_be_an_id(id),
        false => is_resource_id(id),
    };
    if is_id {
        return Ok(());
    }
    let with = match wildcards {
        Wildcards::Allowed => ", perhaps with * and ?",
        Wildcards::Refused => "",
    };
    Err(InvalidResource(format!(
        "resource id: {} is none; accepted: db-…, cluster-… or prx- and letters and digits{with}. \
         It is not the database's name: `aws rds describe-db-instances` shows it as \
         DbiResourceId, `aws rds describe-db-clusters` as DbClusterResourceId, and the ARN of a \
         proxy ends in it",
        quoted(id)
    )))
}

/// A pattern for resource ids, as far as it goes before its first wildcard.
fn may_be_an_id(pattern: &str) -> bool {
    let start = pattern.split(['*', '?']).next().unwrap_or_default();
    let accepted = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'*' | b'?');
    pattern.bytes().all(accepted)
        && ID_PREFIXES
            .iter()
            .any(|prefix| start.starts_with(prefix) || prefix.starts_with(start))
}

impl InvalidResource {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self(message.into())
    }
}

impl From<Error> for InvalidResource {
    fn from(error: Error) -> Self {
        Self::new(error.message())
    }
}
