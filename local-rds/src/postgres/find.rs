//! Finds PostgreSQL on this machine: the newest version, or the one that a data folder needs.
//!
//! Version 14 is the oldest that works: 13 reads at most 1,000 bytes of a password, and a token
//! with a session token is longer. The preloaded library knows the structures of versions up to 18.

use std::fmt;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

use super::places;
use crate::error::LocalError;
use crate::folder::{DATA, Folder, regular};
use crate::process::run_as::RunAs;

/// The environment variable with the folder of PostgreSQL's programs, used instead of a search.
const FOLDER_VARIABLE: &str = "RDSIGN_LOCAL_POSTGRES";
/// The major versions that work.
pub(crate) const SUPPORTED: RangeInclusive<u32> = 14..=18;

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
    /// Finds PostgreSQL in `given`, or else in `RDSIGN_LOCAL_POSTGRES`, or else in the usual places.
    ///
    /// Chooses the newest version that is supported, of the major version `wanted` if there is one.
    /// If `folder` has data, it must have the major version of the data.
    pub(crate) fn find(
        folder: &Folder,
        given: Option<&Path>,
        wanted: Option<u32>,
    ) -> Result<Self, LocalError> {
        let variable = std::env::var_os(FOLDER_VARIABLE).map(PathBuf::from);
        let (folders, looked) = match given.map(PathBuf::from).or(variable) {
            Some(folder) => (vec![folder.join("bin"), folder.clone()], named(&folder)),
            None => (places::all(), places::named()),
        };
        let mut found = installed_in(&folders, folder.run_as());
        if found.is_empty() {
            return Err(LocalError::PostgresMissing { looked });
        }
        let data = folder.path(DATA);
        let read = || regular::read(&data.join("PG_VERSION"));
        if let Ok(major) = folder.run_as().as_owner(read) {
            let major = major.trim();
            if let Some(wanted) = wanted.filter(|wanted| wanted.to_string() != major) {
                return Err(LocalError::OtherVersion {
                    data,
                    major: major.to_owned(),
                    wanted,
                });
            }
            found.retain(|postgres| postgres.version.major.to_string() == major);
            let other = || LocalError::PostgresOther {
                data,
                major: major.to_owned(),
            };
            return found.pop().ok_or_else(other);
        }
        let all = describe(&found);
        found.retain(|postgres| wanted.is_none_or(|major| postgres.version.major == major));
        found.retain(|postgres| SUPPORTED.contains(&postgres.version.major));
        found.pop().ok_or(match wanted {
            Some(major) => LocalError::PostgresVersionMissing { major, found: all },
            None => LocalError::PostgresUnsupported { found: all },
        })
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

fn named(folder: &Path) -> String {
    folder.display().to_string()
}

fn describe(found: &[Postgres]) -> String {
    let each = found.iter().map(|postgres| {
        let (version, bin) = (&postgres.version, postgres.bin.display());
        format!("{version} in {bin}")
    });
    each.collect::<Vec<_>>().join(", ")
}

/// Returns the versions of PostgreSQL in `folders` that `run_as` can run, the newest last.
fn installed_in(folders: &[PathBuf], run_as: &RunAs) -> Vec<Postgres> {
    let mut found: Vec<Postgres> = folders
        .iter()
        .filter(|bin| bin.join("initdb").is_file() && bin.join("postgres").is_file())
        .filter_map(|bin| {
            let bin = std::path::absolute(bin).ok()?;
            let mut command = run_as.command(bin.join("postgres"));
            let output = command.current_dir("/").arg("--version").output().ok()?;
            let version = version(&String::from_utf8(output.stdout).ok()?)?;
            Some(Postgres { bin, version })
        })
        .collect();
    found.sort_by(|a, b| a.version.cmp(&b.version));
    found
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
}
