//! TLS with the server, step by step, so that each failure has a name: `roots` is whom to trust,
//! `witness` keeps what the server showed, and `distrusted` says why it was not trusted. Nothing
//! secret is sent before the server is trusted.

mod distrusted;
mod roots;
mod witness;

pub(crate) use roots::Roots;

use std::io;
use std::sync::Arc;
use std::time::Duration;

use rdsign::names::Endpoint;
use rustls::ClientConfig;
use rustls::crypto::ring;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::entry::{Entry, Step};
use distrusted::{Shown, distrusted};
use witness::Witness;

/// PostgreSQL's SSLRequest: its length and its number.
/// <https://www.postgresql.org/docs/current/protocol-message-formats.html>
const SSL_REQUEST: [u8; 8] = [0, 0, 0, 8, 4, 210, 22, 47];

/// Asks for TLS, and does the handshake.
pub(crate) async fn connect(
    stream: TcpStream,
    endpoint: &Endpoint,
    roots: Roots,
    limit: Duration,
) -> (Entry, Option<TlsStream<TcpStream>>) {
    match timeout(limit, handshake(stream, endpoint, roots)).await {
        Ok(Ok((entry, stream))) => (entry, Some(stream)),
        Ok(Err(entry)) => (entry, None),
        Err(_) => {
            let says = format!("the server does not answer within {} s", limit.as_secs());
            let entry = Entry::failed(Step::Tls, "tls-timeout", says).next(
                "It takes connections and is silent: is this a PostgreSQL's port? A load balancer \
                 or a tunnel may have nothing behind it.",
            );
            (entry, None)
        }
    }
}

async fn handshake(
    mut stream: TcpStream,
    endpoint: &Endpoint,
    roots: Roots,
) -> Result<(Entry, TlsStream<TcpStream>), Entry> {
    request(&mut stream).await?;
    let bare = endpoint.hostname().trim_matches(['[', ']']);
    let name = ServerName::try_from(bare.trim_end_matches('.').to_owned());
    let name = name.map_err(|_| {
        let says = format!("no certificate can be for {bare}");
        Entry::failed(Step::Tls, "wrong-name", says).next("Give the endpoint that RDS shows.")
    })?;
    let roots_name = roots.name;
    let broken = |error: &dyn std::fmt::Display| {
        Entry::failed(
            Step::Tls,
            "no-authorities",
            format!("{roots_name}: {error}"),
        )
    };
    let provider = Arc::new(ring::default_provider());
    let witness = Witness::new(roots.store, provider.clone()).map_err(|error| broken(&error))?;
    let witness = Arc::new(witness);
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| broken(&error))?
        .dangerous()
        .with_custom_certificate_verifier(witness.clone())
        .with_no_client_auth();
    let connected = TlsConnector::from(Arc::new(config))
        .connect(name, stream)
        .await;
    let seen = witness.seen();
    match connected {
        Ok(stream) => {
            let (_, session) = stream.get_ref();
            let version = session
                .protocol_version()
                .and_then(|version| version.as_str());
            let version = version.unwrap_or("TLS").replace("TLSv1_", "TLS 1.");
            let leaf = seen.chain.first().and_then(|der| Shown::read(der));
            let of = leaf.map_or_else(String::new, |leaf| {
                format!(
                    "; certificate by {:?}, until {}",
                    leaf.issuer, leaf.not_after
                )
            });
            let says = format!("{version}, trusted through {roots_name}{of}");
            Ok((Entry::fine(Step::Tls, says), stream))
        }
        Err(error) => Err(match &seen.error {
            Some(reason) => distrusted(reason, &seen.chain, endpoint, &roots_name),
            None => Entry::failed(
                Step::Tls,
                "handshake",
                format!("no TLS came about: {error}"),
            )
            .next(
                "The server and this program have no version of TLS in common, or something \
                       between them breaks it.",
            ),
        }),
    }
}

/// The question that comes before TLS, and the server's one letter.
async fn request(stream: &mut TcpStream) -> Result<(), Entry> {
    let asked = async {
        stream.write_all(&SSL_REQUEST).await?;
        stream.read_u8().await
    };
    match asked.await {
        Ok(b'S') => Ok(()),
        Ok(b'N') => Err(Entry::failed(
            Step::Tls,
            "no-tls",
            "the server has no TLS, and without it a token is never sent",
        )
        .next(
            "RDS always has TLS: this is another server, such as a local one or a pool. If it is \
               yours, turn ssl on.",
        )),
        Ok(_) => Err(not_postgresql(
            "the server's answer is not PostgreSQL's".to_owned(),
        )),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Err(not_postgresql(
            "the server closed the connection when it was asked for TLS".to_owned(),
        )),
        Err(error) => Err(not_postgresql(format!(
            "the connection broke when the server was asked for TLS: {error}"
        ))),
    }
}

fn not_postgresql(says: String) -> Entry {
    Entry::failed(Step::Tls, "not-postgresql", says).next(
        "Check the port: another program may listen there, or a tunnel with nothing behind it.",
    )
}
