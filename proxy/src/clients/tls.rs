//! TLS to clients: the certificate, its key, and the hash of the certificate that a client's
//! password is bound to.

use std::io::ErrorKind;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::SystemTime;

use rdsign::timestamp::{format_unix_seconds, to_unix_seconds};
use ring::digest::{Algorithm, SHA256, SHA384, SHA512, digest};
use rustls::ServerConfig;
use rustls::crypto::ring as provider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::NoServerSessionStorage;
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use x509_parser::oid_registry as oid;
use x509_parser::prelude::{FromDer, X509Certificate};
use x509_parser::signature_algorithm::RsaSsaPssParams;

use super::{files, invalid};
use crate::Error;
use crate::log::{Level, Log};

/// The name of PostgreSQL's protocol in TLS, since 17.
const ALPN: &[u8] = b"postgresql";

const CHAIN: &str = "PEM with the proxy's certificate, and after it those that it comes from";

/// A certificate and its key.
pub(crate) struct Tls {
    acceptor: TlsAcceptor,
    binding: Option<Vec<u8>>,
}

impl Tls {
    /// Reads the certificate and the key.
    pub(super) fn read(paths: &[PathBuf], log: &Log) -> Result<Self, Error> {
        let [cert, key] = paths else {
            return Err(Error::Usage("tls cert: missing".to_owned()));
        };
        let pem = files::read("tls cert", cert)?;
        let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&pem).collect();
        let chain = chain.unwrap_or_default();
        let Some(own) = chain.first() else {
            return Err(Error::Usage(format!(
                "tls cert: {} has no certificate; accepted: {CHAIN}",
                cert.display()
            )));
        };
        let binding = hash_for_binding(own);
        let outdated = chain
            .iter()
            .find_map(|one| outdated(one, SystemTime::now()));
        let pem = files::read_private("tls key", key)?;
        let wrong = |problem: &str| {
            Error::Usage(format!(
                "tls key: {} {problem}; accepted: PEM with the key of {}, RSA, ECDSA P-256 or P-384, \
                 or Ed25519, without a passphrase",
                key.display(),
                cert.display()
            ))
        };
        let key = PrivateKeyDer::from_pem_slice(&pem)
            .map_err(|_| wrong("has no private key that can be read"))?;
        let mut config =
            ServerConfig::builder_with_provider(Arc::new(provider::default_provider()))
                .with_safe_default_protocol_versions()
                .map_err(|error| Error::Other(format!("TLS cannot be set up: {error}")))?
                .with_no_client_auth()
                .with_single_cert(chain, key)
                .map_err(|error| match error {
                    rustls::Error::InconsistentKeys(_) => {
                        wrong("has the key of another certificate")
                    }
                    rustls::Error::InvalidCertificate(_) => Error::Usage(format!(
                        "tls cert: {} has a certificate that cannot be used; accepted: {CHAIN}",
                        cert.display()
                    )),
                    _ => wrong("has a key that cannot be used"),
                })?;
        config.alpn_protocols = vec![ALPN.to_vec()];
        // As in PostgreSQL. Clients open connections and do not come back to their TLS sessions.
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.send_tls13_tickets = 0;
        if let Some(problem) = outdated {
            let message = format!(
                "tls cert: {} has a certificate that {problem}; clients that verify it refuse it",
                cert.display()
            );
            log.line(Level::Warning, "files", &[("message", message.into())]);
        }
        Ok(Self {
            acceptor: TlsAcceptor::from(Arc::new(config)),
            binding,
        })
    }

    /// The data of `tls-server-end-point`. `None` if no hash is defined for the certificate.
    pub(super) fn binding(&self) -> Option<&[u8]> {
        self.binding.as_deref()
    }

    /// Makes the handshake. A client that did not ask for TLS first must name the protocol, as
    /// PostgreSQL requires it: so the connection cannot be meant for a server of another protocol.
    pub(super) async fn accept(
        &self,
        stream: TcpStream,
        is_direct: bool,
    ) -> std::io::Result<TlsStream<TcpStream>> {
        let accepted = self.acceptor.accept(stream).await;
        let stream = accepted.map_err(|error| match error.kind() {
            ErrorKind::InvalidData => invalid(format!("the TLS handshake failed: {error}")),
            _ => error,
        })?;
        if is_direct && stream.get_ref().1.alpn_protocol().is_none() {
            let problem = "direct TLS without the ALPN protocol postgresql";
            return Err(invalid(problem.to_owned()));
        }
        Ok(stream)
    }
}

/// Returns why a certificate is not valid at a time, and until when it is.
fn outdated(certificate: &CertificateDer<'_>, now: SystemTime) -> Option<String> {
    let (_, parsed) = X509Certificate::from_der(certificate).ok()?;
    let now = to_unix_seconds(now);
    let validity = parsed.validity();
    let (start, end) = (
        validity.not_before.timestamp(),
        validity.not_after.timestamp(),
    );
    let shown_end = format_unix_seconds(end);
    if now > end {
        return Some(format!("expired at {shown_end}"));
    }
    let shown_start = format_unix_seconds(start);
    (now < start).then(|| format!("is not valid before {shown_start}, and expires at {shown_end}"))
}

/// Hashes a certificate as its signature does, or with SHA-256 where that would be MD5 or SHA-1.
/// No hash is defined for Ed25519. RSA-PSS names it among its parameters, where libpq before 15 does not
/// find it.
/// <https://www.rfc-editor.org/rfc/rfc5929#section-4.1>
fn hash_for_binding(certificate: &CertificateDer<'_>) -> Option<Vec<u8>> {
    let (_, parsed) = X509Certificate::from_der(certificate).ok()?;
    let signature = &parsed.signature_algorithm;
    let parameters;
    let algorithm = match signature.algorithm.clone() {
        pss if pss == oid::OID_PKCS1_RSASSAPSS => {
            parameters = RsaSsaPssParams::try_from(signature.parameters.as_ref()?).ok()?;
            // SHA-1, if it names none.
            let hash = parameters.hash_algorithm();
            hash.map_or(oid::OID_HASH_SHA1, |hash| hash.algorithm.clone())
        }
        other => other,
    };
    let known: [(&[_], &Algorithm); 3] = [
        (
            &[
                oid::OID_PKCS1_MD5WITHRSAENC,
                oid::OID_PKCS1_SHA1WITHRSA,
                oid::OID_PKCS1_SHA256WITHRSA,
                oid::OID_SIG_ECDSA_WITH_SHA256,
                oid::OID_HASH_SHA1,
                oid::OID_NIST_HASH_SHA256,
            ],
            &SHA256,
        ),
        (
            &[
                oid::OID_PKCS1_SHA384WITHRSA,
                oid::OID_SIG_ECDSA_WITH_SHA384,
                oid::OID_NIST_HASH_SHA384,
            ],
            &SHA384,
        ),
        (
            &[
                oid::OID_PKCS1_SHA512WITHRSA,
                oid::OID_SIG_ECDSA_WITH_SHA512,
                oid::OID_NIST_HASH_SHA512,
            ],
            &SHA512,
        ),
    ];
    let mut known = known.into_iter();
    let (_, hash) = known.find(|(algorithms, _)| algorithms.contains(&algorithm))?;
    Some(digest(hash, certificate).as_ref().to_vec())
}
