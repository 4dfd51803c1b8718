//! Loads the certificate authorities that a connection trusts: the system's and a CA bundle's.
//!
//! AWS_CA_BUNDLE or the profile's `ca_bundle` names the bundle, for networks whose proxy issues its
//! own certificates. Unreadable certificates in it are ignored, as by OpenSSL. A bundle without a
//! readable certificate is an error.

use aws_smithy_http_client::tls::{TlsContext, TrustStore};
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use super::failure::Told;
use crate::credentials::files::{LARGE, read_regular};
use crate::message::quoted;
use crate::system::paths::expand_home;

const END: &str = "-----END CERTIFICATE-----";

/// A bundle's path, and the variable or setting that names it.
#[derive(Debug)]
pub(super) struct CaBundle {
    pub(super) named_by: &'static str,
    pub(super) path: String,
}

/// Returns the TLS context, which trusts the system's roots and the bundle.
pub(super) fn context(bundle: Option<&CaBundle>) -> Result<TlsContext, Told> {
    let mut roots = TrustStore::default();
    if let Some(CaBundle { named_by, path }) = bundle {
        let refuse = |problem: String| Told(format!("{named_by}: {}: {problem}", quoted(path)));
        let text = read_regular(&expand_home(path), LARGE);
        let text = text.map_err(|error| refuse(error.to_string()))?;
        let certificates = certificates(&String::from_utf8_lossy(&text));
        if certificates.is_empty() {
            let problem = "no readable certificate; accepted: a file of PEM certificates";
            return Err(refuse(problem.to_owned()));
        }
        for certificate in certificates {
            roots.add_pem_certificate(certificate);
        }
    }
    let context = TlsContext::builder().with_trust_store(roots).build();
    context.map_err(|error| Told(format!("cannot set up TLS: {error}")))
}

/// Returns the readable certificates of a bundle. The HTTP client panics on others.
fn certificates(text: &str) -> Vec<String> {
    let is_readable = |pem: &String| {
        CertificateDer::from_pem_slice(pem.as_bytes())
            .is_ok_and(|certificate| RootCertStore::empty().add(certificate).is_ok())
    };
    let blocks = text
        .split_inclusive(END)
        .filter(|block| block.ends_with(END));
    blocks
        .map(|block| format!("{block}\n"))
        .filter(is_readable)
        .collect()
}
