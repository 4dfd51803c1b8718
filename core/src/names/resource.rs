//! Builds and checks the ARN of a database user or of a DSQL cluster, which IAM policies name as a
//! resource.
//!
//! The resource ID in the ARN is not the database's name, which the host name starts with. The AWS
//! console and the AWS CLI show it.

use super::region::Region;
use super::service::Service;
use super::username::check_username;
use crate::error::{Error, ErrorCode};
use crate::message::quoted;

/// The prefixes of resource IDs, and what has such an ID.
pub(crate) const ID_PREFIXES: [(&str, &str); 3] = [
    ("db-", "an instance"),
    ("cluster-", "an Aurora cluster"),
    ("prx-", "a proxy"),
];

/// A database user of RDS, or the DSQL cluster that it logs in to, as the `Resource` of a policy names
/// it.
///
/// `*` and `?` are wildcards in a policy, but plain characters in the resource that is passed to
/// [`evaluate`](crate::policy::evaluate).
///
/// Sources: <https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/UsingWithRDS.IAMDBAuth.IAMPolicy.html>,
/// <https://docs.aws.amazon.com/aurora-dsql/latest/userguide/authentication-authorization.html>
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnectResource {
    /// The service of the database.
    pub service: Service,
    /// The AWS partition: `aws`, `aws-cn`, `aws-us-gov` and so on.
    pub partition: String,
    /// The region of the database.
    pub region: String,
    /// The ID of the AWS account that owns the database, 12 digits.
    pub account_id: String,
    /// The resource ID: an instance's `db-…`, an Aurora cluster's `cluster-…` or a proxy's `prx-…`.
    /// It is not the database's name. For DSQL, the ID of the cluster: 26 lower-case letters and
    /// digits, with which its host name starts.
    pub resource_id: String,
    /// The name of the database user. Case matters.
    pub username: String,
}

/// The error for an invalid part of a [`ConnectResource`]. Its message names the part and says what
/// is accepted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct InvalidResource {
    code: Option<ErrorCode>,
    message: String,
}

/// Says whether the resource ID and the user name of a [`ConnectResource`] may contain the wildcards
/// `*` and `?`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wildcards {
    /// Accepts wildcards, for a resource in a policy.
    Allowed,
    /// Rejects wildcards, also in the user name, for the login of one user to one database.
    Refused,
}

impl ConnectResource {
    /// Returns `arn:PARTITION:rds-db:REGION:ACCOUNT:dbuser:RESOURCEID/USERNAME`, or for DSQL
    /// `arn:PARTITION:dsql:REGION:ACCOUNT:cluster/RESOURCEID`. Escapes nothing.
    pub fn arn(&self) -> String {
        let Self {
            partition,
            region,
            account_id,
            ..
        } = self;
        let service = self.service.signing_name();
        format!(
            "arn:{partition}:{service}:{region}:{account_id}:{}",
            self.behind_account()
        )
    }

    /// Returns the part of the ARN after the account ID.
    pub(crate) fn behind_account(&self) -> String {
        let kind = self.service.resource();
        match self.service.names_login() {
            true => format!("{kind}{}/{}", self.resource_id, self.username),
            false => format!("{kind}{}", self.resource_id),
        }
    }

    /// Returns the action that lets the user log in: `rds-db:connect`, or for DSQL
    /// `dsql:DbConnect` or, for the user `admin`, `dsql:DbConnectAdmin`.
    pub fn action(&self) -> &'static str {
        self.service.action(&self.username).iam
    }

    /// Checks all parts: region, partition, account ID, resource ID and user name, in this order.
    ///
    /// # Errors
    /// Names the first invalid part:
    /// - The region is empty, or contains something other than lower-case letters, digits and `-`.
    /// - The partition is not the one of the region.
    /// - The account ID is not 12 digits.
    /// - The resource ID is not `db-`, `cluster-` or `prx-` followed by letters and digits, or for
    ///   DSQL 26 lower-case letters and digits, nor a pattern for that form that `wildcards` allows.
    /// - The user name is empty, contains a control character or U+FFFD, or contains a wildcard that
    ///   `wildcards` refuses.
    pub fn check(&self, wildcards: Wildcards) -> Result<(), InvalidResource> {
        let region = Region::new(self.region.as_str())?;
        if self.partition != region.partition() {
            return Err(InvalidResource::new(format!(
                "partition: {} does not match region {region}; accepted: {}",
                quoted(&self.partition),
                region.partition()
            )));
        }
        check_account_id(&self.account_id)?;
        check_resource_id(self.service, &self.resource_id, wildcards)?;
        match wildcards {
            Wildcards::Allowed => Ok(check_username(&self.username)?),
            Wildcards::Refused => check_one_username(&self.username),
        }
    }
}

/// Checks the name of one database user, for which a policy can be written or checked.
pub(crate) fn check_one_username(username: &str) -> Result<(), InvalidResource> {
    check_username(username)?;
    match username.contains(['*', '?']) {
        true => Err(InvalidResource::username(
            username,
            "contains * or ?, which are wildcards in a policy",
        )),
        false => Ok(()),
    }
}

