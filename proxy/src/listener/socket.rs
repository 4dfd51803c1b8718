//! A Unix socket in a folder that only this user can enter, or, if others are allowed or systemd opened
//! it, that only this user or root can change. Each client's user is checked, too: the folder may be
//! opened later.

use std::fs::{self, DirBuilder, Metadata};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{DirBuilderExt, FileTypeExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use socket2::{Domain, SockAddr, Socket as Probe, Type};
use tokio::net::UnixListener;

use super::{Client, Stream, inherited};
use crate::{Error, locked};

/// The name of libpq's socket for its default port.
pub(super) const NAME: &str = ".s.PGSQL.5432";

/// The mode of the folder that the proxy makes, for this user alone.
const CLOSED: u32 = 0o700;
/// And for others, who can then enter it and no more.
const OPEN: u32 = 0o711;

/// The folders, by device and inode, that this process has made. It changes the mode of no other.
static MADE: Mutex<Vec<(u64, u64)>> = Mutex::new(Vec::new());

/// An open socket.
pub(crate) struct Socket {
    /// Dropped first: as soon as nobody listens, another proxy may put its own there.
    #[expect(dead_code, reason = "removes the file when it is dropped")]
    file: Option<File>,
    listener: UnixListener,
    path: PathBuf,
    user: u32,
}

/// The file of a socket that is ours, and its device and inode. It vanishes when this is dropped, unless
/// another file has its place by then.
struct File(PathBuf, (u64, u64));

impl Drop for File {
    fn drop(&mut self) {
        if fs::symlink_metadata(&self.0).is_ok_and(|found| identity(&found) == self.1) {
            let _ = fs::remove_file(&self.0);
        }
    }
}

fn identity(file: &Metadata) -> (u64, u64) {
    (file.dev(), file.ino())
}

impl Socket {
    pub(super) fn open(folder: &Path, allowed: &[u32]) -> Result<Self, Error> {
        let user = rustix::process::geteuid().as_raw();
        let path = folder.join(NAME);
        if let Some(listener) = inherited::unix(folder)? {
            check(folder, allowed)?;
            let (file, listener) = (None, listener);
            return Ok(Self {
                listener,
                path,
                file,
                user,
            });
        }
        let other = |error: io::Error| failed(folder, &error);
        match DirBuilder::new().mode(CLOSED).create(folder) {
            Ok(()) => {
                let made = fs::metadata(folder).map_err(other)?;
                locked(&MADE).push(identity(&made));
            }
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            Err(error) if error.kind() == ErrorKind::NotFound => {
                return Err(Error::Other(format!(
                    "socket: {} does not exist; accepted: a folder in one that exists",
                    folder.parent().unwrap_or(folder).display()
                )));
            }
            Err(error) => return Err(other(error)),
        }
        check(folder, allowed)?;
        remove_left_over(&path)?;
        let listener = UnixListener::bind(&path).map_err(|error| failed(&path, &error))?;
        let bound = fs::symlink_metadata(&path).map_err(other)?;
        let file = Some(File(path.clone(), identity(&bound)));
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

/// Checks that the path of a socket in this folder is one that the system takes.
pub(super) fn check_path(folder: &Path) -> Result<(), Error> {
    match SockAddr::unix(folder.join(NAME)) {
        Ok(_) => Ok(()),
        Err(_) => Err(Error::Usage(format!(
            "socket: {} is too long for the path of a socket; accepted: a shorter one",
            folder.display()
        ))),
    }
}

/// Checks the folder of a socket. Others may enter it only if they may connect, or if systemd opened it,
/// and never write to it: they could put another socket there.
pub(super) fn check(folder: &Path, allowed: &[u32]) -> Result<(), Error> {
    check_path(folder)?;
    missing_mode(folder, allowed).map(drop)
}

/// Sets the mode of a folder that [`check`] accepts because this process has made it.
pub(super) fn fit(folder: &Path, allowed: &[u32]) -> Result<(), Error> {
    match missing_mode(folder, allowed)? {
        Some(mode) => set_mode(folder, mode).map_err(|error| failed(folder, &error)),
        None => Ok(()),
    }
}

/// Checks a folder. Returns the mode that it must get, if it has another one.
fn missing_mode(folder: &Path, allowed: &[u32]) -> Result<Option<u32>, Error> {
    let shown = folder.display();
    let metadata = fs::metadata(folder).map_err(|error| failed(folder, &error))?;
    let user = rustix::process::geteuid().as_raw();
    let mode = metadata.mode() & 0o777;
    let is_inherited = inherited::has(folder)?;
    let is_own = |made: u32| mode == made && locked(&MADE).contains(&identity(&metadata));
    if allowed.is_empty() && !is_inherited {
        if metadata.is_dir() && metadata.uid() == user && mode & 0o077 == 0 {
            return Ok(None);
        }
        if is_own(OPEN) {
            return Ok(Some(CLOSED));
        }
        return Err(Error::Usage(format!(
            "socket: {shown} is not a folder of this user alone; accepted: a folder with mode \
             0700 (`chmod 700` if it is yours), or one that does not exist yet"
        )));
    }
    let is_trusted = metadata.uid() == user || metadata.uid() == 0;
    if !metadata.is_dir() || !is_trusted || mode & 0o022 != 0 {
        return Err(Error::Usage(format!(
            "socket: others can write to {shown}; accepted: a folder of this user or of root that \
             only its owner can write to, such as one with mode 0711 or 0755, or one that does not \
             exist yet"
        )));
    }
    // Root can enter every folder.
    let mut others = allowed.iter().filter(|id| ![0, user].contains(*id));
    match others.next() {
        Some(_) if is_own(CLOSED) => Ok(Some(OPEN)),
        Some(other) if mode & 0o011 == 0 => Err(Error::Usage(format!(
            "allow uid: user {other} cannot enter {shown}, which has the mode {mode:04o}; accepted: a \
             folder with mode 0711 (`chmod 711`) or 0755, or one that does not exist yet"
        ))),
        _ => Ok(None),
    }
}

fn set_mode(path: &Path, mode: u32) -> io::Result<()> {
    fs::set_permissions(path, fs::Permissions::from_mode(mode))
}

fn failed(folder: &Path, error: &io::Error) -> Error {
    Error::Other(format!("socket: {}: {error}", folder.display()))
}

/// Removes the socket of a proxy that was killed.
fn remove_left_over(path: &Path) -> Result<(), Error> {
    match probe(path).map_err(|error| error.kind()) {
        Ok(()) | Err(ErrorKind::WouldBlock) => Err(Error::Other(format!(
            "socket: a program already listens on {}",
            path.display()
        ))),
        // A connection to a file that is no socket is refused, too.
        Err(ErrorKind::ConnectionRefused) if is_socket(path) => {
            let removed = fs::remove_file(path);
            removed.map_err(|error| Error::Other(format!("socket: {}: {error}", path.display())))
        }
        // Whatever else is there, bind() reports it.
        Err(_) => Ok(()),
    }
}

fn is_socket(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|metadata| metadata.file_type().is_socket())
}

/// Connects. Would block if as many clients as may already wait for the program.
fn probe(path: &Path) -> io::Result<()> {
    let probe = Probe::new(Domain::UNIX, Type::STREAM, None)?;
    probe.set_nonblocking(true)?;
    probe.connect(&SockAddr::unix(path)?)
}

#[cfg(test)]
mod tests {
    use tokio::runtime::Builder;

    use super::*;

    #[test]
    fn the_socket_of_another_proxy_stays() {
        let runtime = Builder::new_current_thread().enable_io().build().unwrap();
        let _inside = runtime.enter();
        let folder = std::env::temp_dir().join(format!("rdsign-socket-{}", std::process::id()));
        let first = Socket::open(&folder, &[]).unwrap();
        // As a program does that cleans a folder of temporary files.
        fs::remove_file(first.path()).unwrap();
        let second = Socket::open(&folder, &[]).unwrap();
        drop(first);
        assert!(second.path().exists());
        drop(second);
        // Nothing is left in it.
        fs::remove_dir(folder).unwrap();
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_program_that_accepts_no_client_for_now_keeps_its_socket() {
        let folder = std::env::temp_dir().join(format!("rdsign-busy-{}", std::process::id()));
        // One that a killed test has left.
        let _ = fs::remove_dir_all(&folder);
        DirBuilder::new().mode(CLOSED).create(&folder).unwrap();
        let address = SockAddr::unix(folder.join(NAME)).unwrap();
        let new = || Probe::new(Domain::UNIX, Type::STREAM, None).unwrap();
        let busy = new();
        busy.bind(&address).unwrap();
        busy.listen(0).unwrap();
        let waiting = new();
        waiting.connect(&address).unwrap();
        let problem = Socket::open(&folder, &[]).err().unwrap().to_string();
        fs::remove_dir_all(folder).unwrap();
        assert!(
            problem.contains("a program already listens on"),
            "{problem}"
        );
    }
}
