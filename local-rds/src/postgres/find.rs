//! Finds PostgreSQL on this machine: the newest version, or the one that a data folder needs.
//!
//! Version 14 is the oldest that works: 13 reads at most 1,000 bytes of a password, and a token
//! with a session token is longer.

use std::fmt;
use std::path::PathBuf;
use std::process::Command;

use crate::error::LocalError;
use crate::folder::{DATA, Folder, regular};

/// The environment variable with the folder of PostgreSQL's programs, used instead of a search.
const FOLDER_VARIABLE: &str = "RDSIGN_LOCAL_POSTGRES";
/// Where Debian and the PostgreSQL project's RPM packages install each version.
const INSTALLED_FOLDERS: [&str; 2] = ["/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin"];
const OLDEST: u32 = 14;

/// An installed PostgreSQL: the folder of its programs, and its version.
#[derive(Clone, Debug)]
pub(crate) struct Postgres {
    bin: PathBuf,
    version: Version,
}

/// A version as PostgreSQL prints it, such as `15.18` or `18beta1`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Version {
    pub(crate) major: u32,
    minor: u32,
    text: String,
}

impl Postgres {
    /// Finds the newest version or, if `folder` has data, the newest with the data's major version.
    pub(crate) fn find(folder: &Folder) -> Result<Self, LocalError> {
        let data = folder.path(DATA);
        let folders = match std::env::var_os(FOLDER_VARIABLE) {
            Some(folder) => vec![PathBuf::from(folder)],
            None => search_folders(),
        };
        let mut found = installed_in(&folders)?;
        let read = || regular::read(&data.join("PG_VERSION"));
        if let Ok(major) = folder.run_as().as_owner(read) {
            let major = major.trim();
            found.retain(|postgres| postgres.version.major.to_string() == major);
            return found.pop().ok_or_else(|| LocalError::PostgresOther {
                data,
                major: major.to_owned(),
            });
        }
        match found.pop() {
            Some(postgres) if postgres.version.major >= OLDEST => Ok(postgres),
            Some(old) => Err(LocalError::PostgresTooOld {
                bin: old.bin,
                version: old.version.text,
            }),
            None => Err(missing(&folders)),
        }
    }

    /// Returns the path of one of its programs.
    pub(crate) fn program(&self, name: &str) -> PathBuf {
        self.bin.join(name)
    }

    pub(crate) fn version(&self) -> &Version {
        &self.version
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

fn missing(folders: &[PathBuf]) -> LocalError {
    let folders: Vec<_> = folders
        .iter()
        .map(|folder| folder.display().to_string())
        .collect();
    LocalError::PostgresMissing {
        looked: match std::env::var_os(FOLDER_VARIABLE) {
            Some(_) => folders.join(", "),
            None => format!("{} and PATH", INSTALLED_FOLDERS.join(", ")),
        },
    }
}

/// Returns the versions of PostgreSQL in `folders`, the newest last.
fn installed_in(folders: &[PathBuf]) -> Result<Vec<Postgres>, LocalError> {
    let mut found: Vec<Postgres> = folders
        .iter()
        .filter(|bin| bin.join("initdb").is_file() && bin.join("postgres").is_file())
        .filter_map(|bin| {
            let output = Command::new(bin.join("postgres"))
                .arg("--version")
                .output()
                .ok()?;
            let version = version(&String::from_utf8(output.stdout).ok()?)?;
            let bin = std::path::absolute(bin).ok()?;
            Some(Postgres { bin, version })
        })
        .collect();
    if found.is_empty() {
        return Err(missing(folders));
    }
    found.sort_by(|a, b| a.version.cmp(&b.version));
    Ok(found)
}

/// Returns all folders to search.
fn search_folders() -> Vec<PathBuf> {
    let mut folders: Vec<PathBuf> = INSTALLED_FOLDERS
        .iter()
        .flat_map(|pattern| matching(pattern))
        .collect();
    let path = std::env::var_os("PATH").unwrap_or_default();
    folders.extend(std::env::split_paths(&path));
    // pg_config may be on PATH even if the server's programs are not.
    if let Ok(output) = Command::new("pg_config").arg("--bindir").output()
        && let Ok(folder) = String::from_utf8(output.stdout)
    {
        folders.push(PathBuf::from(folder.trim_end()));
    }
    folders
}

/// Returns the folders that match a path with one `*` at the end of one of its parts.
fn matching(pattern: &str) -> Vec<PathBuf> {
    let Some((before, after)) = pattern.split_once('*') else {
        return vec![PathBuf::from(pattern)];
    };
    let (parent, prefix) = before.rsplit_once('/').unwrap_or((".", before));
    let entries = std::fs::read_dir(parent).into_iter().flatten().flatten();
    entries
        .filter(|entry| entry.file_name().to_string_lossy().starts_with(prefix))
        .map(|entry| entry.path().join(after.trim_start_matches('/')))
        .collect()
}

/// Reads a version from `postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)`.
fn version(output: &str) -> Option<Version> {
    let text = output
        .split("(PostgreSQL) ")
        .nth(1)?
        .split_whitespace()
        .next()?;
    let number = |text: &str| {
        let end = text
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(text.len());
        text[..end].parse().ok()
    };
    Some(Version {
        major: number(text)?,
        minor: text
            .split_once('.')
            .and_then(|(_, minor)| number(minor))
            .unwrap_or(0),
        text: text.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_as_numbers() {
        let read = |text: &str| version(&format!("postgres (PostgreSQL) {text}\n")).unwrap();
        assert!(read("9.6.24") < read("15.18 (Debian 15.18-0+deb12u1)"));
        assert!(read("15.9") < read("15.18"));
        assert!(read("17.6") < read("18beta1"));
        assert_eq!(read("15.18 (Debian)").to_string(), "15.18");
        assert_eq!(version("something else"), None);
    }

    #[test]
    fn an_error_without_postgresql_says_how_to_install_it() {
        let empty = tempfile::tempdir().unwrap();
        let error = installed_in(&[empty.path().to_owned()])
            .unwrap_err()
            .to_string();
        assert!(error.contains("apt-get install postgresql"), "{error}");
    }
}
