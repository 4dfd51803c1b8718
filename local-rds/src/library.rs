//! Finds the library that PostgreSQL is started with, which is built beside rdsign's program.

use std::path::PathBuf;

use crate::error::{Context, LocalError};
use crate::folder::Folder;

/// Its file name.
pub(crate) const NAME: &str = "librdsign_local_preload.so";
/// The environment variable with its path, where it is somewhere else.
const PATH_VARIABLE: &str = "RDSIGN_LOCAL_LIBRARY";

/// Finds the library.
pub(crate) fn find() -> Result<PathBuf, LocalError> {
    let tried = match std::env::var_os(PATH_VARIABLE) {
        Some(path) => vec![PathBuf::from(path)],
        None => beside_the_program(),
    };
    if let Some(path) = tried.iter().find(|path| path.is_file()) {
        return Ok(path.clone());
    }
    let tried: Vec<_> = tried
        .iter()
        .map(|path| path.display().to_string())
        .collect();
    Err(LocalError::LibraryMissing {
        name: NAME,
        looked: tried.join(", "),
    })
}

/// Where a build leaves it, and where an installation below some prefix has it.
fn beside_the_program() -> Vec<PathBuf> {
    let program = std::env::current_exe().and_then(|path| path.canonicalize());
    let folder = program
        .ok()
        .and_then(|path| path.parent().map(PathBuf::from));
    folder.map_or_else(Vec::new, |folder| {
        vec![folder.join(NAME), folder.join("../lib/rdsign").join(NAME)]
    })
}

/// Copies the library into `folder`: the user that the server runs as may not be able to reach the
/// original, and a new build must not change a running server.
pub(crate) fn install(folder: &Folder) -> Result<(), LocalError> {
    let original = find()?;
    let content = std::fs::read(&original).context(|| format!("reading {}", original.display()))?;
    folder.write(NAME, 0o644, &content).map(drop)
}
