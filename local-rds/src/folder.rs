//! The one folder that everything of a server lives in, and the lock that says it is in use.
//!
//! A folder in the system's temporary one goes when its server does. The lock is the system's
//! own, so it is free as soon as its holder is gone, even one that was killed: whoever gets the
//! lock of a folder may remove it.

use std::fs::{DirBuilder, File, OpenOptions, Permissions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::account::Account;
use crate::error::{Context, LocalError};

/// What the names of temporary folders begin with.
pub(crate) const PREFIX: &str = "rdsign-local-";
/// The lock's name. It is the mark of a folder of ours, too.
pub(crate) const LOCK: &str = "rdsign-local.lock";

/// A folder in use by this process.
pub(crate) struct Folder {
    path: PathBuf,
    /// `Some`: goes with this value.
    temporary: Option<TempDir>,
    /// Held as long as this value lives.
    _lock: File,
}

impl Folder {
    /// A new one, that goes with this value.
    pub(crate) fn temporary(account: &Account) -> Result<Self, LocalError> {
        let mut reason = None;
        for parent in temporary_parents() {
            match Self::temporary_in(&parent, account) {
                Ok(folder) => return Ok(folder),
                Err(error) => reason = reason.or(Some(error)),
            }
        }
        Err(reason.expect("there is a parent to try"))
    }

    fn temporary_in(parent: &Path, account: &Account) -> Result<Self, LocalError> {
        let folder = tempfile::Builder::new()
            .prefix(PREFIX)
            .permissions(Permissions::from_mode(0o700))
            .tempdir_in(parent)
            .context(|| format!("making a folder in {}", parent.display()))?;
        // The lock appears under its name when it is held: another start takes a free one as a
        // sign that nobody needs the folder any more.
        let (new, lock) = (folder.path().join("lock.new"), folder.path().join(LOCK));
        let held = take_lock(&new)?;
        std::fs::rename(&new, &lock).context(|| format!("making {}", lock.display()))?;
        hand_over(folder.path(), account)?;
        Ok(Self {
            path: folder.path().to_owned(),
            temporary: Some(folder),
            _lock: held,
        })
    }

    /// The folder of `--data`: made where it is missing, and kept.
    pub(crate) fn kept(path: &Path, account: &Account) -> Result<Self, LocalError> {
        let path = std::path::absolute(path).context(|| format!("finding {}", path.display()))?;
        let opening = || format!("opening {}", path.display());
        let private = DirBuilder::new().recursive(true).mode(0o700).create(&path);
        private.context(|| format!("making {}", path.display()))?;
        let is_ours = path.join(LOCK).is_file();
        if !is_ours && std::fs::read_dir(&path).context(opening)?.next().is_some() {
            return Err(LocalError::DataNotOurs(path));
        }
        let lock = take_lock(&path.join(LOCK))?;
        if !is_ours {
            let private = Permissions::from_mode(0o700);
            std::fs::set_permissions(&path, private).context(opening)?;
        }
        hand_over(&path, account)?;
        Ok(Self {
            path,
            temporary: None,
            _lock: lock,
        })
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// Writes a file that the server's user owns. In a private folder `0o644` is private, and a
    /// file that root's editor makes anew stays readable for the server.
    pub(crate) fn write(
        &self,
        name: &str,
        mode: u32,
        content: &[u8],
        account: &Account,
    ) -> Result<PathBuf, LocalError> {
        let path = self.path(name);
        let writing = || format!("writing {}", path.display());
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(error).context(writing)?,
            _ => {}
        }
        let mut options = OpenOptions::new();
        options.write(true).create_new(true).mode(mode);
        let mut file = options.open(&path).context(writing)?;
        file.write_all(content).context(writing)?;
        account.give(&path)?;
        Ok(path)
    }

    /// Removes a temporary folder, and says so where that fails.
    pub(crate) fn remove(self) -> Result<(), LocalError> {
        let Some(folder) = self.temporary else {
            return Ok(());
        };
        folder
            .close()
            .context(|| format!("removing {}", self.path.display()))
    }
}

/// Where temporary folders are made: the system's place, then /tmp, since root's own TMPDIR may
/// be closed to the user that the server runs as.
pub(crate) fn temporary_parents() -> Vec<PathBuf> {
    let mut parents = vec![std::env::temp_dir(), PathBuf::from("/tmp")];
    parents.dedup();
    parents
}

/// Takes the lock at `path`, which is made where it is missing.
fn take_lock(path: &Path) -> Result<File, LocalError> {
    let locking = || format!("locking {}", path.display());
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(false).mode(0o600);
    let file = options
        .custom_flags(libc::O_NOFOLLOW)
        .open(path)
        .context(locking)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(std::fs::TryLockError::WouldBlock) => {
            let folder = path.parent().unwrap_or(path);
            Err(LocalError::DataInUse(folder.to_owned()))
        }
        Err(std::fs::TryLockError::Error(error)) => Err(error).context(locking),
    }
}

fn hand_over(folder: &Path, account: &Account) -> Result<(), LocalError> {
    account.give(folder)?;
    if account.can("-x", folder) {
        return Ok(());
    }
    Err(LocalError::NotReachable {
        path: folder.to_owned(),
        user: account.name().to_owned(),
    })
}
