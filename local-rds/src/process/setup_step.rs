//! Runs one step of the setup, such as initdb, and waits until its process ends.
//!
//! An interrupt kills the step together with every process it started, so that nothing still writes
//! to the server's folder when it is removed.

use std::fs::File;
use std::io::Write;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, killpg};
use nix::unistd::{Pid, getpgid};

use crate::error::{Context, LocalError, LogTail};
use crate::process::signals::{Signals, Wake};

/// Runs `command` with `input` as its standard input, and with `log` as its standard error.
///
/// Calls `check` at least once in each `interval`.
///
/// # Errors
/// It could not be started, it failed, `check` returned an error, or this process got a signal to stop.
pub(crate) fn run(
    step: &'static str,
    command: &mut Command,
    input: &str,
    log: File,
    signals: &Signals,
    interval: Duration,
    mut check: impl FnMut() -> Result<(), LocalError>,
) -> Result<(), LocalError> {
    let copy = log.try_clone().context(|| format!("starting {step}"))?;
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(copy);
    signals.restore_in(command, Signal::SIGKILL, true);
    let mut child = command.spawn().context(|| format!("starting {step}"))?;
    if let Some(mut stdin) = child.stdin.take() {
        // Fails if the process exits early; then its exit status says more than this error.
        let _ = stdin.write_all(input.as_bytes());
    }
    let status = loop {
        if let Some(status) = child.try_wait().context(|| format!("waiting for {step}"))? {
            break status;
        }
        if let Err(error) = check() {
            kill_with_descendants(&mut child);
            return Err(error);
        }
        if let Wake::Stop { signal, .. } = signals.wait(Some(interval))? {
            kill_with_descendants(&mut child);
            return Err(LocalError::Interrupted(signal as i32));
        }
    };
    if status.success() {
        return Ok(());
    }
    Err(LocalError::Setup {
        step,
        status: status.to_string(),
        tail: LogTail::of(&log),
    })
}

/// How long to wait until killed processes have vanished.
const GONE_WITHIN: Duration = Duration::from_secs(2);

/// Kills a child that leads its own process group, and the rest of that group.
///
/// The other processes are not children of this one and cannot be waited for, but they may write
/// to files until they have vanished. So this looks for them in /proc.
fn kill_with_descendants(child: &mut Child) {
    let leader = i32::try_from(child.id()).map(Pid::from_raw);
    if let Ok(leader) = leader {
        let _ = killpg(leader, Signal::SIGKILL);
    }
    let _ = child.wait();
    let deadline = Instant::now() + GONE_WITHIN;
    while leader.is_ok_and(is_running) && Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// Reports whether a process of this group still runs. A zombie is in /proc too, but has no working
/// folder.
fn is_running(leader: Pid) -> bool {
    let processes = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    processes.into_iter().any(|process| {
        let id = process
            .file_name()
            .to_str()
            .and_then(|name| name.parse().ok());
        id.is_some_and(|id| getpgid(Some(Pid::from_raw(id))) == Ok(leader))
            && std::fs::read_link(process.path().join("cwd")).is_ok()
    })
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::CommandExt;

    use super::*;

    #[test]
    fn processes_started_by_a_killed_step_are_killed() {
        // The second process holds 200 MB, which the system needs a while to free.
        let mut command = Command::new("sh");
        command.args([
            "-c",
            "dd if=/dev/zero of=/dev/null bs=200M status=none & wait",
        ]);
        command.process_group(0);
        let mut child = command.spawn().unwrap();
        let leader = Pid::from_raw(i32::try_from(child.id()).unwrap());
        let children = format!("/proc/{leader}/task/{leader}/children");
        let has_grown = || {
            let pid = std::fs::read_to_string(&children).ok()?;
            let memory = std::fs::read_to_string(format!("/proc/{}/statm", pid.trim())).ok()?;
            let pages: u64 = memory.split(' ').nth(1)?.parse().ok()?;
            (pages * 4096 > 150_000_000).then_some(())
        };
        let deadline = Instant::now() + Duration::from_secs(600);
        while has_grown().is_none() {
            assert!(Instant::now() < deadline, "dd did not allocate its memory");
            std::thread::yield_now();
        }
        kill_with_descendants(&mut child);
        assert!(!is_running(leader), "dd still runs");
    }
}
