//! The steps that need the network, in order. If a step fails, the steps that depend on it are
//! skipped, and their entries say why.

use std::time::Duration;

use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

use super::entry::{Entry, Step};
use super::examination::Examination;
use super::finding::Finding;
use super::local_log::LocalLog;
use super::others::with_sslmode;
use super::report::Report;
use super::signing::Signing;
use super::{database, network, tls};
use crate::ca_bundle::Roots;

impl Examination {
    /// Runs the steps from the name look-up to the queries on the open connection.
    pub(crate) async fn connect(
        &self,
        signing: Option<Signing>,
        limit: Duration,
        report: &mut Report,
    ) {
        let stream = self.reach(limit, report).await;
        let token = match &signing {
            None => Err("needs credentials and a region".to_owned()),
            Some(signing) => {
                let token = signing.signer.token();
                token.map_err(|error| {
                    report.add(Entry::of_error(Step::Token, &error));
                    "no token".to_owned()
                })
            }
        };
        if let (None, Err(why)) = (&signing, &token) {
            report.skip(&[Step::Token], why);
        }
        let after_login = [Step::Clock, Step::Member, Step::ForceSsl];
        let client = match (stream, token, signing) {
            (Some(stream), Ok(token), Some(signing)) => {
                let (username, dbname) = (&self.username, &self.dbname);
                let log = LocalLog::before_the_login();
                let entry = self.token(&token, &signing);
                match database::log_in(stream, username, token.value(), dbname, limit).await {
                    Ok(client) => {
                        report.add(entry);
                        client
                    }
                    Err(refusal) => {
                        report.add(self.inspected(entry, &token));
                        let says = log.and_then(|log| log.refusal());
                        report.add(self.refused(&refusal, &signing, says));
                        return report.skip(&after_login, "needs a connection");
                    }
                }
            }
            (stream, token, signing) => {
                if let (Ok(token), Some(signing)) = (token, signing) {
                    report.add(self.inspected(self.token(&token, &signing), &token));
                }
                let why = match stream {
                    None => "no connection",
                    Some(_) => "no token",
                };
                report.skip(&[Step::Login], why);
                return report.skip(&after_login, "needs a connection");
            }
        };
        let version = database::version(&client, limit).await.unwrap_or_default();
        report.add(Entry::fine(
            Step::Login,
            format!(
                "{} is in {}, PostgreSQL {version}",
                self.username, self.dbname
            ),
        ));
        report.add(database::clock(&client, limit).await);
        if self.service.login_role().is_none() {
            let why = format!("{} has none", self.service.title());
            return report.skip(&[Step::Member, Step::ForceSsl], &why);
        }
        report.add(database::member(&client, &self.username, limit).await);
        report.add(database::force_ssl(&client, limit).await);
    }

    async fn reach(&self, limit: Duration, report: &mut Report) -> Option<TlsStream<TcpStream>> {
        let (entry, addresses) = network::resolve(
            &self.endpoint,
            self.service,
            self.hostaddr,
            self.port,
            limit,
        )
        .await;
        if !report.add(entry) {
            report.skip(&[Step::Tcp, Step::Tls], "no address");
            return None;
        }
        let (entry, stream) = network::connect(&addresses, self.service, limit).await;
        report.add(entry);
        let Some(stream) = stream else {
            report.skip(&[Step::Tls], "no connection");
            return None;
        };
        let authorities = self.sslrootcert.clone();
        let roots = match Roots::choose(authorities, &self.endpoint, self.service) {
            Ok(roots) => roots,
            Err(says) => {
                let entry = Entry::failed(Step::Tls, Finding::NoAuthorities, says);
                report.add(entry.next(
                    "Omit --sslrootcert and unset PGSSLROOTCERT to trust those of RDS, or name a \
                     PEM file.",
                ));
                return None;
            }
        };
        let (entry, stream) = tls::connect(stream, &self.endpoint, roots, limit).await;
        report.add(match stream {
            Some(_) => with_sslmode(entry),
            None => entry,
        });
        stream
    }
}
