//! What differs between Unix and Windows. Both modules have the same functions.

#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

#[cfg(unix)]
pub(crate) use unix::{
    CACHE_FOLDER, NULL_DEVICE, cache_folder, in_memory, is_only_own, make_private, private_file,
    run,
};
#[cfg(windows)]
pub(crate) use windows::{
    CACHE_FOLDER, NULL_DEVICE, cache_folder, in_memory, is_only_own, make_private, private_file,
    run,
};

use std::path::PathBuf;

/// Returns an absolute path that a variable names.
fn absolute(variable: &str) -> Option<PathBuf> {
    let path = std::env::var_os(variable).map(PathBuf::from);
    path.filter(|path| path.is_absolute())
}
