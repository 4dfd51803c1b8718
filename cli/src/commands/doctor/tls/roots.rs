//! The certificate authorities to trust: a file's, the system's, or RDS's own.

use std::path::PathBuf;

use rdsign::names::Endpoint;
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use super::super::entry::{Entry, Step};
use crate::ca_bundle::PEM;

/// Whom to trust.
pub(crate) struct Roots {
    pub(super) store: RootCertStore,
    /// As a sentence calls them.
    pub(super) name: String,
}

impl Roots {
    /// Those of the file (`system`: the system's own, as libpq has it), else those that the
    /// endpoint's certificate is from: RDS's own, or public ones for a proxy's.
    pub(crate) fn choose(file: Option<PathBuf>, endpoint: &Endpoint) -> Result<Self, Entry> {
        let mut store = RootCertStore::empty();
        let name = match &file {
            Some(path) if path.as_os_str() == "system" => {
                store.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
                "the authorities of this system".to_owned()
            }
            Some(path) => {
                let shown = path.display();
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
            true => Err(unusable(format!("{name}: there is no certificate"))),
            false => Ok(Self { store, name }),
        }
    }
}

fn unusable(says: String) -> Entry {
    Entry::failed(Step::Tls, "no-authorities", says)
        .next("Leave --sslrootcert and PGSSLROOTCERT out for RDS's own, or name a PEM file.")
}
