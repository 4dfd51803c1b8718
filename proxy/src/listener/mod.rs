//! Where clients connect. Unless clients give a password over TLS, who can connect can log in to the
//! database, so only users of this machine can: by TCP from a loopback address, or through a Unix
//! socket that belongs to the same user.

#[cfg(unix)]
mod inherited;
#[cfg(unix)]
mod socket;

use std::net::SocketAddr;
use std::path::PathBuf;

use tokio::io::{AsyncRead, AsyncWrite};
#[cfg(unix)]
use tokio::net::UnixStream;
use tokio::net::{TcpListener, TcpStream};

use crate::Error;
use crate::clients::Clients;
use crate::dial::tune;

/// Where to listen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Listen {
    /// An address, with port 0 for a free one. Others than loopback addresses need clients that give a
    /// password over TLS.
    Tcp(SocketAddr),
    /// A folder for a Unix socket with the name that libpq gives to port 5432. It must belong to
    /// this user and be closed to others, unless others are allowed or systemd opened the socket; it
    /// is made if it is missing, and its mode is kept right then. Only on Unix.
    Socket(PathBuf),
}

/// The connection of a client.
pub(crate) trait Connection: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Connection for T {}

/// A connection as it was accepted.
pub(crate) enum Stream {
    Tcp(TcpStream),
    #[cfg(unix)]
    Socket(UnixStream),
}

impl Stream {
    pub(crate) fn boxed(self) -> Box<dyn Connection> {
        match self {
            Self::Tcp(stream) => Box::new(stream),
            #[cfg(unix)]
            Self::Socket(stream) => Box::new(stream),
        }
    }
}

/// A client that has connected.
pub(crate) struct Client {
    pub(crate) stream: Stream,
    /// For the log.
    pub(crate) name: String,
    /// Whether it can be on another machine, so that it must use TLS.
    pub(crate) may_be_remote: bool,
    /// Its user on this machine, if it is another one than ours.
    pub(crate) other_user: Option<u32>,
}

/// An open listener.
pub(crate) enum Listener {
    Tcp(TcpListener),
    #[cfg(unix)]
    Socket(socket::Socket),
}

impl Listener {
    /// Opens a listener, or takes one that systemd has opened. `allowed` are the other users that may use a
    /// Unix socket.
    #[cfg_attr(
        not(unix),
        expect(unused_variables, reason = "there are no Unix sockets")
    )]
    pub(crate) fn open(listen: &Listen, allowed: &[u32], clients: &Clients) -> Result<Self, Error> {
        match listen {
            Listen::Tcp(address) => tcp(*address, clients).map(Self::Tcp),
            #[cfg(unix)]
            Listen::Socket(folder) => socket::Socket::open(folder, allowed).map(Self::Socket),
            #[cfg(not(unix))]
            Listen::Socket(_) => Err(Error::Usage(
                "socket: this system has no Unix sockets; accepted: --listen".to_owned(),
            )),
        }
    }

    /// Returns the address or the socket's path.
    pub(crate) fn name(&self) -> String {
        match self {
            Self::Tcp(listener) => match listener.local_addr() {
                Ok(address) => address.to_string(),
                Err(_) => "an unknown address".to_owned(),
            },
            #[cfg(unix)]
            Self::Socket(socket) => socket.path().display().to_string(),
        }
    }

    /// Waits for the next client.
    pub(crate) async fn accept(&self) -> std::io::Result<Client> {
        match self {
            Self::Tcp(listener) => {
                let (stream, address) = listener.accept().await?;
                tune(&stream);
                Ok(Client {
                    stream: Stream::Tcp(stream),
                    name: address.to_string(),
                    may_be_remote: !listener.local_addr()?.ip().is_loopback(),
                    other_user: None,
                })
            }
            #[cfg(unix)]
            Self::Socket(socket) => socket.accept().await,
        }
    }
}

impl Listen {
    /// Returns what systemd has opened for this process, which is nothing if it did not start it.
    ///
    /// # Errors
    /// [`Error::Usage`] if a socket is of another kind.
    pub fn inherited() -> Result<Vec<Self>, Error> {
        #[cfg(unix)]
        return inherited::all();
        #[cfg(not(unix))]
        Ok(Vec::new())
    }

