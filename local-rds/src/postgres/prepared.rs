//! Keeps a data folder that is ready for use in the user's cache folder, as one file, and copies it: initdb
//! takes longer than everything else that a start does.
//!
//! There is one for each version of PostgreSQL and each setup of this module's caller. It is copied
//! only if nobody else can have changed it, and if all of it is there. Any problem means that
//! initdb creates the data folder.

use std::fs::OpenOptions;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::find::Postgres;
use super::{cache, packed};
use crate::folder::{Folder, regular, trust};
use crate::process::run_as::RunAs;

const PREFIX: &str = "data-";
/// The number of prepared folders that are kept, the newest.
const KEPT: usize = 8;
const UNFINISHED: &str = ".new-";
/// The age of an unfinished file whose process must have been killed.
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
        let name = format!("{PREFIX}{version}-{:016x}.packed", hasher.finish());
        let path = cache::private()?.join("local").join(name);
        Some(Self { path, origin })
    }

    /// Copies it to `target`, which must not exist. Returns false if that is not possible; then there
    /// may be a part of it.
    pub(super) fn copy_to(&self, target: &Path, folder: &Folder) -> bool {
        if trust::check(&self.path, &[], &RunAs::this()).is_err() {
            return false;
        }
        let copied = || -> io::Result<()> {
            let mut packed = Vec::new();
            regular::open(OpenOptions::new().read(true), &self.path)?.read_to_end(&mut packed)?;
            let unpack = || packed::unpack(&packed, &self.origin, target);
            folder.run_as().as_owner(unpack)
        };
        copied().is_ok()
    }

    /// Keeps a copy of a data folder that no server uses. Does nothing in a folder that another user may
    /// change.
    pub(super) fn keep(&self, data: &Path, folder: &Folder) -> io::Result<()> {
        let parent = self.path.parent().unwrap_or(Path::new("/"));
        if !cache::create(parent)? {
            return Ok(());
        }
        let pack = || packed::pack(data, &self.origin);
        let packed = folder.run_as().as_owner(pack)?;
        let mut new = tempfile::Builder::new()
            .prefix(UNFINISHED)
            .tempfile_in(parent)?;
        new.write_all(&packed)?;
        // Before it gets its name: the machine may lose its power.
        new.as_file().sync_all()?;
        new.persist(&self.path)?;
        remove_old(parent)
    }
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
            std::fs::remove_file(entry.path())?;
        }
    }
    found.sort();
    found.reverse();
    for (_, path) in found.into_iter().skip(KEPT) {
        std::fs::remove_file(path)?;
    }
    Ok(())
}
