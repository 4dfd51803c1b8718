//! Removes the temporary folders of launchers that were killed before they could do it.
//!
//! The system told the PostgreSQL in such a folder to stop when its launcher died, so it has
//! usually exited. If it still runs, it is stopped first.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::Duration;

use nix::unistd::Uid;

use super::{DATA, LOCK, PREFIX, regular};
use crate::process::orphan;
use crate::process::run_as::RunAs;

/// A folder without a lock file may belong to a launcher that is just starting, unless the folder
/// is older than this.
const UNTIL_LOCKED: Duration = Duration::from_secs(60);

/// Removes the unused folders in `parent` that belong to the user `run_as`. Those that cannot be
/// removed are left for the next start to try.
pub(crate) fn remove(parent: &Path, run_as: &RunAs) {
    let owner = run_as.other().map_or(Uid::effective(), |user| user.uid);
    for entry in std::fs::read_dir(parent).into_iter().flatten().flatten() {
        if entry.file_name().to_string_lossy().starts_with(PREFIX) {
            // Keeps the lock until the folder is gone.
            if let Ok(Some(_lock)) = run_as.as_owner(|| take_over(&entry.path(), owner)) {
                let _ = orphan::stop_server_in(&entry.path().join(DATA), run_as);
                let _ = run_as.as_owner(|| std::fs::remove_dir_all(entry.path()));
            }
        }
    }
}

/// Takes the lock of an unused folder, or locks the folder itself if it has no lock file.
fn take_over(folder: &Path, owner: Uid) -> io::Result<Option<File>> {
    let about = std::fs::symlink_metadata(folder)?;
    if !about.is_dir() || about.uid() != owner.as_raw() {
        return Ok(None);
    }
    let lock = match regular::open(OpenOptions::new().write(true), &folder.join(LOCK)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            if about.modified()?.elapsed().unwrap_or_default() < UNTIL_LOCKED {
                return Ok(None);
            }
            File::open(folder)
        }
        other => other,
    }?;
    Ok(lock.try_lock().is_ok().then_some(lock))
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    /// A folder in which the user that PostgreSQL would run as can create folders.
    fn writable_by_all() -> tempfile::TempDir {
        let folder = tempfile::tempdir_in("/tmp").unwrap();
        let everyone = std::os::unix::fs::PermissionsExt::from_mode(0o777);
        std::fs::set_permissions(folder.path(), everyone).unwrap();
        folder
    }

    fn run_as() -> RunAs {
        RunAs::choose(None).unwrap()
    }

    fn leftovers(parent: &Path) -> usize {
        std::fs::read_dir(parent).unwrap().count()
    }

    fn old_folder(parent: &Path, lock: bool) -> std::path::PathBuf {
        let folder = parent.join(format!("{PREFIX}old"));
        run_as().as_owner(|| {
            std::fs::create_dir_all(folder.join("data")).unwrap();
            if lock {
                File::create(folder.join(LOCK)).unwrap();
            }
        });
        folder
    }

    #[test]
    fn a_folder_whose_lock_is_free_is_removed() {
        let parent = writable_by_all();
        old_folder(parent.path(), true);
        remove(parent.path(), &run_as());
        assert_eq!(leftovers(parent.path()), 0);
    }

    #[test]
    fn a_folder_whose_lock_is_held_stays() {
        let parent = writable_by_all();
        let folder = old_folder(parent.path(), true);
        let lock = File::open(folder.join(LOCK)).unwrap();
        lock.lock().unwrap();
        remove(parent.path(), &run_as());
        assert_eq!(leftovers(parent.path()), 1);
        drop(lock);
        // A process that another test has just forked shares the lock until it runs its program.
        let start = Instant::now();
        while leftovers(parent.path()) > 0 && start.elapsed() < Duration::from_secs(500) {
            remove(parent.path(), &run_as());
        }
        assert_eq!(leftovers(parent.path()), 0);
    }

    #[test]
    fn a_folder_that_is_just_being_created_stays() {
        let parent = writable_by_all();
        old_folder(parent.path(), false);
        remove(parent.path(), &run_as());
        assert_eq!(leftovers(parent.path()), 1);
    }

    #[test]
    fn a_pipe_instead_of_a_lock_does_not_block() {
        let parent = writable_by_all();
        let folder = old_folder(parent.path(), false);
        let mode = nix::sys::stat::Mode::from_bits_truncate(0o600);
        run_as().as_owner(|| nix::unistd::mkfifo(&folder.join(LOCK), mode).unwrap());
        remove(parent.path(), &run_as());
        assert_eq!(leftovers(parent.path()), 1);
    }

    #[test]
    fn links_and_files_with_our_prefix_stay() {
        let parent = writable_by_all();
        let elsewhere = tempfile::tempdir().unwrap();
        File::create(elsewhere.path().join(LOCK)).unwrap();
        let link = parent.path().join(format!("{PREFIX}link"));
        std::os::unix::fs::symlink(elsewhere.path(), link).unwrap();
        File::create(parent.path().join(format!("{PREFIX}file"))).unwrap();
        remove(parent.path(), &run_as());
        assert_eq!(leftovers(parent.path()), 2);
        assert_eq!(leftovers(elsewhere.path()), 1);
    }
}
