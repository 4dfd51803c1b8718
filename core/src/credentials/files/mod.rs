//! Reads the AWS config file and credentials file as the AWS CLI does.
//!
//! Each fetch reads both once; the AWS SDK never reads them itself. An invalid line matters only in
//! the profile that is used. An error names the file, the line and the reason, and never quotes a
//! value, because it may be a secret.

#[cfg(feature = "fuzz")]
pub(in crate::credentials) mod fuzz;
mod ini;
mod location;
mod profile;
mod regular;
mod words;

use std::collections::{BTreeSet, HashSet};
use std::path::PathBuf;

use self::ini::{Ini, Problem, Section, Setting};
use self::location::Text;
pub(in crate::credentials) use self::location::named_by;
pub(super) use self::profile::{Profile, Value};
pub(in crate::credentials) use self::regular::{LARGE, SMALL, read_regular};
use crate::allocator::Wiping;
use crate::error::{Error, ErrorCode};
use crate::message::{quoted, shortened};

/// Both files, read at one moment.
#[derive(Debug)]
pub(super) struct Files {
    config: File,
    credentials: File,
}

/// One of the files.
#[derive(Debug)]
struct File {
    path: PathBuf,
    absent: Option<&'static str>,
    stray: Vec<Problem>,
    defaults: Option<Section>,
    profiles: Vec<(String, Section)>,
    sso_sessions: Vec<(String, Section)>,
    services: Vec<(String, Section)>,
    /// The names of sections that are not read.
    others: Vec<String>,
}

/// A section and its file.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place<'a> {
    file: &'a File,
    section: &'a Section,
}

impl Files {
    /// Reads both files. Either may be missing.
    pub(super) fn read() -> Result<Self, Error> {
        let open = |variable, default, sort: fn(&mut File, Ini)| {
            let path = location::path(variable, default);
            let text = location::read(&path)?;
            Ok(File::new(path, &text, sort))
        };
        Ok(Self {
            config: open("AWS_CONFIG_FILE", "config", File::sort_config)?,
            credentials: open(
                "AWS_SHARED_CREDENTIALS_FILE",
                "credentials",
                File::sort_credentials,
            )?,
        })
    }

    /// Returns the profile with this name, if either file has it.
    pub(super) fn profile<'a>(&'a self, name: &'a str) -> Option<Profile<'a>> {
        let config = self.config.place(&self.config.profiles, name);
        let credentials = self.credentials.place(&self.credentials.profiles, name);
        (config.is_some() || credentials.is_some()).then_some(Profile::new(
            self,
            name,
            config,
            credentials,
        ))
    }

    /// Returns the section `[sso-session NAME]`.
    fn sso_session(&self, name: &str) -> Option<Place<'_>> {
        self.config.place(&self.config.sso_sessions, name)
    }

    /// Returns the section `[services NAME]`.
    fn services(&self, name: &str) -> Option<Place<'_>> {
        self.config.place(&self.config.services, name)
    }

    /// Returns the error for a missing profile. It lists the files and their profiles.
    pub(super) fn missing(&self, name: &str) -> Error {
        let files = [&self.config, &self.credentials];
        let meant = files.map(|file| file.meant_as(name)).concat();
        let files = files.map(File::summary).join("; ");
        let message = format!(
            "credentials: profile {}: not found; {files}{meant}",
            quoted(name)
        );
        Error::new(ErrorCode::CredentialsFailed, message)
    }

    /// Explains why there is no profile `default`.
    pub(super) fn without_default(&self) -> String {
        let files = [&self.config, &self.credentials]
            .map(File::summary)
            .join("; ");
        format!("there is no profile \"default\" ({files})")
    }

    /// Rejects a line above the first section of a file: it may belong to the profile that was not
    /// found.
    pub(super) fn check_stray(&self) -> Result<(), Error> {
        for file in [&self.credentials, &self.config] {
            if let Some(problem) = file.stray.first() {
                return Err(file.error("profile", problem));
            }
        }
        Ok(())
    }
}

/// Returns the names of the profiles in the AWS files, sorted; none if a file cannot be read.
pub fn profile_names() -> Vec<String> {
    let _wiping = Wiping::start();
    let files = Files::read().map(|files| [files.config, files.credentials]);
    let profiles = files.into_iter().flatten().flat_map(|file| file.profiles);
    let names: BTreeSet<String> = profiles.map(|(name, _)| name).collect();
    names.into_iter().collect()
}

#[cfg(any(test, feature = "fuzz"))]
impl Files {
    /// Makes files with these texts, at the paths `CONFIG` and `CREDENTIALS`.
    pub(super) fn of(config: &str, credentials: &str) -> Self {
        let file = |name: &str, text: &str, sort| {
            File::new(name.into(), &Text::Read(text.to_owned().into()), sort)
        };
        Self {
            config: file("CONFIG", config, File::sort_config),
            credentials: file("CREDENTIALS", credentials, File::sort_credentials),
        }
    }
}

