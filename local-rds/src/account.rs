//! Whom PostgreSQL runs as: it refuses root, so root hands it to another user.
//!
//! That user owns the server's folder, and so decides what its names lead to. Root must therefore
//! touch nothing in it with its own rights: file work goes through [`Account::as_owner`].

use std::ffi::OsStr;
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};

use nix::unistd::{Gid, Uid, User, setfsgid, setfsuid};

use crate::error::LocalError;

/// The user that PostgreSQL runs as.
pub(crate) struct Account {
    /// `None`: the user that this process runs as.
    other: Option<User>,
}

impl Account {
    /// Oneself, or for root the user that owns `data` where that is there already, else
    /// `postgres`, else `nobody`.
    pub(crate) fn choose(data: Option<&Path>) -> Result<Self, LocalError> {
        if !Uid::effective().is_root() {
            return Ok(Self { other: None });
        }
        let owner = data.and_then(|data| std::fs::symlink_metadata(data).ok());
        let owner = owner.and_then(|owner| User::from_uid(Uid::from_raw(owner.uid())).ok()?);
        let named = |name| User::from_name(name).ok()?;
        let other = owner
            .into_iter()
            .chain(["postgres", "nobody"].into_iter().filter_map(named))
            .find(|user| !user.uid.is_root())
            .ok_or(LocalError::NoAccount)?;
        Ok(Self { other: Some(other) })
    }

    /// The other user, if it is not the one that this process runs as.
    pub(crate) fn other(&self) -> Option<&User> {
        self.other.as_ref()
    }

    /// A command that runs as the user, with an environment of its own: nothing of the caller's,
    /// such as its keys or its PG* variables, reaches the server.
    pub(crate) fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        command.env_clear().stdin(Stdio::null());
        for name in ["PATH", "LD_LIBRARY_PATH"] {
            command.envs(std::env::var_os(name).map(|value| (name, value)));
        }
        // With TZ set, initdb need not compare the machine's time zone with every one it knows.
        command.env("LC_ALL", "C").env("TZ", "UTC");
        if let Some(user) = &self.other {
            command.uid(user.uid.as_raw()).gid(user.gid.as_raw());
        }
        command
    }

    /// Does `work` with the user's rights to files, and what it makes is the user's. It must start
    /// no process and no thread.
    pub(crate) fn as_owner<T>(&self, work: impl FnOnce() -> T) -> T {
        let _rights = self.other.as_ref().map(|user| {
            // The group first: afterwards the right to change it is gone with root's other ones.
            let group = setfsgid(user.gid);
            RightsToFiles(setfsuid(user.uid), group)
        });
        work()
    }
}

/// The rights to go back to, on the way of a panic too.
struct RightsToFiles(Uid, Gid);

impl Drop for RightsToFiles {
    fn drop(&mut self) {
        setfsuid(self.0);
        setfsgid(self.1);
    }
}
