//! A Unix socket in a folder that only this user can enter. Each client's user is checked, too,
//! because an administrator may open the folder later.

use std::fs::{self, DirBuilder};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::os::unix::net::UnixStream as Probe;
use std::path::{Path, PathBuf};

use tokio::net::UnixListener;

use super::{Client, Stream};
use crate::Error;

/// The name of libpq's socket for its default port.
const NAME: &str = ".s.PGSQL.5432";

/// A socket. Its file vanishes when it is dropped.
pub(crate) struct Socket {
    listener: UnixListener,
    path: PathBuf,
    user: u32,
}

impl Socket {
    pub(super) fn open(folder: &Path) -> Result<Self, Error> {
        let user = rustix::process::geteuid().as_raw();
        let shown = folder.display();
        let other = |error: io::Error| Error::Other(format!("socket: {shown}: {error}"));
        if let Err(error) = DirBuilder::new().mode(0o700).create(folder)
            && error.kind() != ErrorKind::AlreadyExists
        {
            return Err(other(error));
        }
        let metadata = fs::metadata(folder).map_err(other)?;
        if !metadata.is_dir() || metadata.uid() != user || metadata.mode() & 0o077 != 0 {
            return Err(Error::Usage(format!(
                "socket: {shown} is not a folder of this user alone; accepted: a folder with mode \
                 0700, or one that does not exist yet"
            )));
        }
        let path = folder.join(NAME);
        remove_left_over(&path)?;
        let listener = UnixListener::bind(&path).map_err(other)?;
        Ok(Self {
            listener,
            path,
            user,
        })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) async fn accept(&self) -> io::Result<Option<Client>> {
        let (stream, _) = self.listener.accept().await?;
        let peer = stream.peer_cred()?;
        if peer.uid() != self.user {
            return Ok(None);
        }
        let name = match peer.pid() {
            Some(pid) => format!("process {pid}"),
            None => "a process".to_owned(),
        };
        Ok(Some(Client {
            stream: Stream::Socket(stream),
            name,
            may_be_remote: false,
        }))
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
    }
}

/// Removes the socket of a proxy that was killed.
fn remove_left_over(path: &Path) -> Result<(), Error> {
    match Probe::connect(path) {
        Ok(_) => Err(Error::Other(format!(
            "socket: a program already listens on {}",
            path.display()
        ))),
        Err(error) if error.kind() == ErrorKind::ConnectionRefused => {
            let removed = fs::remove_file(path);
            removed.map_err(|error| Error::Other(format!("socket: {}: {error}", path.display())))
        }
        // Whatever else is there, bind() reports it.
        Err(_) => Ok(()),
    }
}
