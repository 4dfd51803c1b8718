//! The two channels: standard input and output, and a Unix socket in the server's folder.
//!
//! The socket answers the user of this process and root only. Both run in threads of their own, next to the
//! thread that watches the server.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use nix::unistd::Uid;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::net::sockopt::socket_peercred;
use serde_json::{Value, json};

use super::Control;
use super::output::Output;
use crate::folder::Folder;

/// The name of the socket in the folder.
const SOCKET: &str = "control.sock";
/// A longer request is not read.
const LONGEST_REQUEST: u64 = 16 << 20;
/// How long the socket waits after a connection that cannot be accepted.
const PAUSE: Duration = Duration::from_millis(100);

/// How long a request may still run when nobody writes to standard input any more.
const LAST_REQUEST: Duration = Duration::from_secs(5);

/// Sees that a request runs for too long after the end of standard input, which is read only after it.
pub(crate) struct Abandoned {
    answered: u64,
    since: Instant,
}

impl Abandoned {
    pub(crate) fn new() -> Self {
        let since = Instant::now();
        Self { answered: 0, since }
    }

    pub(crate) fn check(&mut self, control: &Control) -> bool {
        let answered = control.answered.load(Ordering::Relaxed);
        if answered != self.answered || !has_no_writer(&io::stdin()) {
            self.answered = answered;
            self.since = Instant::now();
        }
        self.since.elapsed() > LAST_REQUEST
    }
}

/// Whether the other end of a pipe or a socket is closed, perhaps with lines that are still to be read.
fn has_no_writer(input: &impl AsFd) -> bool {
    let ended = PollFlags::HUP | PollFlags::RDHUP;
    let mut inputs = [PollFd::new(input, ended)];
    let at_once = Timespec::default();
    poll(&mut inputs, Some(&at_once)).is_ok() && inputs[0].revents().intersects(ended)
}

/// Answers the requests on standard input until it ends, which stops the server.
pub(super) fn answer_stdin(control: Arc<Control>, output: Output) -> io::Result<()> {
    let answer = move || {
        let _ = answer_lines(&control, BufReader::new(io::stdin()), |answer| {
            output.answer(answer);
            control.answered.fetch_add(1, Ordering::Relaxed);
            Ok(())
        });
        control.stop();
    };
    std::thread::Builder::new()
        .name("requests".to_owned())
        .spawn(answer)?;
    Ok(())
}

/// A socket that accepts connections.
pub(super) struct Socket {
    listener: UnixListener,
    pub(super) path: PathBuf,
}

impl Socket {
    /// Creates it. `None` if a path in this folder is too long for a socket.
    pub(super) fn listen(folder: &Folder) -> io::Result<Option<Self>> {
        let path = folder.path(SOCKET);
        folder.run_as().as_owner(|| {
            remove(&path)?;
            let listener = match UnixListener::bind(&path) {
                Ok(listener) => listener,
                Err(error) if error.kind() == io::ErrorKind::InvalidInput => return Ok(None),
                Err(error) => return Err(error),
            };
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600))?;
            Ok(Some(Self {
                listener,
                path: path.clone(),
            }))
        })
    }

    /// Answers the requests of every connection.
    pub(super) fn answer(self, control: Arc<Control>) -> io::Result<()> {
        let accept = move || {
            for stream in self.listener.incoming() {
                let Ok(stream) = stream else {
                    // The usual reason is that no file descriptor is free, and then the next call fails too.
                    std::thread::sleep(PAUSE);
                    continue;
                };
                let control = Arc::clone(&control);
                // A client that finds no thread sees its connection closed.
                let _ = std::thread::Builder::new()
                    .name("socket".to_owned())
                    .spawn(move || answer_stream(&control, &stream));
            }
        };
        std::thread::Builder::new()
            .name("sockets".to_owned())
            .spawn(accept)?;
        Ok(())
    }
}

/// Removes the socket of a folder that is kept.
pub(crate) fn remove_socket(folder: &Folder) {
    let _ = folder.run_as().as_owner(|| remove(&folder.path(SOCKET)));
}

fn remove(path: &Path) -> io::Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

fn answer_stream(control: &Control, stream: &UnixStream) {
    let may = |uid| uid == Uid::effective().as_raw() || uid == 0;
    if socket_peercred(stream).is_ok_and(|peer| may(peer.uid.as_raw())) {
        let mut writer = stream;
        let _ = answer_lines(control, BufReader::new(stream), |answer| {
            writer.write_all(format!("{answer}\n").as_bytes())
        });
    }
}

/// Answers each line. Returns at the end, or if the channel fails.
fn answer_lines(
    control: &Control,
    mut lines: impl BufRead,
    mut write: impl FnMut(&Value) -> io::Result<()>,
) -> io::Result<()> {
    loop {
        let mut line = Vec::new();
        lines
            .by_ref()
            .take(LONGEST_REQUEST)
            .read_until(b'\n', &mut line)?;
        if line.is_empty() {
            return Ok(());
        }
        if line.last() != Some(&b'\n') && line.len() as u64 == LONGEST_REQUEST {
            let message = format!("a request is longer than {LONGEST_REQUEST} bytes");
            return write(&json!({"id": null, "error": {"message": message}}));
        }
        if !line.trim_ascii().is_empty() {
            let Some(answer) = control.answer(&String::from_utf8_lossy(&line)) else {
                return Ok(());
            };
            write(&answer)?;
        }
    }
}
