//! Runs the user's command next to the server, and forwards the signals that this process gets.
//!
//! A command may continue after SIGINT. After any other signal it has a few seconds to exit.

use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{Child, Command, ExitCode, ExitStatus};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::error::{Context, LocalError};
use crate::process::signals::{Signals, Wake};

/// How long a command may take to exit after a signal.
const STOPS_WITHIN: Duration = Duration::from_secs(5);

/// Runs `command` to its end and returns its exit status as a shell would: 128 plus the signal's
/// number if a signal ended it.
///
/// Calls `check_server` at least once in each `interval`.
///
/// # Errors
/// The command could not be started, or `check_server` returned an error while it ran. The command
/// is stopped in that case.
pub(crate) fn run(
    mut command: Command,
    signals: &Signals,
    interval: Duration,
    mut check_server: impl FnMut() -> Result<(), LocalError>,
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
        if let Err(error) = check_server() {
            stop(&mut child, signals);
            return Err(error);
        }
        let left =
            deadline.map(|deadline: Instant| deadline.saturating_duration_since(Instant::now()));
        if left.is_some_and(|left| left.is_zero()) {
            send(&child, Signal::SIGKILL);
            deadline = None;
            continue;
        }
        match signals.wait(Some(left.map_or(interval, |left| left.min(interval))))? {
            Wake::Stop {
                signal,
                from_terminal,
            } => {
                if !from_terminal {
                    send(&child, signal);
                }
                // It may continue after SIGINT: psql, for example, only cancels its query.
                if signal != Signal::SIGINT {
                    deadline = deadline.or(Some(Instant::now() + STOPS_WITHIN));
                }
            }
            Wake::Timeout | Wake::Child => {}
        }
    }
}

/// Must not be called after `child` was waited for, because another process may have its id.
fn send(child: &Child, signal: Signal) {
    if let Ok(id) = i32::try_from(child.id()) {
        let _ = kill(Pid::from_raw(id), signal);
    }
}

/// Stops a command whose server is gone.
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
