//! The last step: prints the ARN that IAM must allow. It checks nothing, because a database login
//! cannot read IAM policies.

use rdsign::names::Region;
use rdsign::policy::{ConnectResource, Wildcards, quoted_identifier};

use super::entry::{Entry, Step};
use super::examination::Examination;

impl Examination {
    /// The account and resource id are placeholders: a client cannot find them out. But the name of a
    /// DSQL endpoint starts with the cluster's id.
    pub(crate) fn policy(&self) -> Entry {
        let Ok((region, _)) = &self.region else {
            return Entry::skipped(Step::Policy, "needs a region");
        };
        let wanted = self.wanted(region);
        let resource = if wanted.resource_id != RESOURCE_ID {
            ""
        } else if self.service.login_role().is_none() {
            ", and RESOURCE_ID with the cluster's id"
        } else if self.endpoint.is_proxy() {
            ", and RESOURCE_ID with the proxy's prx-… (not its name)"
        } else if self.endpoint.is_cluster() {
            ", and RESOURCE_ID with the cluster's cluster-… (not its name)"
        } else {
            ", and RESOURCE_ID with the instance's db-…, or for Aurora the cluster's cluster-… (not \
             its name)"
        };
        let entry = Entry::fine(
            Step::Policy,
            format!("IAM must allow {} on", wanted.action()),
        )
        .copy(wanted.arn())
        .next(format!(
            "Replace ACCOUNT with the database's account{resource}."
        ));
        match self.grant() {
            Some(advice) => entry.next(advice),
            None => entry,
        }
    }

    pub(super) fn wanted(&self, region: &Region) -> ConnectResource {
        let mut wanted = ConnectResource {
            service: self.service,
            partition: region.partition().to_owned(),
            region: region.to_string(),
            account_id: "000000000000".to_owned(),
            resource_id: self.endpoint.cluster_id().unwrap_or_default(),
            username: self.username.clone(),
        };
        if wanted.check(Wildcards::Refused).is_err() {
            RESOURCE_ID.clone_into(&mut wanted.resource_id);
        }
        "ACCOUNT".clone_into(&mut wanted.account_id);
        wanted
    }

    /// Returns what a role of DSQL needs besides the policy.
    pub(super) fn grant(&self) -> Option<String> {
        self.service.needs_grant(&self.username).then(|| {
            format!(
                "The role must be granted to the owner's ARN. As admin: AWS IAM GRANT {} TO 'ARN';",
                quoted_identifier(&self.username)
            )
        })
    }
}

const RESOURCE_ID: &str = "RESOURCE_ID";
