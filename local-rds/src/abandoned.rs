//! Removes what earlier servers left behind, whose launcher was killed before it could.
//!
//! Their PostgreSQL was told by the system to stop and mostly has. One that still runs is stopped
//! by its process id, but only once that process is known to be the PostgreSQL of that very
//! folder: ids are used again, and what the folder says is its owner's word alone.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::MetadataExt;
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

/// Removes the folders of `account` in `parent` that nobody uses any more. What cannot be removed
/// is left to the next start.
pub(crate) fn remove(parent: &Path, account: &Account) {
    let owner = account.other().map_or(Uid::effective(), |user| user.uid);
    for entry in std::fs::read_dir(parent).into_iter().flatten().flatten() {
        if entry.file_name().to_string_lossy().starts_with(PREFIX) {
            // The lock is held until the folder is gone.
            if let Ok(Some(_lock)) = account.as_owner(|| take_over(&entry.path(), owner)) {
                let _ = stop_server_in(&entry.path().join("data"));
                let _ = account.as_owner(|| std::fs::remove_dir_all(entry.path()));
            }
        }
    }
}

/// The lock of an abandoned folder. Where it has none yet, the folder itself stands in for it.
fn take_over(folder: &Path, owner: Uid) -> io::Result<Option<File>> {
    let about = std::fs::symlink_metadata(folder)?;
    if !about.is_dir() || about.uid() != owner.as_raw() {
        return Ok(None);
    }
    let lock = match OpenOptions::new().write(true).open(folder.join(LOCK)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            if about.modified()?.elapsed().unwrap_or_default() < START_OF_A_START {
                return Ok(None);
            }
            File::open(folder)
        }
        other => other,
    }?;
    Ok(lock.try_lock().is_ok().then_some(lock))
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

    /// A folder that the user whom PostgreSQL would run as can make folders in.
    fn everybodys() -> tempfile::TempDir {
        let folder = tempfile::tempdir_in("/tmp").unwrap();
        let everybody = std::os::unix::fs::PermissionsExt::from_mode(0o777);
        std::fs::set_permissions(folder.path(), everybody).unwrap();
        folder
    }

    fn account() -> Account {
        Account::choose(None).unwrap()
    }

    fn leftovers(parent: &Path) -> usize {
        std::fs::read_dir(parent).unwrap().count()
    }

    fn old_folder(parent: &Path, lock: bool) -> std::path::PathBuf {
        let folder = parent.join(format!("{PREFIX}old"));
        account().as_owner(|| {
            std::fs::create_dir_all(folder.join("data")).unwrap();
            if lock {
                File::create(folder.join(LOCK)).unwrap();
            }
        });
        folder
    }

    #[test]
    fn a_folder_whose_lock_is_free_is_removed() {
        let parent = everybodys();
        old_folder(parent.path(), true);
        remove(parent.path(), &account());
        assert_eq!(leftovers(parent.path()), 0);
    }

    #[test]
    fn a_folder_whose_lock_is_held_stays() {
        let parent = everybodys();
        let folder = old_folder(parent.path(), true);
        let lock = File::open(folder.join(LOCK)).unwrap();
        lock.lock().unwrap();
        remove(parent.path(), &account());
        assert_eq!(leftovers(parent.path()), 1);
        drop(lock);
        // A process that another test has forked may hold it too, until it runs its program.
        let start = Instant::now();
        while leftovers(parent.path()) > 0 && start.elapsed() < 100 * SHUTDOWN {
            remove(parent.path(), &account());
        }
        assert_eq!(leftovers(parent.path()), 0);
    }

    #[test]
    fn a_folder_that_is_just_being_made_stays() {
        let parent = everybodys();
        old_folder(parent.path(), false);
        remove(parent.path(), &account());
        assert_eq!(leftovers(parent.path()), 1);
    }

    #[test]
    fn what_only_looks_like_a_folder_of_ours_stays() {
        let parent = everybodys();
        let elsewhere = tempfile::tempdir().unwrap();
        File::create(elsewhere.path().join(LOCK)).unwrap();
        let link = parent.path().join(format!("{PREFIX}link"));
        std::os::unix::fs::symlink(elsewhere.path(), link).unwrap();
        File::create(parent.path().join(format!("{PREFIX}file"))).unwrap();
        remove(parent.path(), &account());
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
        let parent = everybodys();
        std::fs::write(parent.path().join("thesis.txt"), "").unwrap();
        let refused = Folder::kept(parent.path(), account());
        assert!(refused.is_err_and(|error| error.to_string().contains("left alone")));
        assert_eq!(leftovers(parent.path()), 1);
    }
}
