//! Finds the library that is preloaded into PostgreSQL, and copies it into the server's folder.
//!
//! It is built together with the `rdsign` program, and installed next to it or in `../lib/rdsign`.

use std::path::PathBuf;
use std::process::Command;

use nix::unistd::{Uid, User};

use crate::error::{Context, LocalError};
use crate::folder::{Folder, trust};
use crate::process::run_as::RunAs;

/// Its file name.
pub(crate) const NAME: &str = "librdsign_local_preload.so";
/// The environment variable with its path, used instead of a search.
const PATH_VARIABLE: &str = "RDSIGN_LOCAL_LIBRARY";

/// Returns the path of the library.
pub(crate) fn find() -> Result<PathBuf, LocalError> {
    let tried = match std::env::var_os(PATH_VARIABLE) {
        Some(path) => vec![PathBuf::from(path)],
        None => usual_paths(),
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

/// Returns its paths in a build and in an installation.
fn usual_paths() -> Vec<PathBuf> {
    let program = std::env::current_exe().and_then(|path| path.canonicalize());
    let folder = program
        .ok()
        .and_then(|path| path.parent().map(PathBuf::from));
    folder.map_or_else(Vec::new, |folder| {
        vec![folder.join(NAME), folder.join("../lib/rdsign").join(NAME)]
    })
}

/// Copies the library into `folder`. The user that PostgreSQL runs as may not be able to read the
/// original, and rebuilding the original must not change a running server.
pub(crate) fn install(folder: &Folder) -> Result<(), LocalError> {
    let original = find()?;
    match std::env::var_os(PATH_VARIABLE) {
        Some(_) => trust::check_named_file(&original, &RunAs::this())?,
        None => trust::check_own_library(&original)?,
    }
    let content = std::fs::read(&original).context(|| format!("reading {}", original.display()))?;
    folder.write(NAME, 0o644, &content).map(drop)
}

/// Lets initdb or a PostgreSQL for a single user, which `command` starts in the server's folder, run as a
/// user without an entry in /etc/passwd: a container may have any user. They ask for the name of their
/// user, and the library has one for such a user.
pub(crate) fn name_the_user(command: &mut Command, run_as: &RunAs) {
    if run_as.other().is_none() && !matches!(User::from_uid(Uid::effective()), Ok(Some(_))) {
        command.env("LD_PRELOAD", format!("./{NAME}"));
    }
}
