//! Runs a program that takes part in setting the server up, to its end.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::error::{Context, LocalError, LogTail};
use crate::signals::{Signals, Wake};

/// Runs `command` with `input` as its standard input and what it says in `log`. A signal to this
/// process ends it, and whatever it has started, at once.
pub(crate) fn run(
    step: &'static str,
    command: &mut Command,
    input: &str,
    log: &Path,
    signals: &Signals,
) -> Result<(), LocalError> {
    let output = OpenOptions::new().append(true).open(log);
    let output = output.context(|| format!("opening {}", log.display()))?;
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(output);
    signals.restore_in(command, Signal::SIGKILL, true);
    let mut child = command.spawn().context(|| format!("starting {step}"))?;
    if let Some(mut stdin) = child.stdin.take() {
        // One that ends early closes it; how it ended says more than that does.
        let _ = stdin.write_all(input.as_bytes());
    }
    let status = loop {
        if let Some(status) = child.try_wait().context(|| format!("waiting for {step}"))? {
            break status;
        }
        if let Wake::Stop { signal, .. } = signals.wait(None)? {
            // Its session is its process group, so what it has started goes with it.
            if let Ok(group) = i32::try_from(child.id()) {
                let _ = kill(Pid::from_raw(-group), Signal::SIGKILL);
            }
            let _ = child.wait();
            return Err(LocalError::Interrupted(signal as i32));
        }
    };
    if status.success() {
        return Ok(());
    }
    Err(LocalError::Setup {
        step,
        status: status.to_string(),
        tail: LogTail::of(log),
    })
}
