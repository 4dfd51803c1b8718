//! Opens files without blocking, and so that only their owner can read what is written.

use std::fs::{File, OpenOptions};
use std::io::{Error, ErrorKind, Result};
use std::path::Path;

pub(crate) use form::{lock_file, open};

/// Creates a file that only its owner can read. On Windows, the access rights are those of the folder.
///
/// # Errors
/// `AlreadyExists` if there is a file or a link that has this name.
pub(crate) fn create_private(path: &Path) -> Result<File> {
    let mut options = OpenOptions::new();
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.write(true).create_new(true).open(path)
}

fn not_regular() -> Error {
    Error::new(ErrorKind::InvalidInput, "is not a regular file")
}

#[cfg(unix)]
mod form {
    use std::os::unix::fs::OpenOptionsExt;

    use super::*;

    /// Opens a regular file to read it, and returns its size. Rejects another kind with
    /// `InvalidInput`.
    pub(crate) fn open(path: &Path) -> Result<(File, u64)> {
        // Opening a device may already change it.
        let found = path.metadata()?;
        if !found.is_file() {
            return Err(not_regular());
        }
        let mut options = OpenOptions::new();
        // A pipe may have replaced the file by now.
        let options = options.read(true).custom_flags(libc::O_NONBLOCK);
        Ok((options.open(path)?, found.len()))
    }

    /// Opens the file that is locked while the file `path` is renewed: the same file.
    pub(crate) fn lock_file(path: &Path) -> Result<File> {
        File::open(path)
    }
}

#[cfg(windows)]
mod form {
    use std::os::windows::io::AsRawHandle;

    use windows_sys::Win32::Storage::FileSystem::{FILE_TYPE_DISK, GetFileType};

    use super::*;

    /// Opens a regular file to read it, and returns its size. Rejects another kind with
    /// `InvalidInput`.
    pub(crate) fn open(path: &Path) -> Result<(File, u64)> {
        if path.is_dir() {
            return Err(not_regular());
        }
        // Only an open file tells devices such as NUL and pipes from files. Opening does not block.
        let file = File::open(path)?;
        // SAFETY: the handle is that of the open file.
        #[expect(unsafe_code, reason = "GetFileType is a C function")]
        let kind = unsafe { GetFileType(file.as_raw_handle()) };
        if kind != FILE_TYPE_DISK {
            return Err(not_regular());
        }
        let size = file.metadata()?.len();
        Ok((file, size))
    }

    /// Opens the file that is locked while the file `path` is renewed. A lock on `path` itself would
    /// keep this process, too, from reading it.
    pub(crate) fn lock_file(path: &Path) -> Result<File> {
        let path = path.metadata().map(|_| path.with_extension("lock"))?;
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(false).open(path)
    }
}
