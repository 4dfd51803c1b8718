//! The forms for Linux and macOS.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use super::absolute;

/// Neither a file with content nor a folder.
pub(crate) const NULL_DEVICE: &str = "/dev/null";

/// The variables that name the cache folder, in words.
pub(crate) const CACHE_FOLDER: &str = "XDG_CACHE_HOME, else HOME/.cache";

/// Ignores relative paths, as the specification says:
/// <https://specifications.freedesktop.org/basedir-spec/latest/>
pub(crate) fn cache_folder() -> Option<PathBuf> {
    absolute("XDG_CACHE_HOME").or_else(|| Some(absolute("HOME")?.join(".cache")))
}

/// Creates a folder for its owner only, unless it exists.
pub(crate) fn make_private(folder: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

/// Whether this is a folder that belongs to this user, and that no other one can write to.
pub(crate) fn is_only_own(folder: &Path) -> io::Result<bool> {
    let metadata = folder.symlink_metadata()?;
    let is_own = metadata.uid() == rustix::process::geteuid().as_raw();
    Ok(metadata.is_dir() && is_own && metadata.mode() & 0o022 == 0)
}

/// Creates a file for its owner only. It must not exist.
pub(crate) fn private_file(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true).mode(0o600).open(path)
}

/// Creates a file in memory. Its path is valid for children, which inherit the file.
#[cfg(target_os = "linux")]
pub(crate) fn in_memory() -> io::Result<(File, PathBuf)> {
    use std::os::fd::AsRawFd;

    use rustix::fs::{MemfdFlags, memfd_create};

    // rustix makes the system call itself: glibc has a function for it only since 2.27.
    // Not closed on exec, because the child opens it by its number.
    let file = File::from(memfd_create(c"rds.pem", MemfdFlags::empty())?);
    let path = format!("/proc/self/fd/{}", file.as_raw_fd());
    Ok((file, path.into()))
}

/// macOS has no such files.
#[cfg(not(target_os = "linux"))]
pub(crate) fn in_memory() -> io::Result<(File, PathBuf)> {
    Err(io::ErrorKind::Unsupported.into())
}

/// Replaces this process by a program. Returns only on failure.
pub(crate) fn run(program: &mut Command) -> io::Result<ExitCode> {
    Err(program.exec())
}
