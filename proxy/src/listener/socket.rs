//! A Unix socket in a folder that only this user can enter, or, if others are allowed or systemd opened
//! it, that only this user or root can change. Each client's user is checked, too: the folder may be
//! opened later.

use std::fs::{self, DirBuilder};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::os::unix::net::UnixStream as Probe;
use std::path::{Path, PathBuf};

use tokio::net::UnixListener;

use super::{Client, Stream, inherited};
use crate::Error;

/// The name of libpq's socket for its default port.
pub(super) const NAME: &str = ".s.PGSQL.5432";

/// An open socket.
pub(crate) struct Socket {
    listener: UnixListener,
    path: PathBuf,
    #[expect(dead_code, reason = "removes the file when it is dropped")]
    file: Option<File>,
    user: u32,
}

/// The file of a socket that is ours. It vanishes when this is dropped.
struct File(PathBuf);

impl Drop for File {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

impl Socket {
    pub(super) fn open(folder: &Path, is_shared: bool) -> Result<Self, Error> {
        let user = rustix::process::geteuid().as_raw();
        let path = folder.join(NAME);
        if let Some(listener) = inherited::unix(folder)? {
            check_for_others(folder)?;
            let (file, listener) = (None, listener);
            return Ok(Self {
                listener,
                path,
                file,
                user,
            });
        }
        let other = |error: io::Error| failed(folder, &error);
        match DirBuilder::new().mode(0o700).create(folder) {
            // Whatever the umask is, others have to reach the socket.
            Ok(()) if is_shared => set_mode(folder, 0o711).map_err(other)?,
            Ok(()) => {}
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            Err(error) => return Err(other(error)),
        }
        check(folder, is_shared)?;
        remove_left_over(&path)?;
        let listener = UnixListener::bind(&path).map_err(other)?;
        let file = Some(File(path.clone()));
        // Connecting needs the right to write. Each client's user is checked.
        set_mode(&path, 0o666).map_err(other)?;
        Ok(Self {
            listener,
            path,
            file,
            user,
        })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) async fn accept(&self) -> io::Result<Client> {
        let (stream, _) = self.listener.accept().await?;
        let peer = stream.peer_cred()?;
        let name = match peer.pid() {
            Some(pid) => format!("process {pid}"),
            None => "a process".to_owned(),
        };
        Ok(Client {
            stream: Stream::Socket(stream),
            name,
            may_be_remote: false,
            other_user: (peer.uid() != self.user).then_some(peer.uid()),
        })
    }
}

/// Checks the folder of a socket. Others may enter it only if they may connect, or if systemd opened it,
/// and never write to it: they could put another socket there.
pub(super) fn check(folder: &Path, is_shared: bool) -> Result<(), Error> {
    let shown = folder.display();
    if is_shared || inherited::has(folder)? {
        return check_for_others(folder);
    }
    let metadata = fs::metadata(folder).map_err(|error| failed(folder, &error))?;
    let user = rustix::process::geteuid().as_raw();
    if !metadata.is_dir() || metadata.uid() != user || metadata.mode() & 0o077 != 0 {
        return Err(Error::Usage(format!(
            "socket: {shown} is not a folder of this user alone; accepted: a folder with mode \
             0700, or one that does not exist yet"
        )));
    }
    Ok(())
}

/// Checks a folder that other users may enter.
fn check_for_others(folder: &Path) -> Result<(), Error> {
    let metadata = fs::metadata(folder).map_err(|error| failed(folder, &error))?;
    let user = rustix::process::geteuid().as_raw();
    let is_trusted = metadata.uid() == user || metadata.uid() == 0;
    if !metadata.is_dir() || !is_trusted || metadata.mode() & 0o022 != 0 {
        return Err(Error::Usage(format!(
            "socket: others can write to {}; accepted: a folder of this user or of root that only \
             its owner can write to, such as one with mode 0711 or 0755, or one that does not exist \
             yet",
            folder.display()
        )));
    }
    Ok(())
}

fn set_mode(path: &Path, mode: u32) -> io::Result<()> {
    fs::set_permissions(path, fs::Permissions::from_mode(mode))
}

fn failed(folder: &Path, error: &io::Error) -> Error {
    Error::Other(format!("socket: {}: {error}", folder.display()))
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
