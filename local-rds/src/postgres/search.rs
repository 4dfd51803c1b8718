//! Searches for PostgreSQL in folders and in the usual places, and notes why a build is not used.

use std::io;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};

use super::find::Postgres;
use super::places;
use super::version::Version;
use super::zonky;
use crate::process::run_as::RunAs;

/// A search for PostgreSQL.
pub(super) struct Search<'a> {
    run_as: &'a RunAs,
    /// The newest last.
    pub(super) found: Vec<Postgres>,
    refused: Vec<String>,
}

impl<'a> Search<'a> {
    pub(super) fn new(run_as: &'a RunAs) -> Self {
        Self {
            run_as,
            found: Vec::new(),
            refused: Vec::new(),
        }
    }

    pub(super) fn look_everywhere(&mut self) {
        // It takes a while, so it runs while others are asked for their versions.
        let pg_config = places::pg_config();
        let folders = places::all(&mut self.refused);
        self.look_in(&folders);
        let output = pg_config.and_then(|child| child.wait_with_output().ok());
        if let Some(folder) = output.and_then(|output| String::from_utf8(output.stdout).ok()) {
            self.look_in(&[PathBuf::from(folder.trim_end())]);
        }
        self.found
            .extend(zonky::all().into_iter().filter_map(|jar| {
                let version = Version::read(&jar.version)?;
                let bin = jar.path.clone();
                Some(Postgres {
                    bin,
                    version,
                    jar: Some(jar),
                })
            }));
        // Those that need not be unpacked come last among equals.
        let key = |one: &Postgres| {
            let Version { major, minor, text } = one.version.clone();
            (major, minor, one.jar.is_none(), text)
        };
        self.found.sort_by_key(key);
    }

    /// Adds what is in `folders` and can be run. Asks all for their versions at the same time.
    pub(super) fn look_in(&mut self, folders: &[PathBuf]) {
        let mut started: Vec<(PathBuf, io::Result<Child>)> = Vec::new();
        let mut seen: Vec<_> = self.found.iter().map(|one| real(&one.bin)).collect();
        for bin in folders {
            let programs = ["initdb", "postgres"].map(|name| bin.join(name));
            if programs.iter().all(|program| program.is_file()) && !seen.contains(&real(bin)) {
                seen.push(real(bin));
                started.extend(std::path::absolute(bin).map(|bin| self.ask(bin)));
            }
        }
        for (bin, child) in started {
            match answer(child) {
                Ok(version) => self.found.push(Postgres {
                    bin,
                    version,
                    jar: None,
                }),
                Err(problem) => self.refused.push(self.cannot_run(&bin, &problem)),
            }
        }
        self.found.sort_by(|a, b| a.version.cmp(&b.version));
    }

    /// Starts `postgres --version` of a folder.
    fn ask(&self, bin: PathBuf) -> (PathBuf, io::Result<Child>) {
        let mut command = self.run_as.command(bin.join("postgres"));
        command.current_dir("/").arg("--version");
        let child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn();
        (bin, child)
    }

    fn cannot_run(&self, bin: &Path, problem: &str) -> String {
        let user = self
            .run_as
            .other()
            .map(|user| format!("as the user {}, ", user.name));
        let (bin, user) = (bin.display(), user.unwrap_or_default());
        format!("{bin}: {user}`postgres --version` failed: {problem}")
    }

    /// Returns the newest of those whose major version is accepted, and what was refused. Unpacks it if it
    /// is in a JAR; if that fails, takes the next.
    pub(super) fn newest(
        &mut self,
        accepts: impl Fn(u32) -> bool,
    ) -> Option<(Postgres, Vec<String>)> {
        while let Some(index) = self
            .found
            .iter()
            .rposition(|one| accepts(one.version.major))
        {
            let postgres = self.found.remove(index);
            let unpacked = match &postgres.jar {
                None => Ok(postgres),
                Some(jar) => jar.programs(self.run_as).and_then(|bin| {
                    let (bin, child) = self.ask(bin);
                    match answer(child) {
                        Ok(version) => Ok(Postgres {
                            bin,
                            version,
                            jar: None,
                        }),
                        Err(problem) => Err(self.cannot_run(&bin, &problem)),
                    }
                }),
            };
            match unpacked {
                Ok(postgres) => return Some((postgres, std::mem::take(&mut self.refused))),
                Err(problem) => self.refused.push(problem),
            }
        }
        None
    }

    /// Returns what was refused, for the end of an error.
    pub(super) fn refused(&self) -> String {
        match self.refused.as_slice() {
            [] => String::new(),
            refused => format!(". Not used: {}", refused.join("; ")),
        }
    }
}

/// Returns the path of the program, without links.
fn real(bin: &Path) -> Option<PathBuf> {
    bin.join("postgres").canonicalize().ok()
}

/// Returns the version that a `postgres --version` prints, or why there is none.
fn answer(child: io::Result<Child>) -> Result<Version, String> {
    let output = child
        .and_then(Child::wait_with_output)
        .map_err(|error| error.to_string())?;
    let [output, error] =
        [output.stdout, output.stderr].map(|text| String::from_utf8_lossy(&text).into_owned());
    Version::printed(&output).ok_or_else(|| error.lines().next().unwrap_or("no version").to_owned())
}