    /// Refuses sockets that systemd has opened for this process and that are none of `used`.
    #[cfg_attr(
        not(unix),
        expect(unused_variables, reason = "there are no sockets of systemd")
    )]
    pub(crate) fn check_inherited(used: &[&Self]) -> Result<(), Error> {
        #[cfg(unix)]
        inherited::check_used(used)?;
        Ok(())
    }

    /// Checks that only users of this machine can connect there, unless clients give a password over TLS,
    /// and that the folder of a Unix socket can be entered by the users in `allowed`, by nobody else
    /// unless some are allowed or systemd opened the socket, and never be changed by others. A folder that
    /// is missing will be made, and one that this process has made will get the right mode.
    ///
    /// # Errors
    /// [`Error::Usage`] says what is accepted.
    #[cfg_attr(
        not(unix),
        expect(unused_variables, reason = "there are no Unix sockets")
    )]
    pub fn check(&self, allowed: &[u32], clients: &Clients) -> Result<(), Error> {
        match self {
            Self::Tcp(address) => check_address(*address, clients),
            #[cfg(unix)]
            Self::Socket(folder) if folder.exists() => socket::check(folder, allowed),
            #[cfg(unix)]
            Self::Socket(folder) => socket::check_path(folder),
            #[cfg(not(unix))]
            Self::Socket(_) => Ok(()),
        }
    }

    /// Gives the folder of a Unix socket the mode that it needs, if this process has made it.
    #[cfg_attr(
        not(unix),
        expect(unused_variables, reason = "there are no Unix sockets")
    )]
    pub(crate) fn fit(&self, allowed: &[u32]) -> Result<(), Error> {
        match self {
            #[cfg(unix)]
            Self::Socket(folder) => socket::fit(folder, allowed),
            _ => Ok(()),
        }
    }
}

/// Refuses an address that other machines reach, unless clients give a password over TLS.
fn check_address(address: SocketAddr, clients: &Clients) -> Result<(), Error> {
    if let Some(reason) = clients.missing_for_others()
        && !address.ip().is_loopback()
    {
        return Err(Error::Usage(format!(
            "listen: {address} can be reached from other machines, and {reason}; accepted: \
             127.0.0.1:{port} or [::1]:{port}, which all containers of a pod reach, --socket, or \
             --tls-cert, --tls-key and --password-file",
            port = address.port()
        )));
    }
    Ok(())
}

fn tcp(address: SocketAddr, clients: &Clients) -> Result<TcpListener, Error> {
    check_address(address, clients)?;
    #[cfg(unix)]
    if let Some(listener) = inherited::tcp(address)? {
        return Ok(listener);
    }
    bind(address).map_err(|error| Error::Other(format!("cannot listen on {address}: {error}")))
}

/// Listens on an address, without a look-up.
pub(crate) fn bind(address: SocketAddr) -> std::io::Result<TcpListener> {
    let listener = std::net::TcpListener::bind(address)?;
    listener.set_nonblocking(true)?;
    TcpListener::from_std(listener)
}

// Elsewhere, there is no other stream.
#[cfg(all(test, unix))]
mod tests {
    use socket2::SockRef;
    use tokio::runtime::Builder;

    use super::*;
    use crate::clients::ClientFiles;
    use crate::log::{Format, Log};

    #[test]
    fn connections_of_clients_have_keepalive() {
        let runtime = Builder::new_current_thread().enable_io().build().unwrap();
        runtime.block_on(async {
            let log = Log::start(Format::Text, std::io::sink()).unwrap();
            let clients = Clients::open(ClientFiles::default(), &log).unwrap();
            let free = Listen::Tcp(([127, 0, 0, 1], 0).into());
            let listener = Listener::open(&free, &[], &clients).unwrap();
            let connected = TcpStream::connect(listener.name()).await.unwrap();
            let client = listener.accept().await.unwrap();
            let Stream::Tcp(stream) = client.stream else {
                unreachable!("it is a listener of TCP");
            };
            assert!(SockRef::from(&stream).keepalive().unwrap());
            drop(connected);
        });
    }
}
