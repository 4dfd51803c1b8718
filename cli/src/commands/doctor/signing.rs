//! The steps that end with a token: credentials, region, and the signature, which needs no network
//! once the credentials are found.

use std::time::SystemTime;

use rdsign::timestamp::format_rfc3339;
use rdsign::{RegionSource, Signer, Token, inspect};

use super::credentials::credentials;
use super::entry::{Entry, Step};
use super::examination::Examination;
use super::report::Report;
use crate::args::variable;

/// The signer, and whose key it has.
pub(crate) struct Signing {
    pub(super) signer: Signer,
    pub(super) access_key_id: String,
    pub(super) is_temporary: bool,
}

impl Examination {
    /// Credentials and region: all that a token needs.
    pub(crate) fn signer(&self, report: &mut Report) -> Option<Signing> {
        let mut source = self.source.clone();
        if let Ok((region, _)) = &self.region {
            source = source.region(region.as_str());
        }
        // Search once: the signer gets what is found here, and does not search again.
        let found = source.find_credentials();
        report.add(match &found {
            Ok(found) => credentials(found),
            Err(error) => Entry::of_error(Step::Credentials, error)
                .next("`rdsign credentials` says what each source had."),
        });
        report.add(match &self.region {
            Ok((region, source)) => {
                Entry::fine(Step::Region, format!("{region}, {}", spoken(*source)))
            }
            Err(error) => Entry::of_error(Step::Region, error).next(
                "The region is the database's own: the part before rds.amazonaws.com in its \
                 endpoint. A Global Database's endpoint has none: there it is the writer's.",
            ),
        });
        let (Ok(found), Ok((region, _))) = (found, &self.region) else {
            return None;
        };
        let access_key_id = found.access_key_id().to_owned();
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
            "signed for {} as {}, until {end}",
            self.endpoint, self.username
        );
        // A token from an earlier attempt is often still in this variable.
        let old = variable("PGPASSWORD").and_then(|text| inspect::parse(&text).ok());
        match old.map(|old| old.expires_at()) {
            Some(end) if end <= SystemTime::now() => {
                let end = format_rfc3339(end);
                let says = format!("{says}; the one in PGPASSWORD expired at {end}");
                Entry::warning(Step::Token, "old-token", says)
                    .next("Make a new token for each connection, as `rdsign exec` does.")
            }
            _ => Entry::fine(Step::Token, says),
        }
    }
}

fn spoken(source: RegionSource) -> String {
    match source {
        RegionSource::Given => "from --region".to_owned(),
        RegionSource::Hostname => "in the host name".to_owned(),
        RegionSource::Environment(variable) => format!("from {variable}"),
        _ => "from the profile".to_owned(),
    }
}
