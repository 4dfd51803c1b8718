//! The config file and the credentials file of AWS, read as the AWS CLI reads them.
//!
//! Both are read once for each fetch, and the AWS SDK never reads them itself. A problem counts only
//! if the profile that is used has it. An error names the file, the line and the reason, and never
//! a value, since any may be a secret.

mod ini;
mod location;
mod profile;
mod words;

use std::path::PathBuf;

use self::ini::{Ini, Problem, Section};
use self::location::Text;
pub(in crate::credentials) use self::location::named_by;
pub(super) use self::profile::{Profile, Value};
use crate::error::{Error, ErrorCode};
use crate::message::quoted;

/// Both files, as they were at one moment.
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
    profiles: Vec<(String, Section)>,
    sso_sessions: Vec<(String, Section)>,
    services: Vec<(String, Section)>,
}

/// A section, and the file that it is in.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place<'a> {
    file: &'a File,
    section: &'a Section,
}

impl Files {
    /// Reads both files, of which either may be missing.
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

    /// The profile of this name, if either file has it.
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

    /// The section `[sso-session NAME]`.
    fn sso_session(&self, name: &str) -> Option<Place<'_>> {
        self.config.place(&self.config.sso_sessions, name)
    }

    /// The section `[services NAME]`.
    fn services(&self, name: &str) -> Option<Place<'_>> {
        self.config.place(&self.config.services, name)
    }

    /// The error for a profile that is not there: where it was looked for, and what is there.
    pub(super) fn missing(&self, name: &str) -> Error {
        let files = [&self.config, &self.credentials].map(File::tell).join("; ");
        let message = format!("credentials: profile {}: not found; {files}", quoted(name));
        Error::new(ErrorCode::CredentialsFailed, message)
    }

    /// Why there is no profile `default`.
    pub(super) fn without_default(&self) -> String {
        let files = [&self.config, &self.credentials].map(File::tell).join("; ");
        format!("there is no profile \"default\" ({files})")
    }

    /// Refuses a line above the first section of a file, which may be part of the profile that was
    /// looked for and not found.
    pub(super) fn check_stray(&self) -> Result<(), Error> {
        for file in [&self.credentials, &self.config] {
            if let Some(problem) = file.stray.first() {
                return Err(file.error("profile", problem));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
impl Files {
    /// Files of these texts, at the paths `CONFIG` and `CREDENTIALS`.
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
            profiles: Vec::new(),
            sso_sessions: Vec::new(),
            services: Vec::new(),
        };
        match text {
            Text::Absent(reason) => file.absent = Some(reason),
            Text::Read(text) => sort(&mut file, Ini::parse(text)),
        }
        file
    }

    /// In the config file, a profile's section has two words: `[profile NAME]`, or is `[default]`.
    /// Of two that name the same, the later counts.
    fn sort_config(&mut self, ini: Ini) {
        self.stray = ini.stray;
        for section in ini.sections {
            let kind = ["profile", "sso-session", "services"]
                .into_iter()
                .find(|kind| section.name.trim_start().starts_with(kind));
            let (list, name) = match kind {
                None if section.name.trim() == "default" => {
                    (&mut self.profiles, "default".to_owned())
                }
                None => continue,
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
            list.retain(|(known, _)| *known != name);
            list.push((name, section));
        }
    }

    /// In the credentials file, a section's name is the profile's.
    fn sort_credentials(&mut self, ini: Ini) {
        self.stray = ini.stray;
        let named = |section: Section| (section.name.clone(), section);
        self.profiles = ini.sections.into_iter().map(named).collect();
    }

    fn place<'a>(&'a self, list: &'a [(String, Section)], name: &str) -> Option<Place<'a>> {
        // Blanks in the brackets count only if that is how the profile is named.
        let mut exact = list.iter().filter(|(known, _)| known == name);
        let mut trimmed = list.iter().filter(|(known, _)| known.trim() == name);
        let (_, section) = exact.next().or_else(|| trimmed.next())?;
        Some(Place {
            file: self,
            section,
        })
    }

    /// What the file holds, for a message.
    fn tell(&self) -> String {
        let path = self.path.display();
        if let Some(reason) = self.absent {
            return format!("{path} {reason}");
        }
        let names: Vec<_> = self.profiles.iter().map(|(name, _)| quoted(name)).collect();
        let mut said = match names.as_slice() {
            [] => format!("{path} has no profile"),
            [one] => format!("{path} has the profile {one}"),
            many => format!("{path} has the profiles {}", many.join(", ")),
        };
        if let Some(Problem { line, reason }) = self.stray.first() {
            said.push_str(&format!(" (line {line}: {reason})"));
        }
        said
    }

    fn error(&self, whose: &str, problem: &Problem) -> Error {
        let Problem { line, reason } = problem;
        let path = self.path.display();
        let message = format!("credentials: {whose}: {path}, line {line}: {reason}");
        Error::new(ErrorCode::CredentialsFailed, message)
    }
}

#[cfg(test)]
mod tests;
