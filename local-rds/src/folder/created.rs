//! Creates the folder of `--data` with its missing parents, and removes what it created if the start
//! fails, so that a second try finds the same state.

use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use super::{DATA, trust};
use crate::error::{Context, LocalError};
use crate::process::run_as::RunAs;

/// The folders that were created for `--data`, the outermost first. Removed again on drop.
pub(super) struct Created(Vec<PathBuf>);

impl Created {
    /// Creates `path`, for its owner only, and its missing parents, which others may enter: the
    /// user that PostgreSQL runs as is one of them.
    pub(super) fn create(path: &Path, run_as: &RunAs) -> Result<Self, LocalError> {
        let creating = || format!("creating {}", path.display());
        let missing: Vec<_> = path.ancestors().take_while(|path| !path.exists()).collect();
        if let Some(parent) = missing.last().and_then(|first| first.parent()) {
            let parent = parent.canonicalize().context(creating)?;
            trust::check_parents(&parent.join(DATA), run_as)?;
        }
        let mut created = Self(Vec::new());
        for folder in missing.into_iter().rev() {
            let mode = if folder == path { 0o700 } else { 0o755 };
            match DirBuilder::new().mode(mode).create(folder) {
                Ok(()) => created.0.push(folder.to_owned()),
                Err(_) if folder.is_dir() => {} // such as `new/..`
                Err(error) => return Err(error).context(creating),
            }
        }
        Ok(created)
    }

    /// Keeps them.
    pub(super) fn keep(mut self) {
        self.0.clear();
    }
}

impl Drop for Created {
    fn drop(&mut self) {
        for folder in self.0.iter().rev() {
            let _ = std::fs::remove_dir(folder);
        }
    }
}
