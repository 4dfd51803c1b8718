//! Whom PostgreSQL runs as: it refuses root, so root hands it to another user.
//!
//! The files it needs must then be readable by that user, and so must every folder above them,
//! which is easily missed: a checkout below /root is not.

use std::ffi::OsStr;
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};

use nix::unistd::{Uid, User};

use crate::error::{Context, LocalError};

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
        let owner = data.and_then(|data| std::fs::metadata(data).ok());
        let owner = owner.and_then(|owner| User::from_uid(Uid::from_raw(owner.uid())).ok()?);
        let other = owner
            .into_iter()
            .chain(
                ["postgres", "nobody"]
                    .into_iter()
                    .filter_map(|name| User::from_name(name).ok()?),
            )
            .find(|user| !user.uid.is_root())
            .ok_or(LocalError::NoAccount)?;
        Ok(Self { other: Some(other) })
    }

    /// The id of the user.
    pub(crate) fn uid(&self) -> Uid {
        self.other
            .as_ref()
            .map_or_else(Uid::effective, |user| user.uid)
    }

    /// The user's name, for messages.
    pub(crate) fn name(&self) -> &str {
        self.other.as_ref().map_or("you", |user| &user.name)
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

    /// Gives a file or folder to the user.
    pub(crate) fn give(&self, path: &Path) -> Result<(), LocalError> {
        let Some(user) = &self.other else {
            return Ok(());
        };
        std::os::unix::fs::chown(path, Some(user.uid.as_raw()), Some(user.gid.as_raw()))
            .context(|| format!("giving {} to the user {}", path.display(), user.name))
    }

    /// Whether the user passes `test FLAG PATH`. Asked by a process of that user, since nothing
    /// else takes all of the parent folders, groups and access lists into account.
    pub(crate) fn can(&self, flag: &str, path: &Path) -> bool {
        let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        self.command("test")
            .arg(flag)
            .arg(path)
            .current_dir("/")
            .stderr(Stdio::null())
            .status()
            .is_ok_and(|status| status.success())
    }
}
