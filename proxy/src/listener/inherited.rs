//! Sockets that systemd has opened for this process. An endpoint that listens on the same address uses
//! them. They stay open to the end, because only systemd can open them again.
//! <https://www.freedesktop.org/software/systemd/man/latest/sd_listen_fds.html>

use std::net::SocketAddr;
use std::os::fd::{AsFd, FromRawFd, OwnedFd};
use std::path::Path;
use std::sync::OnceLock;

use socket2::{SockRef, Type};
use tokio::net::{TcpListener, UnixListener};

use super::{Listen, socket};
use crate::Error;

/// An open socket, and where it listens.
type Inherited = (Listen, OwnedFd);

pub(super) fn all() -> Result<Vec<Listen>, Error> {
    let all = sockets()?.iter();
    Ok(all.map(|(listen, _)| listen.clone()).collect())
}

/// Refuses sockets on which no endpoint listens: clients would wait there forever.
pub(super) fn check_used(used: &[&Listen]) -> Result<(), Error> {
    let unused = sockets()?
        .iter()
        .map(|(listen, _)| listen)
        .filter(|listen| !used.contains(listen));
    let unused: Vec<_> = unused.map(shown).collect();
    if unused.is_empty() {
        return Ok(());
    }
    // systemd's sockets have no free port.
    let is_fixed =
        |listen: &&&Listen| !matches!(listen, Listen::Tcp(address) if address.port() == 0);
    let accepted: Vec<_> = used.iter().filter(is_fixed).map(|one| shown(one)).collect();
    let accepted = match accepted.is_empty() {
        true => "no ListenStream".to_owned(),
        false => format!("{} as ListenStream", accepted.join(" or ")),
    };
    Err(Error::Usage(format!(
        "a socket of systemd cannot be used: no endpoint listens on {}; accepted: {accepted}",
        unused.join(" or ")
    )))
}

fn shown(listen: &Listen) -> String {
    match listen {
        Listen::Tcp(address) => address.to_string(),
        Listen::Socket(folder) => folder.join(socket::NAME).display().to_string(),
    }
}

/// Says whether systemd has opened the socket in a folder.
pub(super) fn has(folder: &Path) -> Result<bool, Error> {
    let listen = Listen::Socket(folder.to_owned());
    Ok(sockets()?.iter().any(|(known, _)| *known == listen))
}

pub(super) fn tcp(address: SocketAddr) -> Result<Option<TcpListener>, Error> {
    let Some(socket) = find(&Listen::Tcp(address))? else {
        return Ok(None);
    };
    let listener = std::net::TcpListener::from(socket);
    let open = listener
        .set_nonblocking(true)
        .and_then(|()| TcpListener::from_std(listener));
    open.map(Some).map_err(|error| unusable(&error))
}

pub(super) fn unix(folder: &Path) -> Result<Option<UnixListener>, Error> {
    let Some(socket) = find(&Listen::Socket(folder.to_owned()))? else {
        return Ok(None);
    };
    let listener = std::os::unix::net::UnixListener::from(socket);
    let open = listener
        .set_nonblocking(true)
        .and_then(|()| UnixListener::from_std(listener));
    open.map(Some).map_err(|error| unusable(&error))
}

fn find(listen: &Listen) -> Result<Option<OwnedFd>, Error> {
    let found = sockets()?.iter().find(|(known, _)| known == listen);
    let copy = found.map(|(_, socket)| socket.try_clone()).transpose();
    copy.map_err(|error| unusable(&error))
}

fn sockets() -> Result<&'static [Inherited], Error> {
    static SOCKETS: OnceLock<Result<Vec<Inherited>, String>> = OnceLock::new();
    let sockets = SOCKETS.get_or_init(|| {
        let descriptors = sd_notify::listen_fds().map_err(|error| error.to_string())?;
        descriptors
            .map(|descriptor| {
                // SAFETY: systemd opened it for this process, whose ID it named, and this is the only
                // place that takes it.
                #[expect(unsafe_code, reason = "no safe function takes an inherited descriptor")]
                let socket = unsafe { OwnedFd::from_raw_fd(descriptor) };
                Ok((place(&socket)?, socket))
            })
            .collect()
    });
    let sockets = sockets.as_ref().map_err(|problem| {
        Error::Usage(format!(
            "a socket of systemd cannot be used: {problem}; accepted: a loopback address, or a path \
             that ends with /{}, as ListenStream",
            socket::NAME
        ))
    });
    sockets.map(Vec::as_slice)
}

/// Returns where a socket listens.
fn place(socket: &impl AsFd) -> Result<Listen, String> {
    let socket = SockRef::from(socket);
    let failed = |error: std::io::Error| error.to_string();
    if socket.r#type().map_err(failed)? != Type::STREAM || !listens(&socket).map_err(failed)? {
        return Err("it does not listen for connections".to_owned());
    }
    let address = socket.local_addr().map_err(failed)?;
    if let Some(address) = address.as_socket() {
        return Ok(Listen::Tcp(address));
    }
    let path = address.as_pathname();
    let path = path.filter(|path| path.file_name().is_some_and(|name| name == socket::NAME));
    match path.and_then(Path::parent) {
        Some(folder) => Ok(Listen::Socket(folder.to_owned())),
        None => Err("it has another name than that of libpq's port 5432".to_owned()),
    }
}

/// Only Linux tells, which is where systemd is.
fn listens(socket: &SockRef<'_>) -> std::io::Result<bool> {
    #[cfg(target_os = "linux")]
    return socket.is_listener();
    #[cfg(not(target_os = "linux"))]
    Ok(socket.local_addr().is_ok())
}

fn unusable(error: &std::io::Error) -> Error {
    Error::Other(format!("a socket of systemd cannot be used: {error}"))
}
