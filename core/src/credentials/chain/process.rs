//! Runs the user's `credential_process`, a command that prints keys.
//!
//! The AWS SDK's provider cannot kill the command: if it hangs, it survives the fetch, and each
//! further fetch starts another. This module also kills what the command has started.
//!
//! Source: <https://docs.aws.amazon.com/sdkref/latest/guide/feature-process-credentials.html>

use std::io::{IsTerminal, stdin};
use std::process::Stdio;
use std::time::Duration;

use aws_credential_types::Credentials;
use aws_credential_types::provider::Result;
use aws_credential_types::provider::error::CredentialsError;
use serde_json::Value;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::Child;
use zeroize::Zeroizing;

use super::failure::Told;
use super::json;
use crate::system::programs::{self, Group};
use crate::timestamp::parse_expiry;

/// How many milliseconds to wait for a killed process to exit.
const EXIT_CHECKS: usize = 100;
/// How many bytes a process may print.
const MOST: usize = 1 << 20;

/// The command to run.
pub(super) struct Process<'a> {
    command: &'a str,
}

impl<'a> Process<'a> {
    pub(super) fn new(command: &'a str) -> Self {
        Self { command }
    }

    pub(super) async fn credentials(&self) -> Result {
        let told = |problem: String| {
            CredentialsError::provider_error(Told(format!("credential_process: {problem}")))
        };
        let mut command = programs::command(self.command).map_err(told)?;
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        // Input that is piped to rdsign belongs to the program that gets the token.
        if !stdin().is_terminal() {
            command.stdin(Stdio::null());
        }
        let mut group = Group::of(&mut command);
        let child = command.spawn().map_err(|error| told(error.to_string()))?;
        group.add(&child);
        let mut running = Running { child, group };
        let errors = tokio::spawn(read(running.child.stderr.take()));
        let output = read(running.child.stdout.take()).await.map_err(told)?;
        let errors = errors.await.unwrap_or_else(|_| Ok(Zeroizing::default()));
        let errors = errors.map_err(told)?;
        let status = running.child.wait().await;
        let status = status.map_err(|error| told(error.to_string()))?;
        if !status.success() {
            let errors = String::from_utf8_lossy(&errors);
            return Err(told(format!("{status}: {}", errors.trim())));
        }
        read_output(&output).map_err(told)
    }
}

/// A process that is killed when this value is dropped.
struct Running {
    child: Child,
    group: Group,
}

impl Drop for Running {
    fn drop(&mut self) {
        // Without an ID it has exited.
        if self.child.id().is_none() {
            return;
        }
        self.group.kill(&self.child);
        let _ = self.child.start_kill();
        for _ in 0..EXIT_CHECKS {
            if !matches!(self.child.try_wait(), Ok(None)) {
                break;
            }
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}

async fn read(
    pipe: Option<impl AsyncRead + Unpin>,
) -> std::result::Result<Zeroizing<Vec<u8>>, String> {
    // The buffer never moves, so it leaves no copy.
    let mut text = Zeroizing::new(Vec::with_capacity(MOST + 64));
    if let Some(pipe) = pipe {
        let _ = pipe.take(MOST as u64 + 1).read_to_end(&mut text).await;
    }
    match text.len() > MOST {
        true => Err("printed more than 1 MiB".to_owned()),
        false => Ok(text),
    }
}

fn read_output(output: &[u8]) -> std::result::Result<Credentials, String> {
    let Ok(Value::Object(mut fields)) = serde_json::from_slice(output) else {
        return Err("its output is not a JSON object".to_owned());
    };
    match fields.get("Version") {
        Some(version) if version.as_f64() == Some(1.0) => {}
        Some(_) => return Err("Version: not the number 1; accepted: 1".to_owned()),
        None => return Err("Version: missing; accepted: 1".to_owned()),
    }
    let id = json::required(&mut fields, "AccessKeyId")?;
    let secret = json::required(&mut fields, "SecretAccessKey")?;
    let session_token = json::text(&mut fields, "SessionToken")?;
    let expiry = json::text(&mut fields, "Expiration")?
        .map(|text| parse_expiry(&text, "Expiration"))
        .transpose()
        .map_err(|error| error.message().to_owned())?;
    let name = "CredentialProcess";
    Ok(Credentials::new(id, secret, session_token, expiry, name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::timestamp::format_rfc3339;

    fn of(fields: &str) -> std::result::Result<Credentials, String> {
        let keys = r#""Version": 1, "AccessKeyId": "ASIA", "SecretAccessKey": "s""#;
        read_output(format!("{{{keys}, {fields}}}").as_bytes())
    }

    #[test]
    fn an_expiration_may_have_any_form_of_the_aws_cli() {
        for text in ["2099-01-01T00:00:00+0000", "2099-01-01 00:00:00.5UTC"] {
            let credentials = of(&format!(r#""Expiration": "{text}""#)).unwrap();
            let expiry = credentials.expiry().map(format_rfc3339);
            assert_eq!(expiry.as_deref(), Some("2099-01-01T00:00:00Z"), "{text}");
        }
        assert_eq!(of(r#""Expiration": null"#).unwrap().expiry(), None);
    }

    #[test]
    fn a_field_of_another_type_is_named_and_not_shown() {
        for (fields, problem) in [
            (r#""Expiration": 978307200"#, "Expiration: a number"),
            (
                r#""Expiration": "soon""#,
                "Expiration: \"soon\" is not a time",
            ),
            (r#""Expiration": "2099-01-01T00:00:00""#, "Expiration: "),
            (r#""SessionToken": ["s"]"#, "SessionToken: a list"),
            (r#""Version": 2"#, "Version: not the number 1"),
        ] {
            let error = of(fields).unwrap_err();
            assert!(error.starts_with(problem), "{error}");
        }
        let error = read_output(b"{\"SecretAccessKey\": \"secret\"").unwrap_err();
        assert_eq!(error, "its output is not a JSON object");
    }
}
