//! The folder that holds all files of one server, and the lock that marks it as in use.
//!
//! A temporary folder is removed when its server stops. The operating system holds the lock and
//! frees it when the process that took it ends, even if it is killed. So a process that gets the
//! lock of a temporary folder may remove it.

mod created;
pub(crate) mod leftovers;
pub(crate) mod regular;
pub(crate) mod trust;

use std::fs::{File, OpenOptions, Permissions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt, fchown};
use std::path::{Path, PathBuf};

use nix::unistd::Uid;
use tempfile::TempDir;

use crate::error::{Context, LocalError};
use crate::process::run_as::RunAs;
use created::Created;

/// The name of PostgreSQL's data folder in the folder.
pub(crate) const DATA: &str = "data";
/// The name of the configuration in the folder.
pub(crate) const CONFIG: &str = "config.toml";
/// The prefix of the names of temporary folders.
pub(crate) const PREFIX: &str = "rdsign-local-";
/// The name of the lock file. It also marks a folder as created by `rdsign local`.
pub(crate) const LOCK: &str = "rdsign-local.lock";

/// A folder in use by this process. The user that PostgreSQL runs as owns it and its content.
pub(crate) struct Folder {
    path: PathBuf,
    run_as: RunAs,
    /// `Some` if the folder is removed on drop.
    temporary: Option<TempDir>,
    /// Held until drop.
    _lock: File,
}

impl Folder {
    /// Creates a folder that is removed on drop. It is created in the system's temporary folder,
    /// or in /tmp if `run_as` has no access to that one, such as a TMPDIR that only root can enter.
    pub(crate) fn temporary(run_as: RunAs) -> Result<Self, LocalError> {
        let [first, second] = temporary_parents();
        let made = run_as.as_owner(|| {
            let second = || temporary_in(&second, &run_as);
            temporary_in(&first, &run_as).or_else(|error| second().map_err(|_| error))
        });
        let (folder, lock) = made?;
        Ok(Self {
            path: folder.path().to_owned(),
            run_as,
            temporary: Some(folder),
            _lock: lock,
        })
    }

    /// Opens the folder of `--data`, which is created if missing and not removed.
    pub(crate) fn kept(path: &Path, run_as: RunAs) -> Result<Self, LocalError> {
        let path = std::path::absolute(path).context(|| format!("finding {}", path.display()))?;
        let created = Created::create(&path, &run_as)?;
        let folder = Self::open(&path, run_as)?;
        created.keep();
        Ok(folder)
    }

