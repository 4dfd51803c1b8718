//! Wraps the verifier of rustls to record what the report needs: the server's certificate chain,
//! and why it was not trusted. The decision is always that of rustls, with the authorities that are
//! valid now.

use std::sync::{Arc, Mutex, MutexGuard};

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{VerifierBuilderError, WebPkiServerVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};

use crate::ca_bundle::Roots;

/// A verifier that remembers its last decision.
#[derive(Debug)]
pub(super) struct Witness {
    /// `None` if no authority is valid now.
    verifier: Option<Arc<WebPkiServerVerifier>>,
    outdated: Vec<CertificateDer<'static>>,
    provider: Arc<CryptoProvider>,
    seen: Mutex<Seen>,
}

#[derive(Debug, Default)]
pub(super) struct Seen {
    pub(super) chain: Vec<CertificateDer<'static>>,
    pub(super) error: Option<Error>,
    /// The authority that the chain leads to, if it has expired or is not valid yet.
    pub(super) outdated: Option<CertificateDer<'static>>,
}

impl Witness {
    pub(super) fn new(
        roots: Roots,
        provider: Arc<CryptoProvider>,
    ) -> Result<Self, VerifierBuilderError> {
        let verifier = match roots.store.is_empty() {
            true => None,
            false => Some(verifier(roots.store, &provider)?),
        };
        Ok(Self {
            verifier,
            outdated: roots.outdated,
            provider,
            seen: Mutex::default(),
        })
    }

    pub(super) fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(|e| e.into_inner())
    }

    /// Returns the outdated authority that `trusts` accepts.
    fn outdated(
        &self,
        trusts: impl Fn(&WebPkiServerVerifier) -> bool,
    ) -> Option<CertificateDer<'static>> {
        let leads_to = |der: &&CertificateDer<'static>| {
            let mut store = RootCertStore::empty();
            store.add((**der).clone()).is_ok()
                && verifier(store, &self.provider).is_ok_and(|verifier| trusts(&verifier))
        };
        self.outdated.iter().find(leads_to).cloned()
    }
}

fn verifier(
    roots: RootCertStore,
    provider: &Arc<CryptoProvider>,
) -> Result<Arc<WebPkiServerVerifier>, VerifierBuilderError> {
    WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider.clone()).build()
}

impl ServerCertVerifier for Witness {
    fn verify_server_cert(
        &self,
        leaf: &CertificateDer<'_>,
        others: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let verify = |verifier: &WebPkiServerVerifier| {
            verifier.verify_server_cert(leaf, others, name, ocsp, now)
        };
        let unknown = Error::InvalidCertificate(CertificateError::UnknownIssuer);
        let verified = match self.verifier.as_deref() {
            Some(verifier) => verify(verifier),
            None => Err(unknown.clone()),
        };
        let outdated = match verified.as_ref().err() == Some(&unknown) {
            true => self.outdated(|verifier| verify(verifier).is_ok()),
            false => None,
        };
        let chain = std::iter::once(leaf).chain(others);
        *self.seen() = Seen {
            chain: chain.map(|der| der.clone().into_owned()).collect(),
            error: verified.as_ref().err().cloned(),
            outdated,
        };
        verified
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider
            .signature_verification_algorithms
            .supported_schemes()
    }
}
