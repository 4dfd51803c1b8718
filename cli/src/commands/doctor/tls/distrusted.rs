//! Explains why a certificate is not trusted, and what to do. rustls decides; this module reads the
//! certificate for names and dates that help the user.

use std::time::SystemTime;

use rdsign::names::Endpoint;
use rdsign::timestamp::{format_rfc3339, format_unix_seconds};
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::{CertificateError, Error};
use x509_parser::prelude::{FromDer, GeneralName, X509Certificate};

use super::super::entry::{Entry, Step};
use super::super::finding::Finding;
use crate::ca_bundle::common_name;

/// Returns the entry for a chain that rustls rejected with `reason`.
pub(super) fn distrusted(
    reason: &Error,
    chain: &[CertificateDer<'_>],
    endpoint: &Endpoint,
    roots_name: &str,
) -> Entry {
    let leaf = chain.first().and_then(|der| Shown::read(der));
    let last = chain.last().and_then(|der| Shown::read(der));
    let failed = |finding, says| Entry::failed(Step::Tls, finding, says);
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
            failed(Finding::UnknownIssuer, says).next(
                "For an RDS endpoint omit --sslrootcert and unset PGSSLROOTCERT, or name a file \
                 that `rdsign ca-bundle` printed. If the issuer is not Amazon, something else \
                 answers: a proxy of your network, or another server.",
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
            failed(Finding::WrongName, says).next(
                "Pass the endpoint's own name as --hostname, and the address to dial as \
                 --hostaddr: the token must be signed for the endpoint's name, too.",
            )
        }
        other => failed(
            Finding::BadCertificate,
            format!("the certificate is rejected: {other}"),
        )
        .next("The server is not RDS, or something in between breaks TLS."),
    }
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
