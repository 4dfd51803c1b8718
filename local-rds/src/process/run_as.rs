//! Chooses the user that PostgreSQL runs as. PostgreSQL refuses to run as root, so root uses
//! another user.
//!
//! That user owns the server's folder and could replace any file in it with a link to another
//! place. So root must access the folder only through [`RunAs::as_owner`], never with its own
//! rights.

use std::ffi::OsStr;
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};

use nix::unistd::{Gid, Uid, User, getgroups, setfsgid, setfsuid};

use crate::error::LocalError;

/// The user that PostgreSQL runs as.
#[derive(Clone)]
pub(crate) struct RunAs {
    /// `None` means the user of this process.
    other: Option<User>,
}

impl RunAs {
    /// Chooses the user of this process or, if that is root, the one of `postgres` and `nobody`
    /// that owns `data`, or else the first of them that exists. Another owner of `data` is never
    /// chosen: that user may have prepared it.
    pub(crate) fn choose(data: Option<&Path>) -> Result<Self, LocalError> {
        if !Uid::effective().is_root() {
            return Ok(Self::this());
        }
        let owner = data.and_then(|data| std::fs::symlink_metadata(data).ok());
        let owner = owner.map(|owner| Uid::from_raw(owner.uid()));
        let named = |name| User::from_name(name).ok()?;
        let mut users: Vec<User> = ["postgres", "nobody"]
            .into_iter()
            .filter_map(named)
            .collect();
        users.retain(|user| !user.uid.is_root());
        users.sort_by_key(|user| Some(user.uid) != owner); // a stable sort: the owner comes first
        let other = users.into_iter().next().ok_or(LocalError::NoUser)?;
        Ok(Self { other: Some(other) })
    }

    /// Returns the user of this process.
    pub(crate) fn this() -> Self {
        Self { other: None }
    }

    /// Returns the user, unless it is the one of this process.
    pub(crate) fn other(&self) -> Option<&User> {
        self.other.as_ref()
    }

    /// Returns a command that runs as the user. Its environment is almost empty, so that the
    /// caller's keys and PG* variables do not reach the server.
    pub(crate) fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        command.env_clear().stdin(Stdio::null());
        for name in ["PATH", "LD_LIBRARY_PATH"] {
            command.envs(std::env::var_os(name).map(|value| (name, value)));
        }
        // Without TZ, initdb compares the machine's time zone with every one it knows.
        command.env("LC_ALL", "C").env("TZ", "UTC");
        if let Some(user) = &self.other {
            command.uid(user.uid.as_raw()).gid(user.gid.as_raw());
        }
        command
    }

    /// Runs `work` with the user's rights to files; the user owns the files it creates. `work` must
    /// not start a process or a thread.
    pub(crate) fn as_owner<T>(&self, work: impl FnOnce() -> T) -> T {
        let _rights = self.other.as_ref().map(|user| {
            let groups = getgroups().unwrap_or_default();
            set_groups_of_this_thread(&[]);
            let group = setfsgid(user.gid);
            FileRights(setfsuid(user.uid), group, groups)
        });
        work()
    }
}

/// The rights to restore on drop, including after a panic.
struct FileRights(Uid, Gid, Vec<Gid>);

impl Drop for FileRights {
    fn drop(&mut self) {
        setfsuid(self.0);
        setfsgid(self.1);
        set_groups_of_this_thread(&self.2);
    }
}

/// Sets the supplementary groups, which also give rights to files. Like setfsuid, the system call
/// changes this thread only; libc's function would change all.
#[expect(unsafe_code, reason = "a system call without a function in nix")]
fn set_groups_of_this_thread(groups: &[Gid]) {
    let groups: Vec<libc::gid_t> = groups.iter().map(|group| group.as_raw()).collect();
    // SAFETY: the pointer and the length are those of a vector, which outlives the call.
    unsafe { libc::syscall(libc::SYS_setgroups, groups.len(), groups.as_ptr()) };
}
