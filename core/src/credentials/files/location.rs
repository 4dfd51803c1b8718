//! Locates and reads the two files.
//!
//! A missing or unreadable file counts as empty, as in the AWS CLI; messages mention it. A file in
//! UTF-16 is an error. A single damaged character invalidates only its own line.

use std::env::home_dir;
use std::ffi::{CStr, CString, OsStr};
use std::io::ErrorKind;
use std::mem::MaybeUninit;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::ptr;

use zeroize::Zeroizing;

use super::regular::{LARGE, read_regular};
use crate::credentials::environment::variable;
use crate::error::{Error, ErrorCode};

/// The text of a file, or why it could not be read.
pub(super) enum Text {
    Read(Zeroizing<String>),
    Absent(&'static str),
}

/// Returns the path that a variable names, or else the one in the home folder.
pub(super) fn path(name: &str, default: &str) -> PathBuf {
    named_by(name).unwrap_or_else(|| expand_home(&format!("~/.aws/{default}")))
}

/// Returns the path that a variable names, with `~` and `$NAME` expanded.
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

/// Expands `$NAME` and `${NAME}` if the variable is set.
fn expand_variables(text: &str) -> String {
    let mut expanded = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        expanded.push_str(&rest[..at]);
        rest = &rest[at..];
        let (name, whole) = match rest[1..].strip_prefix('{') {
            Some(inner) => match inner.find('}') {
                Some(end) => (&inner[..end], end + 3),
                None => ("", 1),
            },
            None => {
                let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
                let end = rest[1..].find(|c| !is_name(c)).unwrap_or(rest.len() - 1);
                (&rest[1..=end], end + 1)
            }
        };
        match std::env::var(name).ok().filter(|_| !name.is_empty()) {
            Some(value) => expanded.push_str(&value),
            None => expanded.push_str(&rest[..whole]),
        }
        rest = &rest[whole..];
    }
    expanded + rest
}

/// Replaces a leading `~` or `~NAME` by the home folder of the user, if there is one.
pub(in crate::credentials) fn expand_home(text: &str) -> PathBuf {
    let Some(rest) = text.strip_prefix('~') else {
        return text.into();
    };
    let (name, rest) = rest.split_once('/').unwrap_or((rest, ""));
    let home = match name {
        "" => home_dir(),
        name => home_of(name),
    };
    match home.filter(|home| !home.as_os_str().is_empty()) {
        Some(home) if rest.is_empty() => home,
        Some(home) => home.join(rest.trim_start_matches('/')),
        None => text.into(),
    }
}

/// Returns the home folder of a user of this machine.
fn home_of(name: &str) -> Option<PathBuf> {
    let name = CString::new(name).ok()?;
    let mut buffer = vec![0_u8; 16_384];
    let mut user = MaybeUninit::<libc::passwd>::zeroed();
    let mut found = ptr::null_mut();
    // SAFETY: the name ends with a NUL, `user` and `found` are writable, and the length is that of the
    // buffer.
    #[expect(unsafe_code, reason = "getpwnam_r is a C function")]
    let home = unsafe {
        let place = buffer.as_mut_ptr().cast();
        libc::getpwnam_r(
            name.as_ptr(),
            user.as_mut_ptr(),
            place,
            buffer.len(),
            &mut found,
        );
        if found.is_null() || (*found).pw_dir.is_null() {
            return None;
        }
        CStr::from_ptr((*found).pw_dir)
    };
    Some(OsStr::from_bytes(home.to_bytes()).into())
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
    fn a_path_may_have_variables_and_a_tilde() {
        let home = home_dir().unwrap();
        assert_eq!(expand_home("~/x"), home.join("x"));
        assert_eq!(expand_home("a/~"), Path::new("a/~"));
        assert_eq!(expand_home("~root/x"), home_of("root").unwrap().join("x"));
        assert_eq!(expand_home("~root"), home_of("root").unwrap());
        let unknown = "~rdsign-tests-no-such-user/x";
        assert_eq!(expand_home(unknown), Path::new(unknown));
        let path = std::env::var("PATH").unwrap();
        for (text, expected) in [
            ("$PATH/x", format!("{path}/x")),
            ("a${PATH}b", format!("a{path}b")),
            (
                "$RDSIGN_TESTS_NO_SUCH/x",
                "$RDSIGN_TESTS_NO_SUCH/x".to_owned(),
            ),
            (
                "${RDSIGN_TESTS_NO_SUCH}$",
                "${RDSIGN_TESTS_NO_SUCH}$".to_owned(),
            ),
            ("a${PATH", "a${PATH".to_owned()),
            ("$", "$".to_owned()),
        ] {
            assert_eq!(expand_variables(text), expected);
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
