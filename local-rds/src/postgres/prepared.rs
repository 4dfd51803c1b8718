//! Keeps a data folder that is ready for use in the user's cache folder, and copies it: initdb takes
//! longer than everything else that a start does.
//!
//! There is one for each version of PostgreSQL and each setup of this module's caller. It is copied
//! only if nobody else can have changed it, and if all of it is there. Any problem means that
//! initdb creates the data folder.

use std::fs::{DirBuilder, OpenOptions, Permissions};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

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
const UNFINISHED: &str = ".new-";
/// The age of an unfinished folder whose process must have been killed.
const ABANDONED: Duration = Duration::from_secs(3600);

/// A prepared data folder, which may not exist.
pub(super) struct Prepared {
    path: PathBuf,
    /// What it is made from: the setup, and the version and the folder of PostgreSQL.
    origin: String,
}

impl Prepared {
    /// Returns the one for this PostgreSQL, this setup and the user that PostgreSQL runs as, or `None` if
    /// there is no cache folder. Processes of that user could change the data while it is made.
    pub(super) fn of(postgres: &Postgres, setup: &str, folder: &Folder) -> Option<Self> {
        let (version, bin) = (postgres.version(), postgres.program(""));
        let user = folder.run_as().other().map(|user| user.uid.as_raw());
        let origin = format!(
            "PostgreSQL {version} in {}, user {user:?}\n{setup}",
            bin.display()
        );
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

    /// Keeps a copy of a data folder that no server uses. Does nothing in a folder that another user may
    /// change: root may have the HOME of another user.
    pub(super) fn keep(&self, data: &Path, folder: &Folder) -> io::Result<()> {
        let parent = self.path.parent().unwrap_or(Path::new("/"));
        let exists = parent.ancestors().find(|path| path.exists());
        if exists.is_none_or(|path| !is_own(&path.join(DATA))) {
            return Ok(());
        }
        let mut private = DirBuilder::new();
        private.recursive(true).mode(0o700).create(parent)?;
        if !is_own(&self.path) {
            return Ok(());
        }
        let new = tempfile::Builder::new()
            .prefix(UNFINISHED)
            .permissions(Permissions::from_mode(0o700))
            .tempdir_in(parent)?;
        let size = copy(
            data,
            &new.path().join(DATA),
            folder.run_as(),
            &RunAs::this(),
        )?;
        let mut label = OpenOptions::new();
        let label = label.write(true).create_new(true).mode(0o600);
        let mut label = label.open(new.path().join(LABEL))?;
        label.write_all(self.label(&size).as_bytes())?;
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

/// Reports whether nobody else can replace a path, or what contains it.
fn is_own(path: &Path) -> bool {
    trust::check_parents(path, &RunAs::this()).is_ok()
}

/// Removes all prepared folders but the newest, and old ones that were never finished.
fn remove_old(parent: &Path) -> io::Result<()> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(parent)?.flatten() {
        let (name, modified) = (entry.file_name(), entry.metadata()?.modified()?);
        let name = name.to_string_lossy();
        if name.starts_with(PREFIX) {
            found.push((modified, entry.path()));
        } else if name.starts_with(UNFINISHED)
            && modified.elapsed().is_ok_and(|age| age > ABANDONED)
        {
            std::fs::remove_dir_all(entry.path())?;
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
