//! The TLS step: asks the server for TLS, does the handshake and checks the certificate. `witness`
//! records the server's certificates, and `distrusted` explains why one is not trusted. Nothing secret
//! is sent before the server is trusted.

mod distrusted;
mod witness;

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
use super::finding::Finding;
use super::network::without_address;
use crate::ca_bundle::Roots;
use distrusted::{Shown, distrusted};
use witness::Witness;

/// PostgreSQL's SSLRequest: the message's length and its code.
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
            let entry = Entry::failed(Step::Tls, Finding::TlsTimeout, says).next(
                "The server accepts connections but stays silent: is this the port of PostgreSQL? \
                 A load balancer or a tunnel may have nothing behind it.",
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
        let says = format!("{bare} is not a name that a certificate can be for");
        Entry::failed(Step::Tls, Finding::WrongName, says)
            .next("Pass the endpoint that RDS shows as --hostname.")
    })?;
    let (roots_name, are_chosen) = (roots.name.clone(), roots.are_chosen);
    let broken = |error: &dyn std::fmt::Display| {
        Entry::failed(
            Step::Tls,
            Finding::NoAuthorities,
            format!("{roots_name}: {error}"),
        )
    };
    let provider = Arc::new(ring::default_provider());
    let witness = Witness::new(roots, provider.clone()).map_err(|error| broken(&error))?;
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
                    "; certificate issued by {:?}, expires at {}",
                    leaf.issuer, leaf.not_after
                )
            });
            let says = format!("{version}, trusted through {roots_name}{of}");
            Ok((Entry::fine(Step::Tls, says), stream))
        }
        Err(error) => Err(match &seen.error {
            Some(reason) => distrusted(reason, &seen, endpoint, &roots_name, are_chosen),
            None => Entry::failed(
                Step::Tls,
                Finding::Handshake,
                format!("the TLS handshake failed: {}", without_address(&error)),
            )
            .next(
                "The server and rdsign have no TLS version in common, or something in between \
                 breaks TLS.",
            ),
        }),
    }
}

/// Sends SSLRequest, and reads the answer: one letter, because the server then waits for TLS. Other
/// servers answer with more, such as SSH, whose greeting starts with an S too.
async fn request(stream: &mut TcpStream) -> Result<(), Entry> {
    let asked = async {
        stream.write_all(&SSL_REQUEST).await?;
        let mut answer = vec![0; 64];
        let length = stream.read(&mut answer).await?;
        answer.truncate(length);
        io::Result::Ok(answer)
    };
    let answer = asked.await.map_err(|error| {
        not_postgresql(format!(
            "the connection broke when rdsign asked for TLS: {error}"
        ))
    })?;
    match answer.as_slice() {
        b"S" => Ok(()),
        b"N" => Err(Entry::failed(
            Step::Tls,
            Finding::NoTls,
            "the server has no TLS, and rdsign sends no token without it",
        )
        .next(
            "RDS always has TLS, so this is another server, such as a local one or a pool. If it \
             is yours, turn ssl on.",
        )),
        b"" => Err(not_postgresql(
            "the server closed the connection when rdsign asked for TLS".to_owned(),
        )),
        answer => {
            let text = String::from_utf8_lossy(answer);
            let start: String = text
                .chars()
                .take_while(|c| !c.is_control())
                .take(40)
                .collect();
            let starts = match start.as_str() {
                "" => String::new(),
                start => format!(": it starts with {start:?}"),
            };
            Err(not_postgresql(format!(
                "the server's answer is not PostgreSQL's{starts}"
            )))
        }
    }
}

fn not_postgresql(says: String) -> Entry {
    Entry::failed(Step::Tls, Finding::NotPostgresql, says).next(
        "Check the port: another program may listen there, or a tunnel with nothing behind it.",
    )
}
