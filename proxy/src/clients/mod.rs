//! How clients come in: over TLS if the proxy has a certificate, and with a password if it has a file
//! of them. The files are read again when they change, so new certificates and passwords need no
//! restart. Files that are then invalid change nothing, and the log says why.

mod files;
mod passwords;
mod sasl;
mod scram;
mod tls;

use std::io::{self, ErrorKind};
use std::path::PathBuf;
use std::sync::Arc;

use tokio::time::{Instant, timeout_at};

use crate::Error;
use crate::listener::{Connection, Stream};
use crate::log::Log;
use crate::login::Ended;
use crate::wire::{Answered, Encryption, First, Refusal, State, read_first};
use files::Watched;
use passwords::Passwords;
pub use passwords::password_line;
pub(crate) use tls::Tls;

/// The first byte of a client that starts with TLS, as libpq does since 17 with
/// `sslnegotiation=direct`: the type of a handshake record.
const HANDSHAKE: u8 = 0x16;

/// The files for clients. With none, clients use no TLS and give no password.
#[derive(Clone, Debug, Default)]
pub struct ClientFiles {
    /// The proxy's certificate as PEM, then its chain. Needs `tls_key`.
    pub tls_cert: Option<PathBuf>,
    /// The certificate's key as PEM. Only this user and root may be able to read it.
    pub tls_key: Option<PathBuf>,
    /// Lines as [`password_line`] returns them. Only this user and root may be able to read it.
    pub password_file: Option<PathBuf>,
}

/// What a proxy asks of its clients.
pub struct Clients {
    tls: Option<Watched<Tls>>,
    passwords: Option<Watched<Passwords>>,
}

impl std::fmt::Debug for Clients {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Clients")
            .field("tls", &self.tls.is_some())
            .field("passwords", &self.passwords.is_some())
            .finish()
    }
}

/// A client that has said what it wants.
pub(crate) struct Entered {
    pub(crate) stream: Box<dyn Connection>,
    pub(crate) first: First,
    /// `None` without TLS.
    pub(crate) tls: Option<Arc<Tls>>,
}

impl Clients {
    /// Reads the files. `log` gets a warning about a certificate that is not valid now.
    ///
    /// # Errors
    /// [`Error::Usage`] if one of them cannot be used.
    pub fn open(files: ClientFiles, log: &Log) -> Result<Self, Error> {
        let tls = match (files.tls_cert, files.tls_key) {
            (Some(cert), Some(key)) => Some(Watched::open(vec![cert, key], Tls::read, log)?),
            (None, None) => None,
            (cert, _) => {
                let missing = if cert.is_some() { "key" } else { "cert" };
                return Err(Error::Usage(format!(
                    "tls {missing}: missing; accepted: a certificate and its key, or neither"
                )));
            }
        };
        let passwords = files.password_file;
        let passwords = passwords.map(|file| Watched::open(vec![file], Passwords::read, log));
        Ok(Self {
            tls,
            passwords: passwords.transpose()?,
        })
    }

    /// Why other machines must not reach the proxy, if there is a reason.
    pub(crate) fn missing_for_others(&self) -> Option<&'static str> {
        match (&self.passwords, &self.tls) {
            (None, _) => Some("clients give no password, so whoever reaches it could log in"),
            (_, None) => Some("clients would use no TLS"),
            _ => None,
        }
    }

    /// Answers a client up to its first message. `None` if it hangs up first, as a check of the port
    /// does.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidData`] if PostgreSQL would hang up, and what the connection returns.
    pub(crate) async fn enter(&self, stream: Stream, log: &Log) -> io::Result<Option<Entered>> {
        let (mut stream, tls) = match (stream, &self.tls) {
            (Stream::Tcp(stream), Some(tls)) => (stream, tls.get(log)),
            (Stream::Tcp(stream), None) => return plain(stream).await,
            // As in PostgreSQL, there is no TLS on Unix sockets.
            #[cfg(unix)]
            (Stream::Socket(stream), _) => return plain(stream).await,
        };
        let mut byte = [0];
        if stream.peek(&mut byte).await? == 0 {
            return Ok(None);
        }
        let is_direct = byte[0] == HANDSHAKE;
        if !is_direct {
            match read_first(&mut stream, Encryption::Offered).await? {
                None => return Ok(None),
                Some(Answered::First(first)) => {
                    let (stream, tls) = (Box::new(stream), None);
                    return Ok(Some(Entered { stream, first, tls }));
                }
                Some(Answered::Tls) => {}
            }
        }
        let mut stream = tls.accept(stream, is_direct).await?;
        let first = read_first(&mut stream, Encryption::Done).await?;
        Ok(first_of(first).map(|first| Entered {
            stream: Box::new(stream),
            first,
            tls: Some(tls),
        }))
    }

    /// Lets a client prove until `end` that it knows the user's password, if passwords are given.
    pub(crate) async fn authenticate(
        &self,
        client: &mut Box<dyn Connection>,
        user: Option<&str>,
        tls: Option<&Tls>,
        (end, log): (Instant, &Log),
    ) -> Result<(), Ended> {
        let Some(passwords) = &self.passwords else {
            return Ok(());
        };
        let passwords = passwords.get(log);
        let binding = tls.and_then(Tls::binding);
        let proof = sasl::authenticate(client, user, &passwords, binding);
        timeout_at(end, proof).await.unwrap_or_else(|_| {
            let message = "the client does not finish the authentication";
            Err(Refusal::new(State::InvalidAuthorization, message).into())
        })
    }
}

async fn plain(mut stream: impl Connection + 'static) -> io::Result<Option<Entered>> {
    let first = read_first(&mut stream, Encryption::Declined).await?;
    Ok(first_of(first).map(|first| Entered {
        stream: Box::new(stream),
        first,
        tls: None,
    }))
}

/// TLS is answered only where it is offered.
fn first_of(answered: Option<Answered>) -> Option<First> {
    match answered {
        Some(Answered::First(first)) => Some(first),
        Some(Answered::Tls) | None => None,
    }
}

fn invalid(problem: String) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, problem)
}
