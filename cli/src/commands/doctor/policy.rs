//! The last step: prints the ARN that IAM must allow. It checks nothing, because a database login
//! cannot read IAM policies.

use rdsign::policy::ConnectResource;

use super::entry::{Entry, Step};
use super::examination::Examination;

impl Examination {
    /// The account and resource id are placeholders: a client cannot find them out.
    pub(crate) fn policy(&self) -> Entry {
        let Ok((region, _)) = &self.region else {
            return Entry::skipped(Step::Policy, "needs a region");
        };
        let wanted = ConnectResource {
            service: self.service,
            partition: region.partition().to_owned(),
            region: region.to_string(),
            account_id: "ACCOUNT".to_owned(),
            resource_id: "RESOURCE_ID".to_owned(),
            username: self.username.clone(),
        };
        let resource = if self.endpoint.is_proxy() {
            "the proxy's prx-…"
        } else if self.endpoint.is_cluster() {
            "the cluster's cluster-…"
        } else {
            "the instance's db-…, or for Aurora the cluster's cluster-…"
        };
        let says = format!("IAM must allow {} on", wanted.action());
        Entry::fine(Step::Policy, says)
            .copy(wanted.arn())
            .next(format!(
                "Replace ACCOUNT with the database's account, and RESOURCE_ID with {resource} (not \
                 its name)."
            ))
    }
}