impl File {
    fn new(path: PathBuf, text: &Text, sort: fn(&mut Self, Ini)) -> Self {
        let mut file = Self {
            path,
            absent: None,
            stray: Vec::new(),
            defaults: None,
            profiles: Vec::new(),
            sso_sessions: Vec::new(),
            services: Vec::new(),
            others: Vec::new(),
        };
        match text {
            Text::Absent(reason) => file.absent = Some(reason),
            Text::Read(text) => sort(&mut file, Ini::parse(text)),
        }
        file
    }

    /// Sorts the sections of the config file. A profile's section is `[profile NAME]` or
    /// `[default]`. If two sections name the same profile, the later one wins.
    fn sort_config(&mut self, ini: Ini) {
        self.stray = ini.stray;
        self.defaults = ini.defaults;
        for section in ini.sections {
            let kind = ["profile", "sso-session", "services"]
                .into_iter()
                .find(|kind| section.name.trim_start().starts_with(kind));
            let (list, name) = match kind {
                None if section.name.trim() == "default" => {
                    (&mut self.profiles, "default".to_owned())
                }
                None => {
                    self.others.push(section.name);
                    continue;
                }
                Some(kind) => {
                    let list = match kind {
                        "profile" => &mut self.profiles,
                        "services" => &mut self.services,
                        _ => &mut self.sso_sessions,
                    };
                    match words::split(&section.name).map(<[String; 2]>::try_from) {
                        Some(Ok([_, name])) => (list, name),
                        _ => continue,
                    }
                }
            };
            list.push((name, section));
        }
        for list in [
            &mut self.profiles,
            &mut self.services,
            &mut self.sso_sessions,
        ] {
            let mut known = HashSet::new();
            list.reverse();
            list.retain(|(name, _)| known.insert(name.clone()));
            list.reverse();
        }
    }

    /// Sorts the sections of the credentials file, where each section is a profile.
    fn sort_credentials(&mut self, ini: Ini) {
        self.stray = ini.stray;
        self.defaults = ini.defaults;
        let named = |section: Section| (section.name.clone(), section);
        self.profiles = ini.sections.into_iter().map(named).collect();
    }

    fn place<'a>(&'a self, list: &'a [(String, Section)], name: &str) -> Option<Place<'a>> {
        // Spaces inside the brackets are ignored, unless the name that is searched for has them.
        let mut exact = list.iter().filter(|(known, _)| known == name);
        let mut trimmed = list.iter().filter(|(known, _)| known.trim() == name);
        let (_, section) = exact.next().or_else(|| trimmed.next())?;
        Some(Place {
            file: self,
            section,
        })
    }

    /// Describes the file's profiles for a message.
    fn summary(&self) -> String {
        let path = self.path.display();
        if let Some(reason) = self.absent {
            return format!("{path} {reason}");
        }
        let names: Vec<_> = self.profiles.iter().map(|(name, _)| quoted(name)).collect();
        let mut summary = match names.as_slice() {
            [] => format!("{path} has no profiles"),
            [one] => format!("{path} has the profile {one}"),
            many => format!("{path} has the profiles {}", many.join(", ")),
        };
        if let Some(Problem { line, reason }) = self.stray.first() {
            summary.push_str(&format!(" (line {line}: {reason})"));
        }
        summary
    }

    /// Names a section that has the form of a profile in the other file.
    fn meant_as(&self, name: &str) -> String {
        let (path, shown) = (self.path.display(), shortened(name));
        let is_profile = |section: &str| {
            let words = words::split(section).unwrap_or_default();
            matches!(&words[..], [kind, own] if kind == "profile" && own == name)
        };
        let (wrong, right) = if self.others.iter().any(|section| section.trim() == name) {
            ("", "profile ")
        } else if self.profiles.iter().any(|(section, _)| is_profile(section)) {
            ("profile ", "")
        } else {
            return String::new();
        };
        format!("; the section [{wrong}{shown}] of {path} is ignored: write [{right}{shown}]")
    }

    fn error(&self, whose: &str, problem: &Problem) -> Error {
        let Problem { line, reason } = problem;
        let path = self.path.display();
        let message = format!("credentials: {whose}: {path}, line {line}: {reason}");
        Error::new(ErrorCode::CredentialsFailed, message)
    }
}

impl<'a> Place<'a> {
    /// Returns a setting of the section, or else of the section `[DEFAULT]` of its file.
    fn setting(&self, name: &str) -> Option<&'a Setting> {
        self.sections().find_map(|section| section.setting(name))
    }

    fn problem(&self) -> Option<&'a Problem> {
        self.sections().find_map(|section| section.problems.first())
    }

    fn sections(&self) -> impl Iterator<Item = &'a Section> + use<'a> {
        [Some(self.section), self.file.defaults.as_ref()]
            .into_iter()
            .flatten()
    }
}

#[cfg(test)]
mod tests;
