//! Changes the configuration file, while people and other programs may change it too.
//!
//! A change is made under a lock, and the file is replaced as a whole: a login never reads half of it. An
//! editor knows no lock, so the file is read again before it is replaced.

use std::fs::{File, OpenOptions, Permissions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt, fchown};
use std::path::{Path, PathBuf};

use super::Config;
use super::document::Document;
use crate::folder::regular;
use crate::process::run_as::RunAs;

/// The file, and who may write it.
pub(crate) struct Editor {
    path: PathBuf,
    port: u16,
    more_endpoints: Vec<String>,
    run_as: RunAs,
}

impl Editor {
    /// `run_as` is the user whose rights are used.
    pub(crate) fn new(
        path: PathBuf,
        port: u16,
        more_endpoints: Vec<String>,
        run_as: RunAs,
    ) -> Self {
        Self {
            path,
            port,
            more_endpoints,
            run_as,
        }
    }

    /// Reads the configuration as it is now.
    pub(crate) fn read(&self) -> Result<Config, String> {
        let read = || Config::read(&self.path, self.port, &self.more_endpoints);
        self.run_as
            .as_owner(read)
            .map_err(|error| error.to_string())
    }

    /// Applies `change`, which gets the document and what it says. It may be called again, if the file was
    /// changed meanwhile. Returns its result and the new configuration.
    ///
    /// # Errors
    /// The file cannot be read or written, or it is invalid before or after the change. It then stays as
    /// it was.
    pub(crate) fn change<T>(
        &self,
        mut change: impl FnMut(&mut Document, &Config) -> Result<T, String>,
    ) -> Result<(T, Config), String> {
        self.run_as.as_owner(|| {
            loop {
                let (_lock, old) = locked(&self.path).map_err(|error| self.problem(&error))?;
                let config = self.parse(&old)?;
                let mut document = Document::parse(&old).map_err(|error| self.problem(&error))?;
                let result = change(&mut document, &config)?;
                let new = document.text();
                let config = Config::parse(&new, self.port, &self.more_endpoints)?;
                let replaced = replace(&self.path, &old, &new);
                if replaced.map_err(|error| self.problem(&error))? {
                    return Ok((result, config));
                }
            }
        })
    }

    fn parse(&self, text: &str) -> Result<Config, String> {
        let parsed = Config::parse(text, self.port, &self.more_endpoints);
        parsed.map_err(|problem| self.problem(&problem))
    }

    fn problem(&self, problem: &dyn std::fmt::Display) -> String {
        format!("{}: {problem}", self.path.display())
    }
}

/// Returns the file with a lock on it, which ends when it is dropped, and its text.
fn locked(path: &Path) -> io::Result<(File, String)> {
    loop {
        let path = path.canonicalize()?;
        let mut file = regular::open(OpenOptions::new().read(true), &path)?;
        file.lock()?;
        // Whoever had the lock has replaced the file.
        if file.metadata()?.ino() != path.metadata()?.ino() {
            continue;
        }
        let mut text = String::new();
        file.read_to_string(&mut text)?;
        return Ok((file, text));
    }
}

/// Replaces the text of the file if it is still `old`. Its owner and mode stay.
fn replace(path: &Path, old: &str, new: &str) -> io::Result<bool> {
    let path = path.canonicalize()?;
    let folder = path.parent().unwrap_or(Path::new("/"));
    let mut file = tempfile::Builder::new()
        .prefix(".rdsign-")
        .tempfile_in(folder)?;
    file.write_all(new.as_bytes())?;
    let about = path.metadata()?;
    let own = file.as_file().metadata()?;
    if (own.uid(), own.gid()) != (about.uid(), about.gid()) {
        fchown(file.as_file(), Some(about.uid()), Some(about.gid()))?;
    }
    file.as_file()
        .set_permissions(Permissions::from_mode(about.mode() & 0o777))?;
    if regular::read(&path)? != old {
        return Ok(false);
    }
    file.persist(&path)?;
    Ok(true)
}
