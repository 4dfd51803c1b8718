//! The running PostgreSQL: started as a child process, watched, and stopped by its process id.
//!
//! It is started without pg_ctl so that it is a direct child: the system then tells it to stop even
//! if this process is killed. That signal is sent when the thread that started it ends, so start it
//! from a thread that lives as long as the process.

use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;
use std::process::{Child, ExitStatus};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::find::Postgres;
use super::log::{LOG, Log};
use super::preload_library;
use crate::error::{Context, LocalError};
use crate::folder::{DATA, Folder, regular};
use crate::login::variables::{CONFIG_VARIABLE, ENDPOINTS_VARIABLE, PORT_VARIABLE};
use crate::process::signals::{Signals, Wake};

/// How often a running server is checked.
pub(crate) const CHECK_INTERVAL: Duration = Duration::from_secs(1);
const POLL_INTERVAL: Duration = Duration::from_millis(5);
/// A fast shutdown waits for a checkpoint. If it takes longer than this, an immediate shutdown
/// follows, and then SIGKILL.
const FAST_SHUTDOWN: Duration = Duration::from_secs(20);
const IMMEDIATE_SHUTDOWN: Duration = Duration::from_secs(5);

/// A running PostgreSQL. Dropping it stops it.
pub(crate) struct Server {
    child: Child,
    port: u16,
    log: Log,
}

/// Everything needed to start a server, except for its port.
pub(crate) struct Start<'a> {
    pub(crate) folder: &'a Folder,
    pub(crate) postgres: &'a Postgres,
    pub(crate) config: &'a Path,
    pub(crate) endpoints: &'a [String],
    pub(crate) signals: &'a Signals,
}

impl Start<'_> {
    /// Starts the server and waits until it accepts connections.
    pub(crate) fn start(&self, port: u16) -> Result<Server, LocalError> {
        let log = Log::open(self.folder)?;
        let mut command = self
            .folder
            .run_as()
            .command(self.postgres.program("postgres"));
        command
            .arg("-D")
            .arg(self.folder.path(DATA))
            .arg("-p")
            .arg(port.to_string());
        // A relative path: LD_PRELOAD is split at spaces and colons, and the folder's absolute path
        // may contain them.
        command.current_dir(self.folder.path(DATA));
        let library = format!("../{}", preload_library::NAME);
        command
            .arg("-c")
            .arg(format!("shared_preload_libraries={library}"));
        command.env("LD_PRELOAD", library);
        command.env(CONFIG_VARIABLE, self.config);
        command.env(PORT_VARIABLE, port.to_string());
        command.env(ENDPOINTS_VARIABLE, self.endpoints.join(","));
        command
            .stdout(self.folder.append(LOG)?)
            .stderr(self.folder.append(LOG)?);
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
            if start
                .folder
                .run_as()
                .as_owner(|| is_ready(&status_file, self.child.id()))
            {
                return Ok(());
            }
            if let Wake::Stop { signal, .. } = start.signals.wait(Some(POLL_INTERVAL))? {
                self.stop(start.signals);
                return Err(LocalError::Interrupted(signal as i32));
            }
        }
    }

    /// Returns an error if the server has exited. Must be called every [`CHECK_INTERVAL`], because
    /// it also bounds the server's log.
    pub(crate) fn check(&mut self) -> Result<(), LocalError> {
        self.bound_log();
        self.check_process()
    }

    /// Cuts the log if it is too large, and reports whether it did.
    pub(crate) fn bound_log(&self) -> bool {
        self.log.bound().unwrap_or(false) // a full disk, for example, does not stop the server
    }

    /// Returns an error if the server has exited.
    pub(crate) fn check_process(&mut self) -> Result<(), LocalError> {
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
        let tail = self.log.tail();
        if tail.says("Address already in use") {
            return LocalError::Port(self.port, std::io::ErrorKind::AddrInUse.into());
        }
        LocalError::ServerEnded {
            status: status.to_string(),
            tail,
        }
    }

    /// Returns its process ID.
    pub(crate) fn process(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// Stops the server and its sessions. A further signal to this process makes it stop faster.
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

    /// Sends a signal unless the server has exited, because another process may have its id by
    /// then.
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
                None | Some(Err(_)) => std::thread::sleep(POLL_INTERVAL),
            }
        }
    }
}

impl Drop for Server {
    /// Stops the server on exit paths that do not call [`Server::stop`].
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

/// Returns a free port of 127.0.0.1: `wanted`, or any if that is `None` or 0.
pub(crate) fn free_port(wanted: Option<u16>) -> Result<u16, LocalError> {
    let port = wanted.unwrap_or(0);
    TcpListener::bind((Ipv4Addr::LOCALHOST, port))
        .and_then(|listener| listener.local_addr())
        .map(|address| address.port())
        .map_err(|error| LocalError::Port(port, error))
}

/// The first line of postmaster.pid is the server's process id, the eighth line its status.
fn is_ready(status_file: &Path, id: u32) -> bool {
    let text = regular::read(status_file).unwrap_or_default();
    let mut lines = text.lines();
    lines.next() == Some(id.to_string().as_str())
        && lines.nth(6).is_some_and(|status| status.trim() == "ready")
}
