//! Reads a file that a setting names, without blocking and up to a limit.
//!
//! The file may be a pipe that nobody writes to, or a device without an end. A fetch reads files on
//! the thread that also watches its timeout, so a read that blocks would never end.

use std::io::{Error, ErrorKind, Read, Result};
use std::path::Path;

use zeroize::Zeroizing;

use crate::system::files;

/// How many MiB a file of tokens or keys may have.
pub(in crate::credentials) const SMALL: usize = 1;
/// How many MiB a CA bundle or an AWS file may have.
pub(in crate::credentials) const LARGE: usize = 16;

/// Reads a regular file. Rejects another kind of file with `InvalidInput`, and one of more than
/// `limit` MiB with `FileTooLarge`.
pub(in crate::credentials) fn read_regular(
    path: &Path,
    limit: usize,
) -> Result<Zeroizing<Vec<u8>>> {
    let (file, size) = files::open(path)?;
    let most = limit << 20;
    let size = usize::try_from(size).map_or(most, |size| size.min(most));
    // With enough room, the buffer does not move and leave a copy.
    let mut text = Zeroizing::new(Vec::with_capacity(size + 64));
    let more_than_most = u64::try_from(most + 1).unwrap_or(u64::MAX);
    file.take(more_than_most).read_to_end(&mut text)?;
    if text.len() > most {
        let problem = format!("is larger than {limit} MiB");
        return Err(Error::new(ErrorKind::FileTooLarge, problem));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use std::fs::{self, File};

    use super::*;

    #[test]
    fn a_file_has_a_limit() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        fs::write(&path, "text").unwrap();
        assert_eq!(**read_regular(&path, SMALL).unwrap(), *b"text");
        let file = File::create(&path).unwrap();
        file.set_len(1 << 20).unwrap();
        assert_eq!(read_regular(&path, SMALL).unwrap().len(), 1 << 20);
        file.set_len((1 << 20) + 1).unwrap();
        let error = read_regular(&path, SMALL).unwrap_err();
        assert_eq!(error.to_string(), "is larger than 1 MiB");
    }

    #[test]
    fn a_device_is_not_read() {
        let device = if cfg!(windows) { "NUL" } else { "/dev/zero" };
        let error = read_regular(Path::new(device), SMALL).unwrap_err();
        assert_eq!(error.to_string(), "is not a regular file");
    }
}