    fn open(path: &Path, run_as: RunAs) -> Result<Self, LocalError> {
        let opening = || format!("opening {}", path.display());
        // From here on, a link in the path cannot lead elsewhere.
        let path = path.canonicalize().context(opening)?;
        trust::check_parents(&path, &run_as)?;
        let mut options = OpenOptions::new();
        let only_a_folder = libc::O_DIRECTORY | libc::O_NOFOLLOW;
        let options = options.read(true).custom_flags(only_a_folder);
        let folder = options.open(&path).context(opening)?;
        let about = folder.metadata().context(opening)?;
        if path.join(LOCK).symlink_metadata().is_ok() {
            if about.mode() & ENTERED_BY_GROUP == 0 {
                run_as.as_owner(|| close_config(&path.join(CONFIG)));
            }
            trust::check(&path, &[LOCK, CONFIG, DATA], &run_as)?;
            // Closed again, because a backup or `chmod -R` may have opened it.
            run_as.as_owner(|| close(&folder)).context(opening)?;
        } else {
            check_empty(&path)?;
            if !Uid::effective().is_root() && !trust::is_trusted(about.uid(), &run_as) {
                return Err(trust::foreign(&path, about.uid()));
            }
            close(&folder).context(opening)?;
            if let Some(user) = run_as.other() {
                fchown(&folder, Some(user.uid.as_raw()), Some(user.gid.as_raw()))
                    .context(opening)?;
            }
            // Until it was closed, others may have written to it, and its owner may have renamed it.
            check_empty(&path)?;
            let now = path.symlink_metadata().context(opening)?;
            if (now.dev(), now.ino()) != (about.dev(), about.ino()) {
                return Err(trust::foreign(&path, now.uid()));
            }
        }
        let lock = run_as.as_owner(|| {
            if std::fs::read_dir(&path).is_err_and(|e| e.kind() == ErrorKind::PermissionDenied) {
                return Err(LocalError::NotReachable {
                    path: path.clone(),
                    user: run_as.other().map_or("you", |user| &user.name).to_owned(),
                });
            }
            take_lock(&path.join(LOCK))
        })?;
        Ok(Self {
            path,
            run_as,
            temporary: None,
            _lock: lock,
        })
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// The user that owns it, and that PostgreSQL runs as.
    pub(crate) fn run_as(&self) -> &RunAs {
        &self.run_as
    }

    /// Creates a file, or replaces it.
    ///
    /// `mode` may be `0o644` for a file without secrets, because the folder itself is private.
    pub(crate) fn write(
        &self,
        name: &str,
        mode: u32,
        content: &[u8],
    ) -> Result<PathBuf, LocalError> {
        let path = self.path(name);
        let write = || {
            match std::fs::remove_file(&path) {
                Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
                _ => {}
            }
            let mut options = OpenOptions::new();
            let mut file = options
                .write(true)
                .create_new(true)
                .mode(mode)
                .open(&path)?;
            file.write_all(content)
        };
        let written = self.run_as.as_owner(write);
        written.context(|| format!("writing {}", path.display()))?;
        Ok(path)
    }

    /// Makes a file readable by its owner only. If root replaced it, its mode stays.
    pub(crate) fn close_file(&self, path: &Path) {
        let private = Permissions::from_mode(0o600);
        let _ = self
            .run_as
            .as_owner(|| std::fs::set_permissions(path, private));
    }

    /// Opens a file to append to it, and to read it.
    pub(crate) fn append(&self, name: &str) -> Result<File, LocalError> {
        let path = self.path(name);
        let open = || OpenOptions::new().read(true).append(true).open(&path);
        let opened = self.run_as.as_owner(open);
        opened.context(|| format!("opening {}", path.display()))
    }

    /// Removes a temporary folder. Unlike a drop, it reports an error.
    pub(crate) fn remove(self) -> Result<(), LocalError> {
        let Some(folder) = self.temporary else {
            return Ok(());
        };
        let removing = || format!("removing {}", self.path.display());
        folder.close().context(removing)
    }
}

/// The folders in which temporary ones are created.
pub(crate) fn temporary_parents() -> [PathBuf; 2] {
    [std::env::temp_dir(), PathBuf::from("/tmp")]
}

/// The bit of a folder's mode that lets its group use what is in it.
const ENTERED_BY_GROUP: u32 = 0o010;

fn close(folder: &File) -> std::io::Result<()> {
    folder.set_permissions(Permissions::from_mode(0o700))
}

/// Closes a configuration that an editor opened for its group. Nobody else could enter its folder.
fn close_config(config: &Path) {
    if let Ok(file) = regular::open(OpenOptions::new().read(true), config)
        && file
            .metadata()
            .is_ok_and(|about| about.mode() & 0o022 == 0o020)
    {
        let _ = file.set_permissions(Permissions::from_mode(0o600));
    }
}

fn check_empty(folder: &Path) -> Result<(), LocalError> {
    let entries = std::fs::read_dir(folder);
    match entries
        .context(|| format!("opening {}", folder.display()))?
        .next()
    {
        Some(_) => Err(LocalError::DataNotOurs(folder.to_owned())),
        None => Ok(()),
    }
}

fn temporary_in(parent: &Path, run_as: &RunAs) -> Result<(TempDir, File), LocalError> {
    // From here on, a link in the path cannot lead elsewhere.
    let found = parent.canonicalize();
    let parent = &found.context(|| format!("finding {}", parent.display()))?;
    trust::check_parents(&parent.join(PREFIX), run_as)?;
    let folder = tempfile::Builder::new()
        .prefix(PREFIX)
        .permissions(Permissions::from_mode(0o700))
        .tempdir_in(parent)
        .context(|| format!("creating a folder in {}", parent.display()))?;
    // Locked before it gets its name: another launcher that sees a free lock removes the folder.
    let (new, lock) = (folder.path().join("lock.new"), folder.path().join(LOCK));
    let held = take_lock(&new)?;
    std::fs::rename(&new, &lock).context(|| format!("creating {}", lock.display()))?;
    Ok((folder, held))
}

/// Takes the lock at `path`. The file is created if missing.
fn take_lock(path: &Path) -> Result<File, LocalError> {
    let locking = || format!("locking {}", path.display());
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(false).mode(0o600);
    let file = regular::open(&mut options, path).context(locking)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(std::fs::TryLockError::WouldBlock) => {
            let folder = path.parent().unwrap_or(path);
            Err(LocalError::DataInUse(folder.to_owned()))
        }
        Err(std::fs::TryLockError::Error(error)) => Err(error).context(locking),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_with_other_files_is_rejected() {
        let data = tempfile::tempdir().unwrap();
        std::fs::write(data.path().join("thesis.txt"), "").unwrap();
        let refused = Folder::kept(data.path(), RunAs::choose(None).unwrap());
        assert!(refused.is_err_and(|error| error.to_string().contains("nothing was changed")));
        assert_eq!(std::fs::read_dir(data.path()).unwrap().count(), 1);
    }
}
