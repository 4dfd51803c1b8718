//! Reads and writes the file that the AWS CLI saves at a login.
//!
//! It contains a JSON object. Both the AWS CLI and rdsign may replace it at any time.

use std::fs::{self, File, TryLockError};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::process;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use serde_json::{Map, Value};
use tokio::sync::{Mutex as Turns, OwnedMutexGuard};
use tokio::time::sleep;
use zeroize::Zeroizing;

use crate::credentials::files::{SMALL, read_regular};
use crate::system::files::{create_private, lock_file};
use crate::timestamp::parse_expiry;

/// How long to wait before another process's lock is checked again.
const LOCK_PAUSE: Duration = Duration::from_millis(20);

/// A login, read from its file.
pub(super) struct Cached {
    pub(super) path: PathBuf,
    pub(super) fields: Map<String, Value>,
}

impl Cached {
    /// Reads the file. `what` names the service of the login in messages.
    pub(super) fn read(path: PathBuf, what: &str) -> Result<Self, String> {
        let shown = path.display();
        let text = read_regular(&path, SMALL).map_err(|error| match error.kind() {
            ErrorKind::NotFound => format!("not logged in to {what}: {shown} does not exist"),
            _ => format!("cannot read the {what} login {shown}: {error}"),
        })?;
        Self::parse(path, &text, what)
    }

    pub(super) fn parse(path: PathBuf, text: &[u8], what: &str) -> Result<Self, String> {
        // The JSON error may quote a secret.
        let fields = serde_json::from_slice(text)
            .map_err(|_| format!("the {what} login {} is not a JSON object", path.display()))?;
        Ok(Self { path, fields })
    }

    pub(super) fn text(&self, name: &str) -> Option<&str> {
        text_in(&self.fields, name)
    }

    pub(super) fn time(&self, name: &str) -> Option<SystemTime> {
        time_in(&self.fields, name)
    }

    /// Replaces the file. If the home folder is read-only, the file stays as it is.
    pub(super) fn replace(&self, fields: &Map<String, Value>) {
        let Ok(text) = serde_json::to_vec(fields).map(Zeroizing::new) else {
            return;
        };
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let (id, count) = (process::id(), COUNT.fetch_add(1, Relaxed));
        let new = self.path.with_extension(format!("json.{id}-{count}"));
        let written = write_new(&new, &text);
        if written.and_then(|()| fs::rename(&new, &self.path)).is_err() {
            let _ = fs::remove_file(&new);
        }
    }
}

/// Writes a file that only its owner can read. A file or link that has this name is removed: it may
/// have another mode or lead elsewhere.
fn write_new(path: &Path, text: &[u8]) -> io::Result<()> {
    let mut file = match create_private(path) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            fs::remove_file(path)?;
            create_private(path)?
        }
        opened => opened?,
    };
    file.write_all(text)?;
    file.sync_all()
}

/// The right to renew a login, until it is dropped.
pub(super) struct Turn {
    _in_process: OwnedMutexGuard<()>,
    _among_processes: Option<File>,
}

/// Waits until no other fetch renews a login, in this process or in another one. Read the login again
/// then: a refresh token works only once.
pub(super) async fn turn(path: &Path) -> Turn {
    // A child of a fork has its own: its parent's may be locked for ever.
    static TURNS: Mutex<Option<(u32, Arc<Turns<()>>)>> = Mutex::new(None);
    let turns = {
        let mut turns = TURNS.lock().unwrap_or_else(PoisonError::into_inner);
        let own = turns.take().filter(|(id, _)| *id == process::id());
        let (_, own) = turns.insert(own.unwrap_or_else(|| (process::id(), Arc::default())));
        own.clone()
    };
    Turn {
        _in_process: turns.lock_owned().await,
        _among_processes: locked(path).await,
    }
}

/// Locks a file that exists. A renewal replaces it, so no one waits for a lock on the new one. Without
/// locks, on some network file systems, the server decides which of two renewals succeeds.
async fn locked(path: &Path) -> Option<File> {
    let file = lock_file(path).ok()?;
    loop {
        match file.try_lock() {
            Ok(()) => return Some(file),
            Err(TryLockError::WouldBlock) => sleep(LOCK_PAUSE).await,
            Err(TryLockError::Error(_)) => return None,
        }
    }
}

pub(super) fn text_in<'a>(fields: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    fields.get(name)?.as_str().filter(|text| !text.is_empty())
}

/// Reads a time in any form that a version of the AWS CLI writes.
pub(super) fn time_in(fields: &Map<String, Value>, name: &str) -> Option<SystemTime> {
    parse_expiry(text_in(fields, name)?, name).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_one_fetch_at_a_time_renews() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("login");
        for exists in [false, true] {
            if exists {
                fs::write(&path, "{}").unwrap();
            }
            let first = turn(&path).await;
            let bound = Duration::from_millis(1);
            assert!(tokio::time::timeout(bound, turn(&path)).await.is_err());
            drop(first);
            turn(&path).await;
        }
    }

    #[tokio::test]
    async fn only_one_process_at_a_time_renews() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("login");
        fs::write(&path, "{}").unwrap();
        // A lock belongs to an open file, as another process has it.
        let other = lock_file(&path).unwrap();
        other.lock().unwrap();
        let bound = Duration::from_millis(1);
        assert!(tokio::time::timeout(bound, turn(&path)).await.is_err());
        drop(other);
        turn(&path).await;
    }

    #[cfg(unix)]
    #[test]
    fn a_new_file_follows_no_link_and_is_private() {
        use std::os::unix::fs::{PermissionsExt, symlink};

        let folder = tempfile::tempdir().unwrap();
        let (new, other) = (folder.path().join("new"), folder.path().join("other"));
        fs::write(&other, "unchanged").unwrap();
        symlink(&other, &new).unwrap();
        write_new(&new, b"text").unwrap();
        assert_eq!(fs::read_to_string(&other).unwrap(), "unchanged");
        fs::set_permissions(&new, fs::Permissions::from_mode(0o666)).unwrap();
        write_new(&new, b"again").unwrap();
        let found = new.symlink_metadata().unwrap();
        assert_eq!(found.permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_to_string(&new).unwrap(), "again");
    }
}
