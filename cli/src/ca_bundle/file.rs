//! The trust bundle as a file: libpq accepts only a path, and rdsign is installed as one program
//! without other files.
//!
//! The file is in the user's cache folder, and a hash of its content is part of its name. So it is
//! written once and never changes while a program reads it. It stays, because programs may open it
//! at any time: pg_dump and pgbench open it for each connection. Whoever can change the file can
//! impersonate the database, so a folder that belongs to another user, or that others can write to,
//! is not used. Without a usable folder (a read-only container), the child inherits a file in
//! memory. That is the last choice, because the child's own children may close the descriptor.

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

/// A file that contains the bundle.
pub(crate) struct BundleFile {
    path: PathBuf,
    /// A file in memory. It vanishes when this value is dropped, unless a child inherited it.
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
                "cannot write the certificate authorities of RDS, neither to a cache folder \
                 (XDG_CACHE_HOME, else HOME/.cache) nor to memory: {error}; set PGSSLROOTCERT to a \
                 file that contains them"
            ))
        })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

/// Ignores relative paths, as the specification says:
/// <https://specifications.freedesktop.org/basedir-spec/latest/>
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
    // Written under another name and renamed, so that no process sees half a file.
    let new = folder.join(format!(".rds-{name}.{}", std::process::id()));
    let _ = std::fs::remove_file(&new); // left by a killed process with the same id
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
    // rustix makes the system call itself: glibc has a function for it only since 2.27.
    // Not closed on exec, because the child opens it by its number.
    let mut file = File::from(memfd_create(NAME, MemfdFlags::empty())?);
    file.write_all(PEM.as_bytes())?;
    Ok(BundleFile {
        path: format!("/proc/self/fd/{}", file.as_raw_fd()).into(),
        _memory: Some(file),
    })
}
