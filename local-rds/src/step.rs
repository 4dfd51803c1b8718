//! Runs a program that takes part in setting the server up, to its end.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, killpg};
use nix::unistd::{Pid, getpgid};

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
            end_with_all_it_started(&mut child);
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

/// How long killed processes may take to be gone.
const END: Duration = Duration::from_secs(2);

/// Ends a child that leads its session, and so a process group. What it has started is no child of
/// this process and cannot be waited for, but until it is gone it may still write.
fn end_with_all_it_started(child: &mut Child) {
    let leader = i32::try_from(child.id()).map(Pid::from_raw);
    if let Ok(leader) = leader {
        let _ = killpg(leader, Signal::SIGKILL);
    }
    let _ = child.wait();
    let deadline = Instant::now() + END;
    while leader.is_ok_and(is_at_work) && Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// Whether a process group has one that has not ended. One that nobody has waited for is still
/// there, but in no folder.
fn is_at_work(leader: Pid) -> bool {
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
    fn what_a_killed_step_has_started_is_gone_with_it() {
        // The second process keeps 200 MB, which take a while to be given back.
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
            assert!(Instant::now() < deadline, "dd has no memory");
            std::thread::yield_now();
        }
        end_with_all_it_started(&mut child);
        assert!(!is_at_work(leader), "it is there");
    }
}
