//! Locates and reads the two files.
//!
//! A missing or unreadable file counts as empty, as in the AWS CLI; messages mention it. A file in
//! UTF-16 is an error. A single damaged character invalidates only its own line.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::regular::{LARGE, read_regular};
use crate::credentials::environment::variable;
use crate::error::{Error, ErrorCode};
use crate::system::paths::{expand_home, expand_variables};

/// The text of a file, or why it could not be read.
pub(super) enum Text {
    Read(Zeroizing<String>),
    Absent(&'static str),
}

/// Returns the path that a variable names, or else the one in the home folder.
pub(super) fn path(name: &str, default: &str) -> PathBuf {
    named_by(name).unwrap_or_else(|| expand_home(&format!("~/.aws/{default}")))
}

/// Returns the path that a variable names, with `~` and variables expanded.
pub(in crate::credentials) fn named_by(variable_name: &str) -> Option<PathBuf> {
    variable(variable_name).map(|text| expand_home(&expand_variables(&text)))
}

pub(super) fn read(path: &Path) -> Result<Text, Error> {
    match read_regular(path, LARGE) {
        Ok(bytes) => decode(&bytes).map(Text::Read).map_err(|problem| {
            let path = path.display();
            let message = format!("credentials: {path}: {problem}; accepted: UTF-8");
            Error::new(ErrorCode::CredentialsFailed, message)
        }),
        Err(error) => Ok(Text::Absent(match error.kind() {
            ErrorKind::NotFound | ErrorKind::NotADirectory => "does not exist",
            ErrorKind::PermissionDenied => "is not readable: permission denied",
            ErrorKind::InvalidInput => "is not a regular file",
            ErrorKind::FileTooLarge => "is larger than 16 MiB",
            _ => "cannot be read",
        })),
    }
}

/// Decodes UTF-8. The parser reports a damaged character with its line.
fn decode(bytes: &[u8]) -> Result<Zeroizing<String>, &'static str> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    // In UTF-16 without a byte order mark, the first ASCII character contains a NUL.
    let starts_with_nul = bytes.iter().take(2).any(|byte| *byte == 0);
    if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") || starts_with_nul {
        return Err("encoded as UTF-16");
    }
    Ok(Zeroizing::new(String::from_utf8_lossy(bytes).into_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_byte_order_mark_is_skipped() {
        assert_eq!(**decode(b"\xef\xbb\xbf[a]").as_ref().unwrap(), *"[a]");
    }

    #[test]
    fn utf_16_is_rejected() {
        for bytes in [&b"\xff\xfe[\0a\0"[..], b"\xfe\xff\0[\0a", b"[\0a\0"] {
            assert!(decode(bytes).unwrap_err().contains("UTF-16"));
        }
    }

    #[test]
    fn a_missing_file_and_a_folder_are_absent() {
        let folder = tempfile::tempdir().unwrap();
        for (path, words) in [
            (folder.path().join("x"), "not exist"),
            (folder.path().into(), "not a regular file"),
        ] {
            match read(&path).unwrap() {
                Text::Absent(reason) => assert!(reason.contains(words), "{reason}"),
                Text::Read(_) => panic!("{}", path.display()),
            }
        }
    }
}
