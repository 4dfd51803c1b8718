//! Keeps a data folder that is ready for use in the user's cache folder, and copies it: initdb takes
//! longer than everything else that a start does.
//!
//! There is one for each version of PostgreSQL and each setup of this module's caller. It is copied
//! only if nobody else can have changed it, and if all of it is there. Any problem means that
//! initdb creates the data folder.

use std::fs::{DirBuilder, OpenOptions};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use super::find::Postgres;
use crate::folder::{Folder, regular, trust};
use crate::process::run_as::RunAs;

/// The name of the data folder in a prepared one.
const DATA: &str = "data";
/// The name of the file that says what it was made from, and how large it is: files can be empty
/// after the machine lost its power.
const LABEL: &str = "label";
const PREFIX: &str = "data-";
/// The number of prepared folders that are kept, the newest.
const KEPT: usize = 4;

/// A prepared data folder, which may not exist.
pub(super) struct Prepared {
    path: PathBuf,
    /// What it is made from: the setup, and the version and the folder of PostgreSQL.
    origin: String,
}

impl Prepared {
    /// Returns the one for this PostgreSQL and this setup, or `None` if there is no cache folder.
    pub(super) fn of(postgres: &Postgres, setup: &str) -> Option<Self> {
        let (version, bin) = (postgres.version(), postgres.program(""));
        let origin = format!("PostgreSQL {version} in {}\n{setup}", bin.display());
        let mut hasher = DefaultHasher::new();
        origin.hash(&mut hasher);
        let name = format!("{PREFIX}{version}-{:016x}", hasher.finish());
        let path = cache_folder()?.join(name);
        Some(Self { path, origin })
    }

    /// Copies it to `target`, which must not exist. Returns false if that is not possible; then there
    /// may be a part of it.
    pub(super) fn copy_to(&self, target: &Path, folder: &Folder) -> bool {
        let copied = || -> io::Result<bool> {
            let own = RunAs::this();
            if trust::check(&self.path, &[DATA, LABEL], &own).is_err() {
                return Ok(false);
            }
            let label = regular::read(&self.path.join(LABEL))?;
            let size = copy(&self.path.join(DATA), target, &own, folder.run_as())?;
            Ok(label == self.label(&size))
        };
        copied().unwrap_or(false)
    }

    /// Keeps a copy of a data folder that no server uses.
    pub(super) fn keep(&self, data: &Path, folder: &Folder) -> io::Result<()> {
        let parent = self.path.parent().unwrap_or(Path::new("/"));
        let mut private = DirBuilder::new();
        private.recursive(true).mode(0o700).create(parent)?;
        let new = tempfile::Builder::new()
            .prefix(".new-")
            .tempdir_in(parent)?;
        let size = copy(
            data,
            &new.path().join(DATA),
            folder.run_as(),
            &RunAs::this(),
        )?;
        std::fs::write(new.path().join(LABEL), self.label(&size))?;
        let _ = std::fs::remove_dir_all(&self.path);
        std::fs::rename(new.path(), &self.path)?; // fails if another process was faster
        remove_old(parent)
    }

    fn label(&self, size: &Size) -> String {
        format!(
            "{} files, {} bytes\n{}",
            size.files, size.bytes, self.origin
        )
    }
}

/// Returns `rdsign/local` in XDG_CACHE_HOME, or else in HOME/.cache. The home must exist.
fn cache_folder() -> Option<PathBuf> {
    let folder = |name| {
        let path = std::env::var_os(name).map(PathBuf::from)?;
        (path.is_absolute() && path.is_dir()).then_some(path)
    };
    let cache = folder("XDG_CACHE_HOME").or_else(|| Some(folder("HOME")?.join(".cache")))?;
    Some(cache.join("rdsign/local"))
}

/// Removes all prepared folders but the newest.
fn remove_old(parent: &Path) -> io::Result<()> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(parent)?.flatten() {
        if entry.file_name().to_string_lossy().starts_with(PREFIX) {
            found.push((entry.metadata()?.modified()?, entry.path()));
        }
    }
    found.sort();
    found.reverse();
    for (_, path) in found.into_iter().skip(KEPT) {
        std::fs::remove_dir_all(path)?;
    }
    Ok(())
}

#[derive(Default)]
struct Size {
    files: u64,
    bytes: u64,
}

/// Copies a folder of regular files and folders. Reads as one user and writes as another.
fn copy(from: &Path, to: &Path, reader: &RunAs, writer: &RunAs) -> io::Result<Size> {
    let mut size = Size::default();
    writer.as_owner(|| DirBuilder::new().mode(0o700).create(to))?;
    let names = reader.as_owner(|| {
        let entries = std::fs::read_dir(from)?;
        entries
            .map(|entry| Ok(entry?.file_name()))
            .collect::<io::Result<Vec<_>>>()
    })?;
    for name in &names {
        let (source, target) = (from.join(name), to.join(name));
        let is_folder = reader
            .as_owner(|| std::fs::symlink_metadata(&source))?
            .is_dir();
        let copied = match is_folder {
            true => copy(&source, &target, reader, writer)?,
            false => copy_file(&source, &target, reader, writer)?,
        };
        size.files += copied.files;
        size.bytes += copied.bytes;
    }
    Ok(size)
}

fn copy_file(source: &Path, target: &Path, reader: &RunAs, writer: &RunAs) -> io::Result<Size> {
    let mut source = reader.as_owner(|| regular::open(OpenOptions::new().read(true), source))?;
    let mut target = writer.as_owner(|| {
        let mut options = OpenOptions::new();
        options
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(target)
    })?;
    let bytes = io::copy(&mut source, &mut target)?;
    Ok(Size { files: 1, bytes })
}
