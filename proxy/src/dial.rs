//! Connects to the server: looks up the name, connects by TCP, asks for TLS and verifies the
//! certificate. Nothing secret is sent before. The IDs of the failures are doctor's.

use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::time::Duration;

use bytes::BytesMut;
use postgres_protocol::message::frontend;
use rustls::CertificateError;
use socket2::{SockRef, TcpKeepalive};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, lookup_host};
use tokio::time::{Instant, timeout_at};
use tokio_rustls::client::TlsStream;

use crate::server::Server;
use crate::wire::{Refusal, State};

/// A verified connection, and the address at its other end.
pub(crate) type Dialed = (TlsStream<TcpStream>, SocketAddr);

/// Connects to the server within `limit`.
pub(crate) async fn dial(server: &Server, limit: Duration) -> Result<Dialed, Refusal> {
    let end = Instant::now() + limit;
    let addresses = match server.hostaddr {
        Some(address) => vec![SocketAddr::new(address, server.port)],
        None => look_up(server, end).await?,
    };
    dial_one_of(server, addresses, limit, end).await
}

/// Connects to the first address that answers. Each gets its part of `limit` for that.
async fn dial_one_of(
    server: &Server,
    addresses: Vec<SocketAddr>,
    limit: Duration,
    end: Instant,
) -> Result<Dialed, Refusal> {
    let each = limit / u32::try_from(addresses.len().max(1)).unwrap_or(u32::MAX);
    let mut refusal = failed("no-address", format!("{} has no address", server.hostname));
    for address in addresses {
        match connect(server, address, end.min(Instant::now() + each)).await {
            Ok(stream) => return encrypt(server, stream, address, end).await,
            Err(error) => refusal = error,
        }
    }
    Err(refusal)
}

/// Connects to the address of another session within `limit`.
pub(crate) async fn dial_again(
    server: &Server,
    address: SocketAddr,
    limit: Duration,
) -> Result<Dialed, Refusal> {
    let end = Instant::now() + limit;
    let stream = connect(server, address, end).await?;
    encrypt(server, stream, address, end).await
}

async fn look_up(server: &Server, end: Instant) -> Result<Vec<SocketAddr>, Refusal> {
    let hostname = server.hostname.as_str();
    match timeout_at(end, lookup_host((hostname, server.port))).await {
        Err(_) => Err(failed(
            "name-timeout",
            format!("no answer about the name {hostname}"),
        )),
        Ok(Err(error)) => Err(failed(
            "name-unknown",
            format!("{hostname} cannot be looked up: {error}"),
        )),
        Ok(Ok(addresses)) => Ok(addresses.collect()),
    }
}

async fn connect(server: &Server, address: SocketAddr, end: Instant) -> Result<TcpStream, Refusal> {
    let shown = server.shown();
    let stream = match timeout_at(end, TcpStream::connect(address)).await {
        Ok(Ok(stream)) => stream,
        Ok(Err(error)) if error.kind() == ErrorKind::ConnectionRefused => {
            let message = format!("{shown} refuses connections: nothing listens there");
            return Err(failed("refused", message));
        }
        Ok(Err(error)) => {
            let message = format!("{shown} cannot be reached: {error}");
            return Err(failed("unreachable", message));
        }
        Err(_) => {
            let message = format!("{shown} does not answer");
            return Err(failed("tcp-timeout", message));
        }
    };
    tune(&stream);
    Ok(stream)
}

/// Sets what connections to the server and of clients need.
pub(crate) fn tune(stream: &TcpStream) {
    // A client waits for each answer, so waiting for more bytes to send only costs time.
    let _ = stream.set_nodelay(true);
    // Firewalls forget idle connections: AWS's load balancers after 350 s. And a machine that vanishes ends
    // no connection.
    let keepalive = TcpKeepalive::new()
        .with_time(Duration::from_secs(60))
        .with_interval(Duration::from_secs(15));
    let _ = SockRef::from(stream).set_tcp_keepalive(&keepalive);
}

async fn encrypt(
    server: &Server,
    mut stream: TcpStream,
    address: SocketAddr,
    end: Instant,
) -> Result<Dialed, Refusal> {
    let shown = server.shown();
    let handshake = async {
        match ask_for_tls(&mut stream).await {
            Ok(b'S') => {}
            Ok(b'N') => {
                let message = format!("{shown} has no TLS, and no token is sent without it");
                return Err(failed("no-tls", message));
            }
            Ok(_) => {
                let message = format!("{shown} does not answer as PostgreSQL does");
                return Err(failed("not-postgresql", message));
            }
            Err(error) => {
                let message = format!("{shown} hung up when asked for TLS: {error}");
                return Err(failed("not-postgresql", message));
            }
        }
        let connected = server.tls.connect(server.name.clone(), stream).await;
        connected.map_err(|error| distrusted(&shown, &error))
    };
    match timeout_at(end, handshake).await {
        Ok(stream) => Ok((stream?, address)),
        Err(_) => {
            let message = format!("{shown} accepts connections and then stays silent");
            Err(failed("tls-timeout", message))
        }
    }
}

/// Reads one byte: more would be from somebody who cannot read what TLS protects.
async fn ask_for_tls(stream: &mut TcpStream) -> io::Result<u8> {
    let mut request = BytesMut::new();
    frontend::ssl_request(&mut request);
    stream.write_all(&request).await?;
    stream.read_u8().await
}

fn distrusted(shown: &str, error: &io::Error) -> Refusal {
    let reason = error.get_ref().and_then(|error| error.downcast_ref());
    let id = match reason {
        Some(rustls::Error::InvalidCertificate(problem)) => match problem {
            CertificateError::UnknownIssuer => "unknown-issuer",
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
                return failed("certificate-expired", problem_of(shown, error));
            }
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
                return failed("certificate-not-yet-valid", problem_of(shown, error));
            }
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                "wrong-name"
            }
            _ => "bad-certificate",
        },
        _ => "handshake",
    };
    failed(id, problem_of(shown, error))
}

fn problem_of(shown: &str, error: &io::Error) -> String {
    let text = error.to_string();
    // rustls explains its interface to programmers.
    let text = text.split(": https://docs.rs/").next().unwrap_or_default();
    format!("{shown} is not trusted, so no token was sent: {text}")
}

fn failed(id: &'static str, message: String) -> Refusal {
    Refusal::new(State::CannotConnect, message).id(id)
}

#[cfg(test)]
mod tests {
    use tokio::runtime::Builder;

    use super::*;

    #[test]
    fn tls_has_all_the_time_that_is_left_and_not_only_an_address_s_part() {
        let mut runtime = Builder::new_current_thread();
        let runtime = runtime.enable_all().start_paused(true).build();
        runtime.unwrap().block_on(async {
            let silent = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
            let addresses = vec![silent.local_addr().unwrap(); 3];
            // Until it has accepted, the paused clock stands still.
            let accepted = tokio::task::spawn_blocking(move || silent.accept());
            let (began, limit) = (Instant::now(), Duration::from_secs(60));
            let server = crate::server::tests::server();
            let dialed = dial_one_of(&server, addresses, limit, began + limit).await;
            assert_eq!(dialed.err().unwrap().id, Some("tls-timeout"));
            assert_eq!(began.elapsed().as_secs(), 60);
            drop(accepted);
        });
    }
}
