//! The one folder that everything of a server lives in, and the lock that says it is in use.
//!
//! A folder in the system's temporary one goes when its server does. The lock is the system's
//! own, so it is free as soon as its holder is gone, even one that was killed: whoever gets the
//! lock of a folder may remove it.

use std::fs::{DirBuilder, File, OpenOptions, Permissions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt, lchown};
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::account::Account;
use crate::error::{Context, LocalError};

/// What the names of temporary folders begin with.
pub(crate) const PREFIX: &str = "rdsign-local-";
/// The lock's name. It is the mark of a folder of ours, too.
pub(crate) const LOCK: &str = "rdsign-local.lock";

/// A folder in use by this process. The server's user owns it and everything in it.
pub(crate) struct Folder {
    path: PathBuf,
    account: Account,
    /// `Some`: goes with this value.
    temporary: Option<TempDir>,
    /// Held as long as this value lives.
    _lock: File,
}

impl Folder {
    /// A new one, that goes with this value. It is made in the system's place for such, or in
    /// /tmp where the user cannot make it there: root's own TMPDIR may be closed to others.
    pub(crate) fn temporary(account: Account) -> Result<Self, LocalError> {
        let [first, second] = temporary_parents();
        let made = account.as_owner(|| {
            temporary_in(&first).or_else(|error| temporary_in(&second).map_err(|_| error))
        });
        let (folder, lock) = made?;
        Ok(Self {
            path: folder.path().to_owned(),
            account,
            temporary: Some(folder),
            _lock: lock,
        })
    }

    /// The folder of `--data`: made where it is missing, and kept.
    pub(crate) fn kept(path: &Path, account: Account) -> Result<Self, LocalError> {
        let path = std::path::absolute(path).context(|| format!("finding {}", path.display()))?;
        let opening = || format!("opening {}", path.display());
        let private = DirBuilder::new().recursive(true).mode(0o700).create(&path);
        private.context(|| format!("making {}", path.display()))?;
        let is_ours = path.join(LOCK).is_file();
        if !is_ours {
            if std::fs::read_dir(&path).context(opening)?.next().is_some() {
                return Err(LocalError::DataNotOurs(path));
            }
            std::fs::set_permissions(&path, Permissions::from_mode(0o700)).context(opening)?;
            if let Some(user) = account.other() {
                lchown(&path, Some(user.uid.as_raw()), Some(user.gid.as_raw())).context(opening)?;
            }
        }
        let lock = account.as_owner(|| {
            if std::fs::read_dir(&path).is_err_and(|e| e.kind() == ErrorKind::PermissionDenied) {
                return Err(LocalError::NotReachable {
                    path: path.clone(),
                    user: account.other().map_or("you", |user| &user.name).to_owned(),
                });
            }
            take_lock(&path.join(LOCK))
        })?;
        Ok(Self {
            path,
            account,
            temporary: None,
            _lock: lock,
        })
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// The user that owns it.
    pub(crate) fn account(&self) -> &Account {
        &self.account
    }

    /// Makes a file anew. The folder is private, so `0o644` is as well; and a file that an editor
    /// of root's makes anew then stays readable for the server.
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
        let written = self.account.as_owner(write);
        written.context(|| format!("writing {}", path.display()))?;
        Ok(path)
    }

    /// Removes a temporary folder, and says so where that fails.
    pub(crate) fn remove(self) -> Result<(), LocalError> {
        let Some(folder) = self.temporary else {
            return Ok(());
        };
        let removing = || format!("removing {}", self.path.display());
        folder.close().context(removing)
    }
}

/// Where temporary folders are made.
pub(crate) fn temporary_parents() -> [PathBuf; 2] {
    [std::env::temp_dir(), PathBuf::from("/tmp")]
}

fn temporary_in(parent: &Path) -> Result<(TempDir, File), LocalError> {
    let folder = tempfile::Builder::new()
        .prefix(PREFIX)
        .permissions(Permissions::from_mode(0o700))
        .tempdir_in(parent)
        .context(|| format!("making a folder in {}", parent.display()))?;
    // The lock appears under its name when it is held: another start takes a free one as a sign
    // that nobody needs the folder any more.
    let (new, lock) = (folder.path().join("lock.new"), folder.path().join(LOCK));
    let held = take_lock(&new)?;
    std::fs::rename(&new, &lock).context(|| format!("making {}", lock.display()))?;
    Ok((folder, held))
}

/// Takes the lock at `path`, which is made where it is missing.
fn take_lock(path: &Path) -> Result<File, LocalError> {
    let locking = || format!("locking {}", path.display());
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(false).mode(0o600);
    let file = options.open(path).context(locking)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(std::fs::TryLockError::WouldBlock) => {
            let folder = path.parent().unwrap_or(path);
            Err(LocalError::DataInUse(folder.to_owned()))
        }
        Err(std::fs::TryLockError::Error(error)) => Err(error).context(locking),
    }
}
