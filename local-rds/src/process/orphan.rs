//! Stops a PostgreSQL that was left running in a data folder when its launcher was killed.
//!
//! The signal goes to a process id. First the process is checked to be the PostgreSQL of this
//! folder, because ids are reused and the folder's owner can write any id into the file.

use std::io;
use std::path::Path;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::folder::regular;
use crate::process::run_as::RunAs;

/// PostgreSQL's immediate shutdown takes a few milliseconds.
const SHUTDOWN: Duration = Duration::from_secs(5);

/// Stops the PostgreSQL that runs in the data folder `data`, if any, and waits until it is gone.
pub(crate) fn stop_server_in(data: &Path, run_as: &RunAs) -> io::Result<()> {
    let Some(server) = server_in(data, run_as) else {
        return Ok(());
    };
    let _ = kill(server, Signal::SIGQUIT); // asks for an immediate shutdown
    let start = Instant::now();
    while server_in(data, run_as) == Some(server) {
        if start.elapsed() > SHUTDOWN {
            return Err(io::ErrorKind::TimedOut.into());
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    Ok(())
}

/// Returns the process named in `data/postmaster.pid`, if it is a PostgreSQL running in `data`.
fn server_in(data: &Path, run_as: &RunAs) -> Option<Pid> {
    let read = || regular::read(&data.join("postmaster.pid"));
    let text = run_as.as_owner(read).ok()?;
    let pid: i32 = text
        .lines()
        .next()?
        .trim()
        .parse()
        .ok()
        .filter(|pid| *pid > 1)?;
    let process = Path::new("/proc").join(pid.to_string());
    let program = std::fs::read_link(process.join("exe")).ok()?;
    let folder = std::fs::read_link(process.join("cwd")).ok()?;
    let matches = program
        .file_name()?
        .to_string_lossy()
        .starts_with("postgres")
        && folder == data.canonicalize().ok()?;
    matches.then_some(Pid::from_raw(pid))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_that_is_not_postgresql_is_not_signalled() {
        let data = tempfile::tempdir().unwrap();
        let mut other = std::process::Command::new("sleep")
            .arg("60")
            .current_dir(data.path())
            .spawn()
            .unwrap();
        std::fs::write(
            data.path().join("postmaster.pid"),
            format!("{}\n", other.id()),
        )
        .unwrap();
        assert!(stop_server_in(data.path(), &RunAs::choose(None).unwrap()).is_ok());
        assert!(other.try_wait().unwrap().is_none());
        other.kill().unwrap();
        other.wait().unwrap();
    }
}
