//! Explains why a certificate is not trusted, and what to do. rustls decides; this module reads the
//! certificate for names and dates that help the user.

use std::time::SystemTime;

use rdsign::names::Endpoint;
use rdsign::timestamp::{format_rfc3339, format_unix_seconds};
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::{CertificateError, Error};
use x509_parser::prelude::{ASN1Time, FromDer, GeneralName, X509Certificate};

use super::super::entry::{Entry, Step};
use super::super::finding::Finding;
use super::witness::Seen;
use crate::ca_bundle::common_name;

/// Returns the entry for a chain that rustls rejected with `reason`. `are_chosen` says whether the user
/// chose the authorities.
pub(super) fn distrusted(
    reason: &Error,
    seen: &Seen,
    endpoint: &Endpoint,
    roots_name: &str,
    are_chosen: bool,
) -> Entry {
    let leaf = seen.chain.first().and_then(|der| Shown::read(der));
    let last = seen.chain.last().and_then(|der| Shown::read(der));
    let failed = |finding, says| Entry::failed(Step::Tls, finding, says);
    if let Some(authority) = seen.outdated.as_ref().and_then(|der| Shown::read(der)) {
        return outdated(&authority, roots_name);
    }
    let Error::InvalidCertificate(reason) = reason else {
        return failed(
            Finding::BadCertificate,
            format!("the certificate is rejected: {reason}"),
        );
    };
    match reason {
        CertificateError::UnknownIssuer => {
            let issuer = last.map_or_else(String::new, |last| last.issuer);
            let says =
                format!("the certificate is signed by {issuer:?}, which is not among {roots_name}");
            failed(Finding::UnknownIssuer, says)
                .next(match are_chosen {
                    true => {
                        "If the issuer is Amazon, omit --sslrootcert and unset PGSSLROOTCERT: then \
                         doctor trusts the authorities of RDS."
                    }
                    false => {
                        "If the issuer is Amazon, it is newer than this rdsign: pass AWS's own \
                         global-bundle.pem as --sslrootcert."
                    }
                })
                .next(
                    "If not, something else answers: a proxy of your network, another server, or \
                     `rdsign local`, which prints the PGSSLROOTCERT to set.",
                )
        }
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            let end = match reason {
                CertificateError::ExpiredContext { not_after, .. } => shown(*not_after),
                _ => leaf.map_or_else(String::new, |leaf| leaf.not_after),
            };
            let says = format!("the certificate expired at {end}; it is {} here", now());
            failed(Finding::CertificateExpired, says).next(
                "If this clock is right, give the database a new certificate: `aws rds \
                 modify-db-instance --ca-certificate-identifier rds-ca-rsa2048-g1`.",
            )
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            let says = format!("the certificate is not valid yet; it is {} here", now());
            failed(Finding::CertificateNotYetValid, says).next("Set this machine's clock.")
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            let names = leaf.map(|leaf| leaf.names.join(", ")).unwrap_or_default();
            let says = format!(
                "the certificate is not for {}, but for: {names}",
                endpoint.hostname()
            );
            failed(Finding::WrongName, says).next(match endpoint.service().is_some() {
                true => {
                    "Another server answers: check where the tunnel, --hostaddr or the name leads. A \
                     server of RDS or DSQL has the names of its own endpoints in its certificate."
                }
                false => {
                    "Pass the endpoint's own name as --hostname, and the address to dial as \
                     --hostaddr: the token must be signed for the endpoint's name, too."
                }
            })
        }
        other => failed(
            Finding::BadCertificate,
            format!("the certificate is rejected: {other}"),
        )
        .next("The server is not RDS or DSQL, or something in between breaks TLS."),
    }
}

/// Returns the entry for a chain that leads to an authority that has expired or is not valid yet.
fn outdated(authority: &Shown, roots_name: &str) -> Entry {
    let name = &authority.issuer;
    let (finding, is) = match authority.is_yet_to_come {
        true => (
            Finding::CertificateNotYetValid,
            format!("is not valid before {}", authority.not_before),
        ),
        false => (
            Finding::CertificateExpired,
            format!("expired at {}", authority.not_after),
        ),
    };
    let says = format!(
        "the certificate is signed by {name:?}, whose own certificate, among {roots_name}, {is}; \
         it is {} here",
        now()
    );
    Entry::failed(Step::Tls, finding, says).next(
        "If this clock is right, get the newer certificate of this authority. For RDS, omit \
         --sslrootcert and unset PGSSLROOTCERT.",
    )
}

fn now() -> String {
    format_rfc3339(SystemTime::now())
}

fn shown(time: UnixTime) -> String {
    format_unix_seconds(i64::try_from(time.as_secs()).unwrap_or(i64::MAX))
}

/// The parts of a certificate that the report shows.
pub(super) struct Shown {
    pub(super) issuer: String,
    pub(super) not_after: String,
    not_before: String,
    is_yet_to_come: bool,
    names: Vec<String>,
}

impl Shown {
    pub(super) fn read(der: &CertificateDer<'_>) -> Option<Self> {
        let (_, certificate) = X509Certificate::from_der(der).ok()?;
        let issuer = certificate.issuer();
        let alternatives = certificate.subject_alternative_name().ok().flatten();
        let names = alternatives.map_or_else(Vec::new, |extension| {
            let names = extension.value.general_names.iter();
            names.filter_map(name).collect()
        });
        Some(Self {
            issuer: common_name(issuer).unwrap_or_else(|| issuer.to_string()),
            not_after: format_unix_seconds(certificate.validity().not_after.timestamp()),
            not_before: format_unix_seconds(certificate.validity().not_before.timestamp()),
            is_yet_to_come: certificate.validity().not_before > ASN1Time::now(),
            names,
        })
    }
}

fn name(name: &GeneralName<'_>) -> Option<String> {
    match name {
        GeneralName::DNSName(name) => Some((*name).to_owned()),
        GeneralName::IPAddress([a, b, c, d]) => Some(format!("{a}.{b}.{c}.{d}")),
        _ => None,
    }
}
