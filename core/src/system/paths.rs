//! Where users keep their files: home folders, and the variables and `~` in paths.
//!
//! The rules are those of the AWS CLI, and so of Python's `os.path`, and for its service file those
//! of libpq.

use std::env;
use std::path::PathBuf;

pub(crate) use form::{SERVICE_FILE, SERVICE_FOLDERS, service_folder};

/// Expands `$NAME` and `${NAME}` and, on Windows, `%NAME%` if the variable is set.
#[cfg(feature = "chain")]
pub(crate) fn expand_variables(text: &str) -> String {
    expanded(text, cfg!(windows), &|name| env::var(name).ok())
}

/// On Windows, quotes in `'` prevent that, and `%%` and `$$` are single characters.
#[cfg(feature = "chain")]
fn expanded(text: &str, on_windows: bool, variable: &dyn Fn(&str) -> Option<String>) -> String {
    let special = ['$', '%', '\''];
    let special = &special[..if on_windows { 3 } else { 1 }];
    let is_in_name = |c: char| c.is_ascii_alphanumeric() || c == '_' || (on_windows && c == '-');
    let mut expanded = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(special) {
        expanded.push_str(&rest[..at]);
        rest = &rest[at..];
        let after = &rest[1..];
        let end_of = |end: char| after.find(end);
        // The variable's name, and the length of what it replaces.
        let (name, whole) = match &rest[..1] {
            "'" => ("", end_of('\'').map_or(rest.len(), |end| end + 2)),
            sign if on_windows && after.starts_with(sign) => {
                expanded.push_str(sign);
                rest = &after[1..];
                continue;
            }
            "%" => match end_of('%') {
                Some(end) => (&after[..end], end + 2),
                None => ("", rest.len()),
            },
            _ if after.starts_with('{') => match end_of('}') {
                Some(end) => (&after[1..end], end + 2),
                None => ("", 1),
            },
            _ => {
                let end = after.find(|c| !is_in_name(c)).unwrap_or(after.len());
                (&after[..end], end + 1)
            }
        };
        match variable(name).filter(|_| !name.is_empty()) {
            Some(value) => expanded.push_str(&value),
            None => expanded.push_str(&rest[..whole]),
        }
        rest = &rest[whole..];
    }
    expanded + rest
}

/// Replaces a leading `~` or `~NAME` by the home folder of the user, if there is one.
#[cfg(feature = "chain")]
pub(crate) fn expand_home(text: &str) -> PathBuf {
    let Some(rest) = text.strip_prefix('~') else {
        return text.into();
    };
    let (name, rest) = rest
        .split_once(std::path::is_separator)
        .unwrap_or((rest, ""));
    let home = match name {
        "" => env::home_dir(),
        name => form::home_of(name),
    };
    match home.filter(|home| !home.as_os_str().is_empty()) {
        Some(home) if rest.is_empty() => home,
        Some(home) => home.join(rest.trim_start_matches(std::path::is_separator)),
        None => text.into(),
    }
}

#[cfg(unix)]
mod form {
    use super::*;

    /// The user's service file, in words.
    pub(crate) const SERVICE_FILE: &str = "~/.pg_service.conf";
    /// Where packages of libpq look if PGSYSCONFDIR is not set: Debian's, others', and its own build.
    pub(crate) const SERVICE_FOLDERS: &[&str] =
        &["/etc/postgresql-common", "/etc", "/usr/local/pgsql/etc"];

    /// Returns the folder of the user's service file.
    pub(crate) fn service_folder() -> Option<PathBuf> {
        env::home_dir()
    }

