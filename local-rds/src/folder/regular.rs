//! Opens and reads files that the user that PostgreSQL runs as could have replaced.
//!
//! A pipe without a writer would block the start, and a link would lead elsewhere. Nothing here
//! limits the rights: root must call it through `RunAs::as_owner`.

use std::fs::{File, OpenOptions};
use std::io::{Error, ErrorKind, Read, Result};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// Opens a regular file. Rejects a link, a pipe and anything else.
pub(crate) fn open(options: &mut OpenOptions, path: &Path) -> Result<File> {
    let options = options.custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK);
    let file = options.open(path)?;
    match file.metadata()?.is_file() {
        true => Ok(file),
        false => Err(Error::new(ErrorKind::InvalidInput, "is not a regular file")),
    }
}

/// Reads a regular file of text.
pub(crate) fn read(path: &Path) -> Result<String> {
    let mut text = String::new();
    open(OpenOptions::new().read(true), path)?.read_to_string(&mut text)?;
    Ok(text)
}
