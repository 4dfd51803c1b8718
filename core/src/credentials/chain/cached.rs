//! Reads and writes the file that the AWS CLI saves at a login.
//!
//! It contains a JSON object. Both the AWS CLI and rdsign may replace it at any time.

use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;
use std::time::SystemTime;

use serde_json::{Map, Value};
use zeroize::Zeroizing;

use crate::credentials::files::{SMALL, read_regular};
use crate::timestamp::parse_expiry;

/// A login, read from its file.
pub(super) struct Cached {
    pub(super) path: PathBuf,
    pub(super) fields: Map<String, Value>,
}

impl Cached {
    /// Reads the file. `what` names the service of the login in messages.
    pub(super) fn read(path: PathBuf, what: &str) -> Result<Self, String> {
        let shown = path.display();
        let text = read_regular(&path, SMALL).map_err(|error| match error.kind() {
            ErrorKind::NotFound => format!("not logged in to {what}: {shown} does not exist"),
            _ => format!("cannot read the {what} login {shown}: {error}"),
        })?;
        // The JSON error may quote a secret.
        let fields = serde_json::from_slice(&text)
            .map_err(|_| format!("the {what} login {shown} is not a JSON object"))?;
        Ok(Self { path, fields })
    }

    pub(super) fn text(&self, name: &str) -> Option<&str> {
        text_in(&self.fields, name)
    }

    pub(super) fn time(&self, name: &str) -> Option<SystemTime> {
        time_in(&self.fields, name)
    }

    /// Replaces the file. If the home folder is read-only, the file stays as it is.
    pub(super) fn replace(&self, fields: &Map<String, Value>) {
        let Ok(text) = serde_json::to_vec(fields).map(Zeroizing::new) else {
            return;
        };
        let new = self
            .path
            .with_extension(format!("json.{}", std::process::id()));
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true).mode(0o600);
        let written = options
            .open(&new)
            .and_then(|mut file| file.write_all(&text));
        if written.and_then(|()| fs::rename(&new, &self.path)).is_err() {
            let _ = fs::remove_file(&new);
        }
    }
}

pub(super) fn text_in<'a>(fields: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    fields.get(name)?.as_str().filter(|text| !text.is_empty())
}

/// Reads a time in any form that a version of the AWS CLI writes.
pub(super) fn time_in(fields: &Map<String, Value>, name: &str) -> Option<SystemTime> {
    parse_expiry(text_in(fields, name)?, name).ok()
}
