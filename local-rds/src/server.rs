//! The running PostgreSQL: started as our own child, watched, and stopped by its process id.
//!
//! It is ours and not pg_ctl's, so that the system itself tells it to stop when this process is
//! killed outright. That follows the thread that started it: start it from one that lives as long
//! as the process.

use std::fs::OpenOptions;
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, ExitStatus};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::cluster::DATA;
use crate::decision::{CONFIG_VARIABLE, ENDPOINTS_VARIABLE, PORT_VARIABLE};
use crate::error::{Context, LocalError, LogTail};
use crate::folder::Folder;
use crate::postgres::Postgres;
use crate::signals::{Signals, Wake};
use crate::{library, roles};

/// The name of the log in the folder.
pub(crate) const LOG: &str = "server.log";

const LOOK_AGAIN: Duration = Duration::from_millis(5);
/// Fast shutdown waits for a checkpoint; then immediate shutdown; then the system's own.
const FAST_SHUTDOWN: Duration = Duration::from_secs(20);
const IMMEDIATE_SHUTDOWN: Duration = Duration::from_secs(5);

/// A PostgreSQL that runs.
pub(crate) struct Server {
    child: Child,
    port: u16,
    log: PathBuf,
}

/// What a server is started with.
pub(crate) struct Start<'a> {
    pub(crate) folder: &'a Folder,
    pub(crate) postgres: &'a Postgres,
    pub(crate) config: &'a Path,
    pub(crate) endpoints: &'a [String],
    pub(crate) signals: &'a Signals,
}

impl Start<'_> {
    /// Starts it and waits until it takes connections.
    pub(crate) fn start(&self, port: u16) -> Result<Server, LocalError> {
        let log = self.folder.path(LOG);
        let open = || OpenOptions::new().append(true).open(&log);
        let output = || open().context(|| format!("opening {}", log.display()));
        let mut command = self
            .folder
            .account()
            .command(self.postgres.program("postgres"));
        command
            .arg("-D")
            .arg(self.folder.path(DATA))
            .arg("-p")
            .arg(port.to_string());
        // By a path relative to the working folder: LD_PRELOAD splits at spaces and colons, which
        // the folder's own path may have.
        command.current_dir(self.folder.path(DATA));
        command.env("LD_PRELOAD", format!("../{}", library::NAME));
        command.env(CONFIG_VARIABLE, self.config);
        command.env(PORT_VARIABLE, port.to_string());
        command.env(ENDPOINTS_VARIABLE, self.endpoints.join(","));
        if self.postgres.version().major >= roles::CHANGED_IN {
            command.env(roles::ROLES_VARIABLE, "1");
        }
        command.stdout(output()?).stderr(output()?);
        self.signals.restore_in(&mut command, Signal::SIGINT, true);
        let child = command.spawn().context(|| "starting postgres".to_owned())?;
        let mut server = Server { child, port, log };
        server.wait_until_ready(self)?;
        Ok(server)
    }
}

impl Server {
    fn wait_until_ready(&mut self, start: &Start<'_>) -> Result<(), LocalError> {
        let status_file = start.folder.path(DATA).join("postmaster.pid");
        loop {
            self.check()?;
            if is_ready(&status_file, self.child.id()) {
                break;
            }
            if let Wake::Stop { signal, .. } = start.signals.wait(Some(LOOK_AGAIN))? {
                self.stop(start.signals);
                return Err(LocalError::Interrupted(signal as i32));
            }
        }
        // A library that the system's loader could not load is only a line in the log, and the
        // real PAM would answer in its place.
        let maps = std::fs::read_to_string(format!("/proc/{}/maps", self.child.id()));
        if maps
            .context(|| "looking at postgres".to_owned())?
            .contains(library::NAME)
        {
            return Ok(());
        }
        self.stop(start.signals);
        Err(LocalError::LibraryNotLoaded(LogTail::of(&self.log)))
    }

    /// An error if it has ended by itself.
    pub(crate) fn check(&mut self) -> Result<(), LocalError> {
        match self
            .child
            .try_wait()
            .context(|| "waiting for postgres".to_owned())?
        {
            None => Ok(()),
            Some(status) => Err(self.ended(status)),
        }
    }

    fn ended(&self, status: ExitStatus) -> LocalError {
        let tail = LogTail::of(&self.log);
        if tail.says("Address already in use") {
            return LocalError::Port(self.port, std::io::ErrorKind::AddrInUse.into());
        }
        LocalError::ServerEnded {
            status: status.to_string(),
            tail,
        }
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// Stops it, with its sessions. Someone who asks again in the meantime gets it faster.
    pub(crate) fn stop(&mut self, signals: &Signals) {
        self.signal(Signal::SIGINT);
        if self.has_ended_within(FAST_SHUTDOWN, Some(signals)) {
            return;
        }
        self.signal(Signal::SIGQUIT);
        if self.has_ended_within(IMMEDIATE_SHUTDOWN, None) {
            return;
        }
        self.signal(Signal::SIGKILL);
        let _ = self.child.wait();
    }

    /// Not to one whose end has been seen: its process id may be somebody else's by now.
    fn signal(&mut self, signal: Signal) {
        if let (Ok(None), Ok(id)) = (self.child.try_wait(), i32::try_from(self.child.id())) {
            let _ = kill(Pid::from_raw(id), signal);
        }
    }

    fn has_ended_within(&mut self, limit: Duration, signals: Option<&Signals>) -> bool {
        let start = Instant::now();
        loop {
            if !matches!(self.child.try_wait(), Ok(None)) {
                return true;
            }
            let Some(left) = limit.checked_sub(start.elapsed()) else {
                return false;
            };
            match signals.map(|signals| signals.wait(Some(left))) {
                Some(Ok(Wake::Stop { .. })) => return false,
                Some(Ok(_)) => {}
                None | Some(Err(_)) => std::thread::sleep(LOOK_AGAIN),
            }
        }
    }
}

impl Drop for Server {
    /// For the ways out that forgot to stop it: none may leave a PostgreSQL behind.
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            self.signal(Signal::SIGQUIT);
            if !self.has_ended_within(IMMEDIATE_SHUTDOWN, None) {
                self.signal(Signal::SIGKILL);
                let _ = self.child.wait();
            }
        }
    }
}

/// A port of 127.0.0.1 that nobody listens on: `wanted`, or any.
pub(crate) fn free_port(wanted: Option<u16>) -> Result<u16, LocalError> {
    let port = wanted.unwrap_or(0);
    TcpListener::bind((Ipv4Addr::LOCALHOST, port))
        .and_then(|listener| listener.local_addr())
        .map(|address| address.port())
        .map_err(|error| LocalError::Port(port, error))
}

/// The eighth line of the file that the server keeps about itself is its status.
fn is_ready(status_file: &Path, id: u32) -> bool {
    let text = std::fs::read_to_string(status_file).unwrap_or_default();
    let mut lines = text.lines();
    lines.next() == Some(id.to_string().as_str())
        && lines.nth(6).is_some_and(|status| status.trim() == "ready")
}
