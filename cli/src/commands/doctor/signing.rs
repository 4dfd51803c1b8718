//! The steps credentials, region and token. Once the credentials are found, signing needs no
//! network.

use std::time::SystemTime;

use rdsign::inspect::{Expected, FindingId, examine};
use rdsign::names::shown_access_key_id;
use rdsign::timestamp::format_rfc3339;
use rdsign::{Credentials, RegionSource, Signer, Token};

use super::credentials::{credentials, no_credentials};
use super::entry::{Entry, Step};
use super::examination::Examination;
use super::report::Report;
use crate::args::variable;

/// The signer, and the key that it signs with.
pub(crate) struct Signing {
    pub(super) signer: Signer,
    pub(super) credentials: Credentials,
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
        let (steps, found) = match source.walk_credentials() {
            Ok(walk) => (walk.steps, walk.outcome),
            Err(error) => (Vec::new(), Err(error)),
        };
        report.add(match &found {
            Ok(found) => credentials(found),
            Err(error) => no_credentials(error, &steps),
        });
        report.add(match &self.region {
            Ok((region, source)) => {
                Entry::fine(Step::Region, format!("{region}, {}", origin(*source)))
            }
            Err(error) => Entry::of_error(Step::Region, error).next(
                "Use the database's region: the part before rds.amazonaws.com or on.aws in its \
                 endpoint. The endpoint of a Global Database has no region: use the writer's.",
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
            .service(self.service.as_str())
            .credentials(found.credentials.clone())
            .build();
        signer.ok().map(|signer| Signing {
            signer,
            credentials: found.credentials,
            access_key_id,
            is_temporary,
        })
    }

    pub(super) fn token(&self, token: &Token, signing: &Signing) -> Entry {
        let end = format_rfc3339(token.expires_at());
        let says = format!(
            "signed for {} as {}, expires at {end}",
            self.endpoint, self.username
        );
        self.with_pgpassword(Entry::fine(Step::Token, says), signing)
    }

    /// Adds what inspect finds in the token. A token that logs in needs none of it: an unusual port,
    /// for example, was then the right one.
    pub(super) fn inspected(&self, mut entry: Entry, token: &Token) -> Entry {
        let port = self.endpoint.port();
        // A token for the port that it is sent to, at another address, may be for a tunnel's port.
        // `rdsign local` always listens on such a port.
        let may_be_a_tunnel_s =
            self.hostaddr.is_some() && self.port == port && variable("RDSIGN_LOCAL_LOG").is_none();
        let expected = Expected {
            port: (!may_be_a_tunnel_s).then_some(port),
            ..Expected::default()
        };
        let report = examine(token.value(), SystemTime::now(), &expected);
        for finding in report.findings() {
            let next = match finding.id() {
                // Other steps report these.
                FindingId::LoopbackHost
                | FindingId::NotAnRdsHost
                | FindingId::OddAccessKeyId
                | FindingId::WrongSessionToken => continue,
                FindingId::UnusualPort => format!(
                    "{} Pass the database's own port as --port, and a tunnel's as --hostport.",
                    finding.problem()
                ),
                _ => format!("{} {}", finding.problem(), finding.advice()),
            };
            entry = entry.warn(finding.id().as_str(), "", &next);
        }
        entry
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
