//! The user's cache folder. Root has none for what another user runs: nobody else can enter its home.

use std::fs::DirBuilder;
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use crate::folder::trust;
use crate::process::run_as::RunAs;

/// Where root keeps programs that another user runs.
const OF_ROOT: &str = "/var/cache";

/// Returns `rdsign` in XDG_CACHE_HOME, or else in HOME/.cache. The home must exist.
pub(super) fn private() -> Option<PathBuf> {
    let cache = variable("XDG_CACHE_HOME").or_else(|| Some(variable("HOME")?.join(".cache")))?;
    Some(cache.join("rdsign"))
}

/// Returns the folder for programs that `run_as` runs.
pub(super) fn of_programs(run_as: &RunAs) -> Option<PathBuf> {
    match (run_as.other(), variable("XDG_CACHE_HOME")) {
        (Some(_), None) => Some(Path::new(OF_ROOT).join("rdsign")),
        _ => private(),
    }
}

fn variable(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os(name).map(PathBuf::from)?;
    (path.is_absolute() && path.is_dir()).then_some(path)
}

/// Creates `folder` in a cache folder. Reports whether nobody else can replace what will be in it: root may
/// have the HOME of another user.
pub(super) fn create(folder: &Path) -> io::Result<bool> {
    let exists = folder.ancestors().find(|path| path.exists());
    if exists.is_none_or(|path| !is_own(&path.join("new"))) {
        return Ok(false);
    }
    let mut folders = DirBuilder::new();
    folders.recursive(true).mode(0o755).create(folder)?;
    Ok(is_own(&folder.join("new")))
}

/// Reports whether nobody else can replace a path, or what contains it.
fn is_own(path: &Path) -> bool {
    trust::check_parents(path, &RunAs::this()).is_ok()
}
