//! The trust bundle: the certificate authorities of RDS for each region, and Amazon's public ones,
//! which sign the certificates of RDS Proxy.
//!
//! `ca-bundle/renew.mjs` renews the file. A certificate's subject says which region it belongs to;
//! there is no list to maintain.

mod file;
mod roots;

pub(crate) use file::BundleFile;
pub(crate) use roots::Roots;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use x509_parser::prelude::{FromDer, X509Certificate};

/// The bundle as PEM. It contains only certificates.
pub(crate) const PEM: &str = include_str!("../../../ca-bundle/rds.pem");

const END: &str = "-----END CERTIFICATE-----\n";

/// A certificate authority of the bundle.
pub(crate) struct Authority<'a> {
    pub(crate) pem: &'a str,
    /// Its common name.
    pub(crate) subject: String,
    pub(crate) region: Option<String>,
    /// Seconds since 1970.
    pub(crate) not_before: i64,
    pub(crate) not_after: i64,
}

impl Authority<'_> {
    fn read(pem: &str) -> Option<Authority<'_>> {
        let der = CertificateDer::from_pem_slice(pem.as_bytes()).ok()?;
        let (_, certificate) = X509Certificate::from_der(&der).ok()?;
        let subject = common_name(certificate.subject())?;
        let region = region_in(&subject).map(str::to_owned);
        let validity = certificate.validity();
        Some(Authority {
            pem,
            subject,
            region,
            not_before: validity.not_before.timestamp(),
            not_after: validity.not_after.timestamp(),
        })
    }

    /// Whether certificates in this region may come from this authority. Amazon's public
    /// authorities serve every region; those of RDS's beta and preview environments serve no region
    /// that users can choose.
    pub(crate) fn serves(&self, region: &str) -> bool {
        match &self.region {
            Some(own) => own == region,
            None => !self.subject.starts_with(OF_RDS),
        }
    }
}

const OF_RDS: &str = "Amazon RDS ";

/// Returns `eu-central-1` for `Amazon RDS eu-central-1 Root CA RSA2048 G1`.
fn region_in(subject: &str) -> Option<&str> {
    let (region, _) = subject.strip_prefix(OF_RDS)?.split_once(" Root CA ")?;
    (!region.contains(' ')).then_some(region)
}

pub(crate) fn common_name(name: &x509_parser::x509::X509Name<'_>) -> Option<String> {
    let first = name.iter_common_name().next()?;
    first.as_str().ok().map(str::to_owned)
}

/// Returns all authorities in the order of the bundle.
pub(crate) fn authorities() -> impl Iterator<Item = Authority<'static>> {
    PEM.split_inclusive(END).filter_map(Authority::read)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_certificate_of_the_bundle_is_read() {
        let written = PEM.matches("-----BEGIN CERTIFICATE-----\n").count();
        assert_eq!(authorities().count(), written);
        assert!(written >= 80, "the bundle has only {written} certificates");
        let pems: String = authorities().map(|authority| authority.pem).collect();
        assert_eq!(pems, PEM, "the file contains something else");
    }

    #[test]
    fn all_are_distinct_authorities() {
        let mut seen = HashSet::new();
        for authority in authorities() {
            let der = CertificateDer::from_pem_slice(authority.pem.as_bytes()).unwrap();
            let (rest, certificate) = X509Certificate::from_der(&der).unwrap();
            assert!(rest.is_empty(), "{}", authority.subject);
            assert!(certificate.is_ca(), "{}", authority.subject);
            assert_eq!(certificate.subject(), certificate.issuer());
            assert!(seen.insert(der.to_vec()), "{}", authority.subject);
        }
    }

    /// Does not read the clock: a test must not start to fail when a certificate expires.
    #[test]
    fn all_are_valid_on_one_day() {
        let newest = authorities().map(|authority| authority.not_before).max();
        for authority in authorities() {
            let subject = &authority.subject;
            assert!(authority.not_after > newest.unwrap(), "{subject}");
        }
    }

    /// renew.mjs sorts the file; another order means that it was edited by hand.
    #[test]
    fn authorities_are_in_the_order_of_renew_mjs() {
        let names: Vec<String> = authorities().map(|authority| authority.subject).collect();
        let public = names.iter().take_while(|name| !name.starts_with(OF_RDS));
        let public = public.count() + 1; // Starfield's is the last
        assert_eq!(public, 5, "RDS Proxy's authorities");
        let of_rds = &names[public - 1..names.len() - 1];
        assert!(of_rds.is_sorted(), "{of_rds:?}");
    }

    #[test]
    fn rustls_accepts_every_authority() {
        let mut roots = rustls::RootCertStore::empty();
        for authority in authorities() {
            let der = CertificateDer::from_pem_slice(authority.pem.as_bytes()).unwrap();
            roots.add(der).unwrap();
        }
        assert_eq!(roots.len(), authorities().count());
    }

    #[test]
    fn the_region_comes_from_the_subject() {
        for (subject, region) in [
            (
                "Amazon RDS eu-central-1 Root CA RSA2048 G1",
                Some("eu-central-1"),
            ),
            (
                "Amazon RDS us-gov-west-1 Root CA ECC384 G2",
                Some("us-gov-west-1"),
            ),
            ("Amazon RDS Beta us-east-1 Root CA ECC384 G1", None),
            ("Amazon Root CA 1", None),
            ("Starfield Services Root Certificate Authority - G2", None),
        ] {
            assert_eq!(region_in(subject), region, "{subject}");
        }
    }

    #[test]
    fn a_region_gets_its_own_and_the_public_authorities() {
        let names: Vec<String> = authorities()
            .filter(|authority| authority.serves("us-east-1"))
            .map(|authority| authority.subject)
            .collect();
        assert_eq!(names.len(), 3 + 5, "{names:?}");
        assert!(!names.iter().any(|name| name.contains("Beta")), "{names:?}");
    }
}
