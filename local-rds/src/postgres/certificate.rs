//! Creates the server's certificate and the certificate authority that signs it.
//!
//! The authority's key is discarded after that one signature, so nobody can create another
//! certificate that its clients would trust. So every start creates both.

use std::net::IpAddr;
use std::time::{Duration, SystemTime};

use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa,
    Issuer, KeyPair, KeyUsagePurpose, SanType,
};
use rdsign::names::Endpoint;
use time::OffsetDateTime;

use crate::error::LocalError;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// The certificates and the server's key, each as PEM.
pub(crate) struct Certificates {
    pub(crate) authority: String,
    pub(crate) server: String,
    pub(crate) server_key: String,
}

/// Creates a certificate for `endpoints`, localhost and 127.0.0.1.
pub(crate) fn make(endpoints: &[Endpoint]) -> Result<Certificates, LocalError> {
    let authority_key = KeyPair::generate()?;
    let mut authority = named("rdsign local: certificate authority");
    authority.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    authority.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let authority_certificate = authority.self_signed(&authority_key)?;

    let server_key = KeyPair::generate()?;
    let mut server = named("rdsign local: server");
    server.subject_alt_names = names(endpoints)?;
    server.is_ca = IsCa::ExplicitNoCa;
    server.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    server.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    server.use_authority_key_identifier_extension = true;
    let issuer = Issuer::new(authority, authority_key);
    Ok(Certificates {
        authority: authority_certificate.pem(),
        server: server.signed_by(&server_key, &issuer)?.pem(),
        server_key: server_key.serialize_pem(),
    })
}

/// Valid for a year. Starts yesterday, because a client's clock may be behind.
fn named(common_name: &str) -> CertificateParams {
    let now = SystemTime::now();
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params
        .distinguished_name
        .push(DnType::CommonName, common_name);
    params.not_before = OffsetDateTime::from(now - DAY);
    params.not_after = OffsetDateTime::from(now + 366 * DAY);
    params
}

fn names(endpoints: &[Endpoint]) -> Result<Vec<SanType>, LocalError> {
    let mut hosts: Vec<String> = endpoints
        .iter()
        .map(|endpoint| endpoint.hostname().to_ascii_lowercase())
        .map(|host| {
            host.trim_end_matches('.')
                .trim_matches(['[', ']'])
                .to_owned()
        })
        .chain(["localhost".to_owned(), "127.0.0.1".to_owned()])
        .collect();
    hosts.sort_unstable();
    hosts.dedup();
    hosts
        .into_iter()
        .map(|host| match host.parse::<IpAddr>() {
            Ok(address) => Ok(SanType::IpAddress(address)),
            Err(_) => Ok(SanType::DnsName(host.try_into()?)),
        })
        .collect()
}
