//! The server that a proxy is for: how to reach and verify it, and who may log in.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

use rdsign::Signer;
use rustls::crypto::ring;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use tokio_rustls::TlsConnector;

use crate::Error;

/// The address to dial instead of the endpoint. The token and the TLS check still use the endpoint.
#[derive(Clone, Copy, Debug, Default)]
pub struct Dial {
    /// Default: the address of the endpoint's name.
    pub hostaddr: Option<IpAddr>,
    /// Default: the endpoint's.
    pub hostport: Option<u16>,
}

/// A server, and the users whose tokens the proxy signs.
pub struct Server {
    /// The endpoint's, as it is looked up.
    pub(crate) hostname: String,
    pub(crate) hostaddr: Option<IpAddr>,
    pub(crate) port: u16,
    /// The name that the certificate must have.
    pub(crate) name: ServerName<'static>,
    pub(crate) tls: TlsConnector,
    signers: HashMap<String, Signer>,
    /// That of the first user.
    first: Signer,
}

impl std::fmt::Debug for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Server")
            .field("hostname", &self.hostname)
            .field("port", &self.port)
            .finish_non_exhaustive()
    }
}

impl Server {
    /// `signers` has one signer for each user, all for the same endpoint. `roots` are the
    /// authorities that the server's certificate may come from.
    ///
    /// # Errors
    /// [`Error::Usage`] if there is no signer, if they are for several endpoints, or if no
    /// certificate can be for the endpoint's name.
    pub fn new(signers: Vec<Signer>, dial: Dial, roots: RootCertStore) -> Result<Self, Error> {
        let first = signers.first().ok_or_else(|| {
            Error::Usage("username: missing; accepted: at least one user".to_owned())
        })?;
        let first = first.clone();
        let endpoint = first.endpoint().clone();
        if signers.iter().any(|signer| *signer.endpoint() != endpoint) {
            return Err(Error::Usage(
                "hostname: differs between users; accepted: one endpoint".to_owned(),
            ));
        }
        let hostname = endpoint.hostname().trim_matches(['[', ']']).to_owned();
        let name = hostname.trim_end_matches('.').to_owned();
        let name = ServerName::try_from(name).map_err(|_| {
            Error::Usage(format!(
                "hostname: {hostname} is not a name that a certificate can be for; accepted: the \
                 endpoint that RDS shows"
            ))
        })?;
        let mut config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|error| Error::Other(format!("TLS cannot be set up: {error}")))?
            .with_root_certificates(roots)
            .with_no_client_auth();
        // As libpq says it since 17. A server of another protocol may then refuse the handshake.
        config.alpn_protocols = vec![b"postgresql".to_vec()];
        Ok(Self {
            port: dial.hostport.unwrap_or(endpoint.port()),
            hostaddr: dial.hostaddr,
            hostname,
            name,
            first,
            tls: TlsConnector::from(Arc::new(config)),
            signers: signers
                .into_iter()
                .map(|signer| (signer.username().to_owned(), signer))
                .collect(),
        })
    }

    /// Returns the signer for a user, if the proxy is for that user.
    pub(crate) fn signer(&self, user: &str) -> Option<&Signer> {
        self.signers.get(user)
    }

    /// Returns the signer for the proxy's own logins.
    pub(crate) fn first(&self) -> &Signer {
        &self.first
    }

    /// Returns the users in the order of their names, for messages.
    pub(crate) fn users(&self) -> String {
        let mut users: Vec<_> = self.signers.keys().map(String::as_str).collect();
        users.sort_unstable();
        users.join(", ")
    }

    /// Returns the dialed address, for messages.
    pub(crate) fn shown(&self) -> String {
        match self.hostaddr {
            Some(address) => format!("{} at {address} port {}", self.hostname, self.port),
            None => format!("{} port {}", self.hostname, self.port),
        }
    }
}
