//! Removes what earlier servers left behind, whose launcher was killed before it could.
//!
//! Their PostgreSQL was told by the system to stop and mostly has. One that still runs is stopped
//! by its process id, but only once that process is known to be the PostgreSQL of that very
//! folder: ids are used again, and the temporary folder is everybody's.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::{Pid, Uid};

use crate::account::Account;
use crate::folder::{LOCK, PREFIX};

/// After this time a folder without a lock is no start in progress.
const START_OF_A_START: Duration = Duration::from_secs(60);
/// PostgreSQL's immediate shutdown takes a few milliseconds.
const SHUTDOWN: Duration = Duration::from_secs(5);

/// Removes the folders in `parent` that nobody uses any more. What cannot be removed is left to
/// the next start.
pub(crate) fn remove(parent: &Path, account: &Account) {
    for entry in std::fs::read_dir(parent).into_iter().flatten().flatten() {
        if entry.file_name().to_string_lossy().starts_with(PREFIX) {
            let _ = remove_if_unused(&entry.path(), account);
        }
    }
}

fn remove_if_unused(folder: &Path, account: &Account) -> io::Result<()> {
    let about = std::fs::symlink_metadata(folder)?;
    let ours = [Uid::effective().as_raw(), account.uid().as_raw()];
    if !about.is_dir() || !ours.contains(&about.uid()) {
        return Ok(());
    }
    let lock = match open_lock(&folder.join(LOCK)) {
        Ok(lock) => Some(lock),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(error),
    };
    match &lock {
        Some(lock) if lock.metadata()?.uid() != ours[0] || lock.try_lock().is_err() => {
            return Ok(());
        }
        None if about.modified()?.elapsed().unwrap_or_default() < START_OF_A_START => return Ok(()),
        _ => {}
    }
    stop_server_in(&folder.join("data"))?;
    std::fs::remove_dir_all(folder)
}

fn open_lock(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .write(true)
        .custom_flags(libc::O_NOFOLLOW)
        .open(path)
}

/// Stops the PostgreSQL whose data folder is `data`, where one runs, and waits until it has gone.
pub(crate) fn stop_server_in(data: &Path) -> io::Result<()> {
    let Some(server) = server_in(data) else {
        return Ok(());
    };
    let _ = kill(server, Signal::SIGQUIT); // immediate shutdown
    let start = Instant::now();
    while server_in(data) == Some(server) {
        if start.elapsed() > SHUTDOWN {
            return Err(io::ErrorKind::TimedOut.into());
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    Ok(())
}

/// The process that `data/postmaster.pid` names, if it is a PostgreSQL at work in `data`.
fn server_in(data: &Path) -> Option<Pid> {
    let text = std::fs::read_to_string(data.join("postmaster.pid")).ok()?;
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
    let is_it = program
        .file_name()?
        .to_string_lossy()
        .starts_with("postgres")
        && folder == data.canonicalize().ok()?;
    is_it.then_some(Pid::from_raw(pid))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::folder::Folder;

    fn leftovers(parent: &Path) -> usize {
        std::fs::read_dir(parent).unwrap().count()
    }

    fn old_folder(parent: &Path, lock: bool) -> std::path::PathBuf {
        let folder = parent.join(format!("{PREFIX}old"));
        std::fs::create_dir_all(folder.join("data")).unwrap();
        if lock {
            File::create(folder.join(LOCK)).unwrap();
        }
        folder
    }

    #[test]
    fn a_folder_whose_lock_is_free_is_removed() {
        let parent = tempfile::tempdir().unwrap();
        old_folder(parent.path(), true);
        remove(parent.path(), &Account::choose(None).unwrap());
        assert_eq!(leftovers(parent.path()), 0);
    }

    #[test]
    fn a_folder_whose_lock_is_held_stays() {
        let parent = tempfile::tempdir().unwrap();
        let folder = old_folder(parent.path(), true);
        let lock = open_lock(&folder.join(LOCK)).unwrap();
        lock.lock().unwrap();
        let account = Account::choose(None).unwrap();
        remove(parent.path(), &account);
        assert_eq!(leftovers(parent.path()), 1);
        drop(lock);
        // A process that another test has forked may hold it too, until it runs its program.
        let start = Instant::now();
        while leftovers(parent.path()) > 0 && start.elapsed() < SHUTDOWN {
            remove(parent.path(), &account);
        }
        assert_eq!(leftovers(parent.path()), 0);
    }

    #[test]
    fn a_folder_that_is_just_being_made_stays() {
        let parent = tempfile::tempdir().unwrap();
        old_folder(parent.path(), false);
        remove(parent.path(), &Account::choose(None).unwrap());
        assert_eq!(leftovers(parent.path()), 1);
    }

    #[test]
    fn what_only_looks_like_a_folder_of_ours_stays() {
        let parent = tempfile::tempdir().unwrap();
        let elsewhere = tempfile::tempdir().unwrap();
        File::create(elsewhere.path().join(LOCK)).unwrap();
        let link = parent.path().join(format!("{PREFIX}link"));
        std::os::unix::fs::symlink(elsewhere.path(), link).unwrap();
        File::create(parent.path().join(format!("{PREFIX}file"))).unwrap();
        remove(parent.path(), &Account::choose(None).unwrap());
        assert_eq!(leftovers(parent.path()), 2);
        assert_eq!(leftovers(elsewhere.path()), 1);
    }

    #[test]
    fn a_process_that_is_no_postgresql_is_not_signalled() {
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
        assert!(stop_server_in(data.path()).is_ok());
        assert!(other.try_wait().unwrap().is_none());
        other.kill().unwrap();
        other.wait().unwrap();
    }

    #[test]
    fn data_that_is_not_ours_is_refused() {
        let parent = tempfile::tempdir().unwrap();
        std::fs::write(parent.path().join("thesis.txt"), "").unwrap();
        let refused = Folder::kept(parent.path(), &Account::choose(None).unwrap());
        assert!(refused.is_err_and(|error| error.to_string().contains("left alone")));
        assert_eq!(leftovers(parent.path()), 1);
    }
}
