//! Chooses the certificate authorities to trust: those of a file, of the system or of RDS.
//! Certificates that rustls cannot parse are skipped. If none is left, nothing can be trusted.
//!
//! libpq rejects an authority that has expired, and rustls ignores its dates. So such authorities
//! are kept apart: they are not trusted, but doctor's report names them.

use std::path::PathBuf;

use rdsign::Service;
use rdsign::names::Endpoint;
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use x509_parser::prelude::{FromDer, X509Certificate};

use super::PEM;
use crate::failure::without_secrets;

/// The authorities to trust.
pub(crate) struct Roots {
    pub(crate) store: RootCertStore,
    /// The authorities that have expired or are not valid yet.
    pub(crate) outdated: Vec<CertificateDer<'static>>,
    /// Whether the user chose them.
    pub(crate) are_chosen: bool,
    /// Their name in a sentence.
    pub(crate) name: String,
}

impl Roots {
    /// Trusts the authorities in `file`; `system` means those of the system, as in libpq. Without a
    /// file, trusts those of RDS, and for a proxy or DSQL also those of the system.
    ///
    /// # Errors
    /// Why there is none, with the name of the file.
    pub(crate) fn choose(
        file: Option<PathBuf>,
        endpoint: &Endpoint,
        service: Service,
    ) -> Result<Self, String> {
        let system = || rustls_native_certs::load_native_certs().certs;
        let (certificates, name) = match &file {
            Some(path) if path.as_os_str() == "system" => {
                (system(), "the authorities of this system".to_owned())
            }
            Some(path) => {
                let shown = without_secrets(&path.to_string_lossy());
                let certificates = CertificateDer::pem_file_iter(path)
                    .and_then(|certificates| certificates.collect::<Result<Vec<_>, _>>())
                    .map_err(|error| format!("{shown} cannot be read: {error}"))?;
                (certificates, format!("the authorities in {shown}"))
            }
            None => {
                let bundle = CertificateDer::pem_slice_iter(PEM.as_bytes());
                let mut certificates: Vec<_> = bundle.flatten().collect();
                let name = match endpoint.is_proxy() || !service.has_own_authorities() {
                    true => {
                        certificates.extend(system());
                        "the authorities of this system and of Amazon"
                    }
                    false => "the authorities of RDS",
                };
                (certificates, name.to_owned())
            }
        };
        let (valid, outdated) = certificates
            .into_iter()
            .partition::<Vec<_>, _>(is_valid_now);
        let mut store = RootCertStore::empty();
        store.add_parsable_certificates(valid);
        match store.is_empty() && outdated.is_empty() {
            true => Err(format!("{name}: no certificate found")),
            false => Ok(Self {
                store,
                outdated,
                are_chosen: file.is_some(),
                name,
            }),
        }
    }
}

/// Returns `true` for a text that is not a certificate, because rustls skips it.
fn is_valid_now(der: &CertificateDer<'_>) -> bool {
    X509Certificate::from_der(der)
        .map_or(true, |(_, certificate)| certificate.validity().is_valid())
}
