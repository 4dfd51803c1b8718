//! The steps credentials, region and token. Once the credentials are found, signing needs no
//! network.

use std::time::SystemTime;

use rdsign::names::shown_access_key_id;
use rdsign::timestamp::format_rfc3339;
use rdsign::{RegionSource, Signer, Token, inspect};

use super::credentials::credentials;
use super::entry::{Entry, Step};
use super::examination::Examination;
use super::finding::Finding;
use super::report::Report;
use crate::args::variable;

/// The signer, and the key that it signs with.
pub(crate) struct Signing {
    pub(super) signer: Signer,
    pub(super) access_key_id: String,
    pub(super) is_temporary: bool,
}

impl Examination {
    /// Runs the steps credentials and region. Returns a signer if both succeed.
    pub(crate) fn signer(&self, report: &mut Report) -> Option<Signing> {
        let mut source = self.source.clone();
        if let Ok((region, _)) = &self.region {
            source = source.region(region.as_str());
        }
        // Search only once, so that the report and the token use the same credentials.
        let found = source.find_credentials();
        report.add(match &found {
            Ok(found) => credentials(found),
            Err(error) => Entry::of_error(Step::Credentials, error)
                .next("`rdsign credentials` shows why each source had none."),
        });
        report.add(match &self.region {
            Ok((region, source)) => {
                Entry::fine(Step::Region, format!("{region}, {}", origin(*source)))
            }
            Err(error) => Entry::of_error(Step::Region, error).next(
                "Use the database's region: the part before rds.amazonaws.com in its endpoint. \
                 The endpoint of a Global Database has no region: use the writer's.",
            ),
        });
        let (Ok(found), Ok((region, _))) = (found, &self.region) else {
            return None;
        };
        let access_key_id = shown_access_key_id(found.access_key_id()).to_owned();
        let is_temporary = found.credentials.session_token().is_some();
        let signer = Signer::builder()
            .hostname(self.endpoint.hostname())
            .port(self.endpoint.port())
            .username(&self.username)
            .region(region.as_str())
            .credentials(found.credentials)
            .build();
        signer.ok().map(|signer| Signing {
            signer,
            access_key_id,
            is_temporary,
        })
    }

    pub(super) fn token(&self, token: &Token) -> Entry {
        let end = format_rfc3339(token.expires_at());
        let says = format!(
            "signed for {} as {}, expires at {end}",
            self.endpoint, self.username
        );
        // A token from an earlier attempt is often still in this variable.
        let old = variable("PGPASSWORD").and_then(|text| inspect::parse(&text).ok());
        match old.map(|old| old.expires_at()) {
            Some(end) if end <= SystemTime::now() => {
                let end = format_rfc3339(end);
                let says = format!("{says}; the token in PGPASSWORD expired at {end}");
                Entry::warning(Step::Token, Finding::OldToken, says)
                    .next("Get a new token for each connection; `rdsign exec` gets one for you.")
            }
            _ => Entry::fine(Step::Token, says),
        }
    }
}

fn origin(source: RegionSource) -> String {
    match source {
        RegionSource::Given => "from --region".to_owned(),
        RegionSource::Hostname => "in the host name".to_owned(),
        RegionSource::Environment(variable) => format!("from {variable}"),
        _ => "from the profile".to_owned(),
    }
}
