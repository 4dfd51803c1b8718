//! The trust bundle as a file: libpq accepts only a path, and rdsign is one program without files
//! of its own.
//!
//! The file is in the user's cache folder under a name made of its content, so it is written once,
//! is never changed while someone reads it, and may be opened at any later time: pg_dump and
//! pgbench open it for each of their connections, and a program's own children may close the
//! descriptors that they inherit. Whoever could change the file could impersonate the database, so
//! a folder that belongs to another user, or that others may write to, is not used. If there is no
//! folder (a read-only container), the file is one in memory that the child inherits.

use std::ffi::CStr;
use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::fd::AsRawFd;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::{MemfdFlags, memfd_create};
use sha2::{Digest, Sha256};

use super::PEM;
use crate::failure::Failure;

/// A file with the bundle in it.
pub(crate) struct BundleFile {
    path: PathBuf,
    /// A file in memory: gone with this value, unless a child has it.
    _memory: Option<File>,
}

impl BundleFile {
    pub(crate) fn make() -> Result<Self, Failure> {
        if let Some(path) = cache_folder().and_then(|folder| in_folder(&folder).ok()) {
            return Ok(Self {
                path,
                _memory: None,
            });
        }
        in_memory().map_err(|error| {
            Failure::Other(format!(
                "the authorities of RDS can be written neither to a cache folder (XDG_CACHE_HOME, \
                 else HOME/.cache) nor to memory: {error}; set PGSSLROOTCERT to a file with them"
            ))
        })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

/// Relative paths are to be ignored: <https://specifications.freedesktop.org/basedir-spec/latest/>
fn cache_folder() -> Option<PathBuf> {
    let folder = |name| std::env::var_os(name).map(PathBuf::from);
    let cache = folder("XDG_CACHE_HOME").filter(|path| path.is_absolute());
    let home = || folder("HOME").filter(|path| path.is_absolute());
    Some(
        cache
            .or_else(|| Some(home()?.join(".cache")))?
            .join("rdsign"),
    )
}

fn in_folder(folder: &Path) -> io::Result<PathBuf> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)?;
    let metadata = folder.symlink_metadata()?;
    let is_own = metadata.uid() == rustix::process::geteuid().as_raw();
    if !metadata.is_dir() || !is_own || metadata.mode() & 0o022 != 0 {
        return Err(ErrorKind::PermissionDenied.into());
    }
    let hash = Sha256::digest(PEM);
    let name: String = hash[..8].iter().map(|byte| format!("{byte:02x}")).collect();
    let path = folder.join(format!("rds-{name}.pem"));
    if std::fs::read(&path).is_ok_and(|content| content == PEM.as_bytes()) {
        return Ok(path);
    }
    // Another process sees a whole file or none.
    let new = folder.join(format!(".rds-{name}.{}", std::process::id()));
    let _ = std::fs::remove_file(&new); // of a process that had this number, and was killed
    let mut options = OpenOptions::new();
    options.write(true).create_new(true).mode(0o600);
    let written = options.open(&new).and_then(|mut file| {
        file.write_all(PEM.as_bytes())?;
        std::fs::rename(&new, &path)
    });
    if written.is_err() {
        let _ = std::fs::remove_file(&new);
    }
    written.map(|()| path)
}

fn in_memory() -> io::Result<BundleFile> {
    const NAME: &CStr = c"rds.pem";
    // By the system call itself: the glibc of 2014 has no function for it.
    // Not closed on exec: the child opens it by its number.
    let mut file = File::from(memfd_create(NAME, MemfdFlags::empty())?);
    file.write_all(PEM.as_bytes())?;
    Ok(BundleFile {
        path: format!("/proc/self/fd/{}", file.as_raw_fd()).into(),
        _memory: Some(file),
    })
}
