//! Chooses the certificate authorities to trust: those of a file, of the system or of RDS.
//! Certificates that rustls cannot parse are skipped. If none is left, the TLS step fails.

use std::path::PathBuf;

use rdsign::names::Endpoint;
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use super::super::entry::{Entry, Step};
use super::super::finding::Finding;
use crate::ca_bundle::PEM;
use crate::failure::without_tokens;

/// The authorities to trust.
pub(crate) struct Roots {
    pub(super) store: RootCertStore,
    /// Their name in a sentence.
    pub(super) name: String,
}

impl Roots {
    /// Trusts the authorities in `file`; `system` means those of the system, as in libpq. Without a
    /// file, trusts those of RDS, and for a proxy also those of the system.
    pub(crate) fn choose(file: Option<PathBuf>, endpoint: &Endpoint) -> Result<Self, Entry> {
        let mut store = RootCertStore::empty();
        let name = match &file {
            Some(path) if path.as_os_str() == "system" => {
                store.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
                "the authorities of this system".to_owned()
            }
            Some(path) => {
                let shown = without_tokens(&path.to_string_lossy());
                let certificates = CertificateDer::pem_file_iter(path)
                    .and_then(|certificates| certificates.collect::<Result<Vec<_>, _>>())
                    .map_err(|error| unusable(format!("{shown} cannot be read: {error}")))?;
                store.add_parsable_certificates(certificates);
                format!("the authorities in {shown}")
            }
            None => {
                let bundle = CertificateDer::pem_slice_iter(PEM.as_bytes());
                store.add_parsable_certificates(bundle.flatten());
                match endpoint.is_proxy() {
                    true => {
                        let system = rustls_native_certs::load_native_certs().certs;
                        store.add_parsable_certificates(system);
                        "the authorities of this system and of Amazon".to_owned()
                    }
                    false => "the authorities of RDS".to_owned(),
                }
            }
        };
        match store.is_empty() {
            true => Err(unusable(format!("{name}: no certificate found"))),
            false => Ok(Self { store, name }),
        }
    }
}

fn unusable(says: String) -> Entry {
    Entry::failed(Step::Tls, Finding::NoAuthorities, says).next(
        "Omit --sslrootcert and unset PGSSLROOTCERT to trust those of RDS, or name a PEM file.",
    )
}