    /// Returns the home folder of a user of this machine.
    #[cfg(feature = "chain")]
    pub(super) fn home_of(name: &str) -> Option<PathBuf> {
        use std::ffi::{CStr, CString, OsStr};
        use std::mem::MaybeUninit;
        use std::os::unix::ffi::OsStrExt;

        let name = CString::new(name).ok()?;
        let mut buffer = vec![0_u8; 16_384];
        let mut user = MaybeUninit::<libc::passwd>::zeroed();
        let mut found = std::ptr::null_mut();
        // SAFETY: the name ends with a NUL, `user` and `found` are writable, and the length is that of
        // the buffer.
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
}

#[cfg(windows)]
mod form {
    use super::*;

    /// The user's service file, in words.
    pub(crate) const SERVICE_FILE: &str = r"%APPDATA%\postgresql\.pg_service.conf";
    /// Where packages of libpq look if PGSYSCONFDIR is not set. Each has another folder.
    pub(crate) const SERVICE_FOLDERS: &[&str] = &[];

    /// Returns the folder of the user's service file.
    pub(crate) fn service_folder() -> Option<PathBuf> {
        env::var_os("APPDATA").map(|folder| PathBuf::from(folder).join("postgresql"))
    }

    /// Returns the home folder of a user of this machine.
    #[cfg(feature = "chain")]
    pub(super) fn home_of(name: &str) -> Option<PathBuf> {
        super::home_next_to(env::home_dir()?, env::var_os("USERNAME")?.to_str()?, name)
    }
}

/// Guesses that the home folders of all users are next to each other, if that of `own` has his name.
#[cfg(all(feature = "chain", any(windows, test)))]
fn home_next_to(home: PathBuf, own: &str, name: &str) -> Option<PathBuf> {
    if name == own {
        return Some(home);
    }
    (home.file_name()? == own).then(|| home.with_file_name(name))
}

#[cfg(all(test, feature = "chain"))]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn a_tilde_names_a_home_folder() {
        let home = env::home_dir().unwrap();
        assert_eq!(expand_home("~/x"), home.join("x"));
        assert_eq!(expand_home("a/~"), Path::new("a/~"));
        let unknown = "~rdsign-tests-no-such-user/x";
        assert_eq!(expand_home(unknown), Path::new(unknown));
    }

    #[cfg(unix)]
    #[test]
    fn a_tilde_and_a_name_are_the_home_folder_of_that_user() {
        let root = form::home_of("root").unwrap();
        assert_eq!(expand_home("~root/x"), root.join("x"));
        assert_eq!(expand_home("~root"), root);
    }

    #[test]
    fn on_windows_home_folders_are_next_to_each_other() {
        let other = |home: &str, name| home_next_to(home.into(), "jane", name);
        assert_eq!(other("/Users/jane", "bob"), Some("/Users/bob".into()));
        assert_eq!(other("/data", "bob"), None);
        assert_eq!(other("/data", "jane"), Some("/data".into()));
    }

    #[test]
    fn a_path_may_have_variables() {
        let variable = |name: &str| match name {
            "A" => Some("x y".to_owned()),
            "A-B" => Some("z".to_owned()),
            "EMPTY" => Some(String::new()),
            _ => None,
        };
        for (text, on_unix, on_windows) in [
            ("$A/f", "x y/f", "x y/f"),
            ("a${A}b$EMPTY", "ax yb", "ax yb"),
            ("$B/${B}$", "$B/${B}$", "$B/${B}$"),
            ("a${A", "a${A", "a${A"),
            ("$", "$", "$"),
            ("", "", ""),
            ("${}", "${}", "${}"),
            ("%A%\\f", "%A%\\f", "x y\\f"),
            ("%B%%A%", "%B%%A%", "%B%x y"),
            ("100%", "100%", "100%"),
            ("%%A%%", "%%A%%", "%A%"),
            ("$$A", "$x y", "$A"),
            ("'$A' $A '%A%", "'x y' x y '%A%", "'$A' x y '%A%"),
            ("$A-B", "x y-B", "z"),
        ] {
            assert_eq!(expanded(text, false, &variable), on_unix, "{text}");
            assert_eq!(expanded(text, true, &variable), on_windows, "{text}");
        }
    }
}
