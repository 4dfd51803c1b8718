//! Reads and writes the file that the AWS CLI saves at a login.
//!
//! It contains a JSON object. Both the AWS CLI and rdsign may replace it at any time.

use std::fs::{self, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use serde_json::{Map, Value};
use tokio::sync::{Mutex as Turns, OwnedMutexGuard};
use zeroize::Zeroizing;

use crate::credentials::files::{SMALL, read_regular};
use crate::timestamp::parse_expiry;

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
        // The JSON error may quote a secret.
        let fields = serde_json::from_slice(&text)
            .map_err(|_| format!("the {what} login {shown} is not a JSON object"))?;
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
    let mut options = OpenOptions::new();
    options.write(true).create_new(true).mode(0o600);
    let mut file = match options.open(path) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            fs::remove_file(path)?;
            options.open(path)?
        }
        opened => opened?,
    };
    file.write_all(text)?;
    file.sync_all()
}

/// Waits until no other fetch of this process renews a login. Read the login again then: a refresh
/// token works only once.
pub(super) async fn turn() -> OwnedMutexGuard<()> {
    // A child of a fork has its own: its parent's may be locked for ever.
    static TURNS: Mutex<Option<(u32, Arc<Turns<()>>)>> = Mutex::new(None);
    let turns = {
        let mut turns = TURNS.lock().unwrap_or_else(PoisonError::into_inner);
        let own = turns.take().filter(|(id, _)| *id == process::id());
        let (_, own) = turns.insert(own.unwrap_or_else(|| (process::id(), Arc::default())));
        own.clone()
    };
    turns.lock_owned().await
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
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    #[tokio::test]
    async fn only_one_fetch_at_a_time_renews() {
        let first = turn().await;
        let bound = std::time::Duration::from_millis(1);
        assert!(tokio::time::timeout(bound, turn()).await.is_err());
        drop(first);
        turn().await;
    }

    #[test]
    fn a_new_file_follows_no_link_and_is_private() {
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
