//! The trust bundle as a file: libpq accepts only a path, and rdsign is installed as one program
//! without other files.
//!
//! The file is in the user's cache folder, and a hash of its content is part of its name. So it is
//! written once and never changes while a program reads it. It stays, because programs may open it
//! at any time: pg_dump and pgbench open it for each connection. Whoever can change the file can
//! impersonate the database, so a folder that belongs to another user, or that others can write to,
//! is not used. Without a usable folder (a read-only container), the child inherits a file in
//! memory, on Linux. That is the last choice, because the child's own children may close the
//! descriptor.

use std::fs::File;
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::PEM;
use crate::failure::Failure;
use crate::system;

/// A file that contains the bundle.
pub(crate) struct BundleFile {
    path: PathBuf,
    /// A file in memory. It vanishes when this value is dropped, unless a child inherited it.
    _memory: Option<File>,
}

impl BundleFile {
    pub(crate) fn make() -> Result<Self, Failure> {
        let folder = system::cache_folder().map(|folder| folder.join("rdsign"));
        if let Some(path) = folder.and_then(|folder| in_folder(&folder).ok()) {
            return Ok(Self {
                path,
                _memory: None,
            });
        }
        in_memory().map_err(|error| {
            Failure::Other(format!(
                "cannot write the certificate authorities of RDS, neither to a cache folder \
                 ({}) nor to memory: {error}; set PGSSLROOTCERT to a file that contains them",
                system::CACHE_FOLDER
            ))
        })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

fn in_folder(folder: &Path) -> io::Result<PathBuf> {
    system::make_private(folder)?;
    if !system::is_only_own(folder)? {
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
    let written = system::private_file(&new).and_then(|mut file| {
        file.write_all(PEM.as_bytes())?;
        std::fs::rename(&new, &path)
    });
    if written.is_err() {
        let _ = std::fs::remove_file(&new);
    }
    written.map(|()| path)
}

fn in_memory() -> io::Result<BundleFile> {
    let (mut file, path) = system::in_memory()?;
    file.write_all(PEM.as_bytes())?;
    Ok(BundleFile {
        path,
        _memory: Some(file),
    })
}
