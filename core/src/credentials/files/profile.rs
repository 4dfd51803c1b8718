//! Reads the settings of one profile. The credentials file takes precedence over the config file.
//!
//! A setting is checked when it is read. A line that cannot be parsed is an error at once, because
//! it could be the setting that matters.

use zeroize::Zeroizing;

use super::ini::{Problem, Setting};
use super::{Files, Place};
use crate::error::{Error, ErrorCode};
use crate::message::quoted;

/// A profile that at least one of the files has.
#[derive(Clone, Copy, Debug)]
pub(in crate::credentials) struct Profile<'a> {
    files: &'a Files,
    name: &'a str,
    config: Option<Place<'a>>,
    credentials: Option<Place<'a>>,
}

/// The value of a setting: one line.
#[derive(Clone, Copy)]
pub(in crate::credentials) struct Value<'a> {
    place: Place<'a>,
    setting: &'a Setting,
}

impl<'a> Profile<'a> {
    pub(super) fn new(
        files: &'a Files,
        name: &'a str,
        config: Option<Place<'a>>,
        credentials: Option<Place<'a>>,
    ) -> Self {
        Self {
            files,
            name,
            config,
            credentials,
        }
    }

    pub(in crate::credentials) fn name(&self) -> &'a str {
        self.name
    }

    pub(in crate::credentials) fn files(&self) -> &'a Files {
        self.files
    }

    /// Returns the profile's name for messages.
    pub(in crate::credentials) fn label(&self) -> String {
        format!("profile {}", quoted(self.name))
    }

    /// Returns an error about the whole profile.
    pub(in crate::credentials) fn error(&self, problem: &str) -> Error {
        let message = format!("credentials: {}: {problem}", self.label());
        Error::new(ErrorCode::CredentialsFailed, message)
    }

    /// Rejects a profile with a line that cannot be parsed.
    pub(in crate::credentials) fn check(&self) -> Result<(), Error> {
        let places = [self.credentials, self.config];
        places
            .into_iter()
            .flatten()
            .try_for_each(|p| self.check_place(p))
    }

    fn check_place(&self, place: Place<'_>) -> Result<(), Error> {
        match place.problem() {
            Some(problem) => Err(place.file.error(&self.label(), problem)),
            None => Ok(()),
        }
    }

    /// Returns the part of this profile in the credentials file.
    pub(in crate::credentials) fn in_credentials(&self) -> Option<Self> {
        self.credentials.is_some().then_some(Self {
            config: None,
            ..*self
        })
    }

    /// Returns the part of this profile in the config file.
    pub(in crate::credentials) fn in_config(&self) -> Option<Self> {
        self.config.is_some().then_some(Self {
            credentials: None,
            ..*self
        })
    }

    pub(in crate::credentials) fn has(&self, name: &str) -> bool {
        self.find(name).is_some()
    }

    fn find(&self, name: &str) -> Option<(Place<'a>, &'a Setting)> {
        [self.credentials, self.config]
            .into_iter()
            .flatten()
            .find_map(|place| Some((place, place.setting(name)?)))
    }

    /// Returns a setting, which may be empty.
    pub(in crate::credentials) fn written(&self, name: &str) -> Result<Option<Value<'a>>, Error> {
        let Some((place, setting)) = self.find(name) else {
            return Ok(None);
        };
        let value = Value { place, setting };
        if setting.value.contains('\n') {
            let problem = "continues in indented lines; accepted: one line";
            return Err(self.wrong(&value, problem));
        }
        Ok(Some(value))
    }

    /// Returns a setting. An empty one counts as missing.
    pub(in crate::credentials) fn get(&self, name: &str) -> Result<Option<Value<'a>>, Error> {
        let value = self.written(name)?;
        Ok(value.filter(|value| !value.text().is_empty()))
    }

    /// Returns an error about a setting of this profile.
    pub(in crate::credentials) fn wrong(&self, value: &Value<'_>, problem: &str) -> Error {
        let Setting { name, line, .. } = value.setting;
        let problem = Problem {
            line: *line,
            reason: format!("{name}: {problem}"),
        };
        value.place.file.error(&self.label(), &problem)
    }

    /// Returns the section `[sso-session …]` that this profile names, in the form of a profile.
    pub(in crate::credentials) fn sso_session(&self, name: &Value<'a>) -> Result<Self, Error> {
        let session = self.files.sso_session(name.text()).ok_or_else(|| {
            let section = format!("there is no section [sso-session {}]", name.text());
            self.wrong(name, &section)
        })?;
        self.check_place(session)?;
        Ok(Self {
            config: Some(session),
            credentials: None,
            ..*self
        })
    }

    /// Returns a service's endpoint from the section `[services …]` that this profile names.
    pub(in crate::credentials) fn service_endpoint(
        &self,
        service: &str,
    ) -> Result<Option<(Zeroizing<String>, Value<'a>)>, Error> {
        let Some(name) = self.get("services")? else {
            return Ok(None);
        };
        let services = self.files.services(name.text()).ok_or_else(|| {
            let section = format!("there is no section [services {}]", name.text());
            self.wrong(&name, &section)
        })?;
        self.check_place(services)?;
        let Some(setting) = services.setting(service) else {
            return Ok(None);
        };
        let value = Value {
            place: services,
            setting,
        };
        for line in setting.value.lines().skip(1).map(str::trim) {
            if line.is_empty() {
                continue;
            }
            let Some((name, url)) = line.split_once('=') else {
                return Err(self.wrong(&value, "a line below it is not a setting (name = value)"));
            };
            if name.trim() == "endpoint_url" && !url.trim().is_empty() {
                let url = Zeroizing::new(url.trim().to_owned());
                return Ok(Some((url, value)));
            }
        }
        Ok(None)
    }
}

impl<'a> Value<'a> {
    pub(in crate::credentials) fn text(&self) -> &'a str {
        &self.setting.value
    }

    /// Returns the value without a comment after it. The AWS CLI treats the comment as part of the
    /// value, but a key, a region or an ARN that contains spaces can never work.
    pub(in crate::credentials) fn word(&self) -> &'a str {
        let text = self.text();
        match text.split_once(char::is_whitespace) {
            Some((word, rest)) if rest.trim_start().starts_with(['#', ';']) => word,
            _ => text,
        }
    }
}