/// Checks the ARN of an IAM role or user, `arn:PARTITION:iam::ACCOUNT:role/NAME`. It may be quoted
/// in SQL: it contains no quote.
pub(crate) fn check_iam_arn(arn: &str) -> Result<(), InvalidResource> {
    let in_name = |b: u8| b.is_ascii_alphanumeric() || b"+=,.@_-/".contains(&b);
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    let is_valid = match parts[..] {
        ["arn", partition, "iam", "", account_id, name] => {
            let named = |kind| name.strip_prefix(kind).is_some_and(|name| !name.is_empty());
            partition.starts_with("aws")
                && partition.bytes().all(in_name)
                && is_account_id(account_id)
                && (named("role/") || named("user/"))
                && name.bytes().all(in_name)
        }
        _ => false,
    };
    if is_valid {
        return Ok(());
    }
    Err(InvalidResource::new(format!(
        "iam arn: {} is not the ARN of an IAM role or user; accepted: \
         arn:aws:iam::ACCOUNT:role/NAME or arn:aws:iam::ACCOUNT:user/NAME",
        quoted(arn)
    )))
}

/// Returns whether a text is the ARN of an IAM role or user, such as
/// `arn:aws:iam::123456789012:role/app`.
pub fn is_iam_arn(text: &str) -> bool {
    check_iam_arn(text).is_ok()
}

/// Returns whether a text has the form of an AWS account ID: 12 digits.
pub fn is_account_id(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit())
}

/// Returns whether a text has the form of a resource ID: `db-`, `cluster-` or `prx-`, followed by
/// letters and digits.
pub fn is_resource_id(text: &str) -> bool {
    ID_PREFIXES.iter().any(|(prefix, _)| {
        let rest = text.strip_prefix(prefix);
        rest.is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_alphanumeric()))
    })
}

fn check_account_id(account_id: &str) -> Result<(), InvalidResource> {
    if is_account_id(account_id) {
        return Ok(());
    }
    Err(InvalidResource::new(format!(
        "account: {} is not an AWS account ID; accepted: 12 digits, as shown by \
         `aws sts get-caller-identity`",
        quoted(account_id)
    )))
}

fn check_resource_id(
    service: Service,
    id: &str,
    wildcards: Wildcards,
) -> Result<(), InvalidResource> {
    let is_rds = service.names_login();
    let has_wildcards = id.contains(['*', '?']);
    let is_id = match has_wildcards {
        true if wildcards == Wildcards::Refused => false,
        true if is_rds => may_be_an_id(id),
        true => id
            .bytes()
            .all(|b| in_cluster_id(b) || matches!(b, b'*' | b'?')),
        false if is_rds => is_resource_id(id),
        false => id.len() == CLUSTER_ID_LENGTH && id.bytes().all(in_cluster_id),
    };
    if is_id {
        return Ok(());
    }
    let with = match wildcards {
        Wildcards::Allowed => ", and the wildcards * and ?",
        Wildcards::Refused => "",
    };
    let accepted = match is_rds {
        true => format!(
            "db-, cluster- or prx- followed by letters and digits{with}. It is not the database's \
             name: `aws rds describe-db-instances` shows it as DbiResourceId, `aws rds \
             describe-db-clusters` as DbClusterResourceId, and the ARN of a proxy ends with it"
        ),
        false => format!(
            "the ID of a DSQL cluster, {CLUSTER_ID_LENGTH} lower-case letters and digits{with}, \
             with which its host name starts"
        ),
    };
    Err(InvalidResource::new(format!(
        "resource id: {} is not a resource ID; accepted: {accepted}",
        quoted(id)
    )))
}

/// The length of a DSQL cluster's ID.
///
/// Source: <https://docs.aws.amazon.com/aurora-dsql/latest/APIReference/API_GetCluster.html>
const CLUSTER_ID_LENGTH: usize = 26;

fn in_cluster_id(b: u8) -> bool {
    b.is_ascii_lowercase() || b.is_ascii_digit()
}

/// Returns whether a pattern can match a resource ID, judged by its characters and its prefix.
fn may_be_an_id(pattern: &str) -> bool {
    let start = pattern.split(['*', '?']).next().unwrap_or_default();
    let accepted = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'*' | b'?');
    pattern.bytes().all(accepted)
        && ID_PREFIXES
            .iter()
            .any(|(prefix, _)| start.starts_with(prefix) || prefix.starts_with(start))
}

impl InvalidResource {
    /// Returns the error code of an invalid region or user name. The other parts have none.
    pub fn code(&self) -> Option<ErrorCode> {
        self.code
    }

    fn new(message: impl Into<String>) -> Self {
        Self {
            code: None,
            message: message.into(),
        }
    }

    pub(crate) fn username(username: &str, problem: &str) -> Self {
        Self {
            code: Some(ErrorCode::InvalidUsername),
            message: format!(
                "username: {} {problem}; accepted: the name of one database user",
                quoted(username)
            ),
        }
    }
}

impl From<Error> for InvalidResource {
    fn from(error: Error) -> Self {
        Self {
            code: Some(error.code()),
            message: error.message().to_owned(),
        }
    }
}
