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
    /// changed meanwhile. Returns the new configuration.
    ///
    /// # Errors
    /// The file cannot be read or written, or it is invalid before or after the change. It then stays as
    /// it was.
    pub(crate) fn change(
        &self,
        mut change: impl FnMut(&mut Document, &Config) -> Result<(), String>,
    ) -> Result<Config, String> {
        self.run_as.as_owner(|| {
            loop {
                let (_lock, old) = locked(&self.path).map_err(|error| self.problem(&error))?;
                let config = self.parse(&old)?;
                let mut document = Document::parse(&old).map_err(|error| self.problem(&error))?;
                change(&mut document, &config)?;
                let new = document.text();
                let config = Config::parse(&new, self.port, &self.more_endpoints)?;
                let replaced = replace(&self.path, &old, &new);
                if replaced.map_err(|error| self.problem(&error))? {
                    return Ok(config);
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

#[cfg(test)]
mod tests {
    use super::super::{default, document};
    use super::*;

    const ID: &str = "AKIALOCALIAMUSER0001";

    fn editor(text: &str) -> (tempfile::TempDir, Editor) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.toml");
        std::fs::write(&path, text).unwrap();
        let editor = Editor::new(path, 5432, Vec::new(), RunAs::this());
        (folder, editor)
    }

    fn expire(editor: &Editor, id: &str) -> Result<(), String> {
        let change = |document: &mut Document, _: &Config| {
            document::set_expiry(document.key(id)?, "2026-01-01T00:00:00Z")
        };
        editor.change(change).map(|_| ())
    }

    #[test]
    fn a_change_leaves_everything_else_as_it_is() {
        let text = default::text(&[]).unwrap().replace(
            "clock_offset_seconds = 0\n",
            "clock_offset_seconds   =  0  # mine\n",
        );
        let (folder, editor) = editor(&text);
        let private = Permissions::from_mode(0o640);
        std::fs::set_permissions(&editor.path, private).unwrap();
        let change = |document: &mut Document, _: &Config| {
            document.set_clock_offset(-7);
            Ok(())
        };
        editor.change(change).unwrap();
        let expected = text.replace("=  0  # mine", "=  -7  # mine");
        assert_eq!(std::fs::read_to_string(&editor.path).unwrap(), expected);
        assert_eq!(editor.path.metadata().unwrap().mode() & 0o777, 0o640);
        expire(&editor, ID).unwrap();
        let key = editor.read().unwrap();
        assert!(key.key(ID).unwrap().credentials.expiry().is_some());
        let added = "policies = ['''\n{";
        let changed = std::fs::read_to_string(&editor.path).unwrap();
        assert!(changed.contains(added));
        assert_eq!(
            changed.replacen("expires_at = 2026-01-01T00:00:00Z\n", "", 1),
            expected
        );
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn an_edit_by_hand_during_a_change_is_kept() {
        let (_folder, editor) = editor(&default::text(&[]).unwrap());
        let mut calls = 0;
        let change = |document: &mut Document, _: &Config| {
            calls += 1;
            if calls == 1 {
                let text = std::fs::read_to_string(&editor.path).unwrap();
                std::fs::write(&editor.path, format!("# by hand\n{text}")).unwrap();
            }
            document.set_clock_offset(960);
            Ok(())
        };
        editor.change(change).unwrap();
        let text = std::fs::read_to_string(&editor.path).unwrap();
        assert!(text.starts_with("# by hand\n") && text.contains("clock_offset_seconds = 960\n"));
    }

    #[test]
    fn changes_at_the_same_time_are_all_kept() {
        let (_folder, editor) = editor(&default::text(&[]).unwrap());
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..5 {
                        let change = |document: &mut Document, config: &Config| {
                            document.set_clock_offset(config.clock_offset_seconds + 1);
                            Ok(())
                        };
                        editor.change(change).unwrap();
                    }
                });
            }
        });
        assert_eq!(editor.read().unwrap().clock_offset_seconds, 20);
    }

    #[test]
    fn an_invalid_change_and_an_invalid_file_are_left_alone() {
        let text = default::text(&[]).unwrap();
        let (_folder, editor) = editor(&text);
        assert!(
            expire(&editor, "AKIANOTTHERE")
                .unwrap_err()
                .starts_with("access_key_id: ")
        );
        let change = |document: &mut Document, _: &Config| {
            document::set_policies(document.key(ID)?, ["{"].into_iter());
            Ok(())
        };
        let problem = editor.change(change).unwrap_err();
        assert!(
            problem.starts_with("access_keys[0].policies[0]: "),
            "{problem}"
        );
        assert_eq!(std::fs::read_to_string(&editor.path).unwrap(), text);
        let broken = text.replace("account_id", "account");
        std::fs::write(&editor.path, &broken).unwrap();
        assert!(expire(&editor, ID).unwrap_err().contains("config.toml: "));
        assert_eq!(std::fs::read_to_string(&editor.path).unwrap(), broken);
    }

    #[test]
    fn a_key_of_dsql_has_its_grants_as_long_as_it_exists() {
        let endpoint = "4abcdefghijklmnopqrstuvwxyz.dsql.us-east-1.on.aws".to_owned();
        let (_folder, editor) = editor(&default::text(&[endpoint]).unwrap());
        let new = document::NewKey {
            access_key_id: "AKIANEW",
            secret_access_key: "secret",
            ..document::NewKey::default()
        };
        let change = |document: &mut Document, config: &Config| {
            document.replace_key(config.key(ID).ok_or("no key")?, &new)
        };
        let config = editor.change(change).unwrap();
        assert!(config.may_connect(config.key("AKIANEW").unwrap(), "iam_user"));
        assert!(config.key(ID).is_none());
        let remove = |document: &mut Document, _: &Config| document.remove_key("AKIANEW");
        let config = editor.change(remove).unwrap();
        assert!(config.key("AKIANEW").is_none());
        let grants = config.server.grants.iter().map(|grant| grant.to.len());
        assert_eq!(grants.collect::<Vec<_>>(), [1, 1]);
    }
}
