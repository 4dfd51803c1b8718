//! Runs a command beside the server, and passes on to it what this process is told.

use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{Child, Command, ExitCode, ExitStatus};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::error::{Context, LocalError};
use crate::server::Server;
use crate::signals::{Signals, Wake};

/// How long a command that was told to stop has for it.
const STOPS_WITHIN: Duration = Duration::from_secs(5);

/// Runs `command` to its end, and gives its exit status as shells have it: 128 and the number of
/// the signal that ended it.
///
/// # Errors
/// Where it cannot be started, or the server ends before it does.
pub(crate) fn run(
    mut command: Command,
    server: &mut Server,
    signals: &Signals,
) -> Result<ExitCode, LocalError> {
    signals.restore_in(&mut command, Signal::SIGTERM, false);
    let mut child = command.spawn().map_err(|source| LocalError::Command {
        command: PathBuf::from(command.get_program()),
        source,
    })?;
    let mut deadline = None;
    loop {
        if let Some(status) = child
            .try_wait()
            .context(|| "waiting for the command".to_owned())?
        {
            return Ok(exit_code(status));
        }
        if let Err(error) = server.check() {
            stop(&mut child, signals);
            return Err(error);
        }
        let left =
            deadline.map(|deadline: Instant| deadline.saturating_duration_since(Instant::now()));
        match signals.wait(left)? {
            Wake::Stop {
                signal,
                from_terminal,
            } => {
                if !from_terminal {
                    send(&child, signal);
                }
                // It may go on after SIGINT, as psql does, which ends a query with it.
                if signal != Signal::SIGINT {
                    deadline = deadline.or(Some(Instant::now() + STOPS_WITHIN));
                }
            }
            Wake::Timeout => {
                send(&child, Signal::SIGKILL);
                deadline = None;
            }
            Wake::Child => {}
        }
    }
}

/// To be called only while the end of `child` has not been seen: its id is somebody else's then.
fn send(child: &Child, signal: Signal) {
    if let Ok(id) = i32::try_from(child.id()) {
        let _ = kill(Pid::from_raw(id), signal);
    }
}

/// For a command whose server is gone.
fn stop(child: &mut Child, signals: &Signals) {
    send(child, Signal::SIGTERM);
    let deadline = Instant::now() + STOPS_WITHIN;
    while matches!(child.try_wait(), Ok(None)) {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            send(child, Signal::SIGKILL);
            let _ = child.wait();
        } else {
            let _ = signals.wait(Some(left));
        }
    }
}

fn exit_code(status: ExitStatus) -> ExitCode {
    let number = status
        .code()
        .or_else(|| status.signal().map(|signal| 128 + signal));
    ExitCode::from(
        number
            .and_then(|number| u8::try_from(number).ok())
            .unwrap_or(1),
    )
}
