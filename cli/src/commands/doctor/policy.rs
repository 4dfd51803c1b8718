//! The last step: what IAM must allow. It checks nothing, since a database login cannot read IAM's
//! policies; it gives the ARN to compare them with.

use rdsign::policy::ConnectResource;

use super::entry::{Entry, Step};
use super::examination::Examination;

impl Examination {
    /// What IAM must allow. The database does not know its account and resource id.
    pub(crate) fn policy(&self) -> Entry {
        let Ok((region, _)) = &self.region else {
            return Entry::skipped(Step::Policy, "it takes a region");
        };
        let arn = ConnectResource {
            partition: region.partition().to_owned(),
            region: region.to_string(),
            account_id: "ACCOUNT".to_owned(),
            resource_id: "RESOURCE_ID".to_owned(),
            username: self.username.clone(),
        }
        .arn();
        let resource = if self.endpoint.is_proxy() {
            "the proxy's prx-…"
        } else if self.endpoint.is_cluster() {
            "the cluster's cluster-…"
        } else {
            "the instance's db-…, or for Aurora the cluster's cluster-…"
        };
        Entry::fine(Step::Policy, "IAM must allow rds-db:connect on")
            .copy(arn)
            .next(format!(
                "ACCOUNT is the database's, RESOURCE_ID is {resource} (not its name)."
            ))
    }
}
