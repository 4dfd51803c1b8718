//! Finds PostgreSQL on this machine: the newest version, or the one that a data folder needs.
//!
//! Version 14 is the oldest that works: 13 reads at most 1,000 bytes of a password, and a token
//! with a session token is longer. The preloaded library knows the structures of versions up to 18.

use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

use super::places;
use super::search::Search;
use super::version::Version;
use super::zonky::Jar;
use crate::error::LocalError;
use crate::folder::{DATA, Folder, regular};

/// The environment variable with the folder of PostgreSQL's programs, used instead of a search.
const FOLDER_VARIABLE: &str = "RDSIGN_LOCAL_POSTGRES";
/// The major versions that work.
pub(crate) const SUPPORTED: RangeInclusive<u32> = 14..=18;

/// A PostgreSQL: the folder of its programs, and its version.
#[derive(Clone, Debug)]
pub(crate) struct Postgres {
    pub(super) bin: PathBuf,
    pub(super) version: Version,
    /// The JAR with its programs, until they are needed.
    pub(super) jar: Option<Jar>,
}

impl Postgres {
    /// Finds PostgreSQL in `given`, or else in `RDSIGN_LOCAL_POSTGRES`, or else in the usual places.
    ///
    /// Chooses the newest version that is supported, of the major version `wanted` if there is one.
    /// If `folder` has data, it must have the major version of the data. Also returns why others were not
    /// used, each as a sentence.
    pub(crate) fn find(
        folder: &Folder,
        given: Option<&Path>,
        wanted: Option<u32>,
    ) -> Result<(Self, Vec<String>), LocalError> {
        let variable = std::env::var_os(FOLDER_VARIABLE).map(PathBuf::from);
        let given = given.map(PathBuf::from).or(variable);
        let mut search = Search::new(folder.run_as());
        let looked = match &given {
            Some(given) => {
                search.look_in(&[given.join("bin"), given.clone()]);
                given.display().to_string()
            }
            None => {
                search.look_everywhere();
                places::named()
            }
        };
        if search.found.is_empty() {
            let refused = search.refused();
            return Err(LocalError::PostgresMissing { looked, refused });
        }
        let data = folder.path(DATA);
        let read = || regular::read(&data.join("PG_VERSION"));
        let all = describe(&search.found);
        if let Ok(major) = folder.run_as().as_owner(read) {
            let major = major.trim();
            if let Some(wanted) = wanted.filter(|wanted| wanted.to_string() != major) {
                return Err(LocalError::OtherVersion {
                    data,
                    major: major.to_owned(),
                    wanted,
                });
            }
            let chosen = search.newest(|found| found.to_string() == major);
            return chosen.ok_or_else(|| LocalError::PostgresOther {
                data,
                major: major.to_owned(),
                refused: search.refused(),
            });
        }
        let is_wanted = |major| wanted.is_none_or(|wanted| wanted == major);
        let chosen = search.newest(|major| is_wanted(major) && SUPPORTED.contains(&major));
        chosen.ok_or_else(|| {
            let refused = search.refused();
            match wanted {
                Some(major) => LocalError::PostgresVersionMissing {
                    major,
                    found: all,
                    refused,
                },
                None => LocalError::PostgresUnsupported {
                    found: all,
                    refused,
                },
            }
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

fn describe(found: &[Postgres]) -> String {
    let each = found.iter().map(|postgres| {
        let (version, bin) = (&postgres.version, postgres.bin.display());
        format!("{version} in {bin}")
    });
    each.collect::<Vec<_>>().join(", ")
}
