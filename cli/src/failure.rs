//! How a command fails: a message on standard error and an exit status, 2 for invalid input and 1
//! for everything else. An error of the library is shown with its code.

use std::io::{self, Write};
use std::process::ExitCode;

use rdsign::ErrorCode;

use crate::args::usage;
use crate::commands::local;

/// An error of the library, or of the command line itself.
pub(crate) enum Failure {
    Signing(rdsign::Error),
    /// Invalid input; the message says what is accepted.
    Usage(String),
    /// Anything else.
    Other(String),
    Output(io::Error),
}

impl From<Failure> for String {
    /// The message, as it is reported.
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Signing(error) => {
                format!("{}: {error}{}", error.code(), given_by(&error))
            }
            Failure::Usage(problem) | Failure::Other(problem) => problem,
            Failure::Output(error) => format!("cannot write the output: {error}"),
        }
    }
}

impl Failure {
    /// Whether the input is invalid.
    pub(crate) fn is_usage(&self) -> bool {
        match self {
            Self::Signing(error) => error.code().is_invalid_request(),
            Self::Usage(_) => true,
            Self::Other(_) | Self::Output(_) => false,
        }
    }

    pub(crate) fn report(self) -> ExitCode {
        // Whoever reads the output has seen enough, as `| head` has.
        if matches!(&self, Self::Output(error) if error.kind() == io::ErrorKind::BrokenPipe) {
            return ExitCode::FAILURE;
        }
        let status = if self.is_usage() { 2 } else { 1 };
        complain(&String::from(self));
        ExitCode::from(status)
    }
}

/// Returns where the command line gets a value: the library's messages name only the field.
fn given_by(error: &rdsign::Error) -> &'static str {
    match error.code() {
        _ if error.message().starts_with("service ") => " (PGSERVICE)",
        ErrorCode::InvalidHostname => " (--hostname or PGHOST)",
        ErrorCode::InvalidPort => " (--port or PGPORT)",
        ErrorCode::InvalidUsername => " (--username or PGUSER)",
        ErrorCode::RegionRequired => " (--region)",
        _ => "",
    }
}

/// Prints a message of rdsign on standard error.
pub(crate) fn complain(message: &str) {
    // Not eprintln, which panics if nobody reads standard error.
    let _ = writeln!(io::stderr(), "rdsign: {}", without_secrets(message));
}

/// Prints help, or the error for the command line.
pub(crate) fn report_usage(error: &clap::Error, program: &clap::Command) -> ExitCode {
    match usage::failure(error, program) {
        Some(failure) => {
            if let Failure::Usage(problem) = &failure {
                local::tell_refused(problem);
            }
            failure.report()
        }
        None => match error.print() {
            Ok(()) if error.use_stderr() => ExitCode::from(2),
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => Failure::Output(error).report(),
        },
    }
}

/// Hides the secrets of each argument: a user may have put a token, or a URL with a password, in the
/// wrong place.
pub(crate) fn without_secrets(message: &str) -> String {
    let mut text = message.to_owned();
    for argument in std::env::args_os() {
        let argument = argument.to_string_lossy();
        // Only the value of `--port=VALUE` may be in the message.
        let value = match argument.split_once('=') {
            Some((flag, value)) if flag.starts_with("--") => value,
            _ => &argument,
        };
        let hidden = rdsign::without_secrets(value);
        if hidden != value {
            let shown = rdsign::shortened(&hidden);
            text = text.replace(value, &shown);
            text = text.replace(inside_quotes(&format!("{value:?}")), &shown);
        }
    }
    text
}

fn inside_quotes(text: &str) -> &str {
    let text = text.strip_prefix('"').unwrap_or(text);
    text.strip_suffix('"').unwrap_or(text)
}

impl From<rdsign::Error> for Failure {
    fn from(error: rdsign::Error) -> Self {
        Self::Signing(error)
    }
}

impl From<rdsign::policy::InvalidResource> for Failure {
    fn from(error: rdsign::policy::InvalidResource) -> Self {
        match error.code() {
            Some(code) => Self::Usage(format!("{code}: {error}")),
            None => Self::Usage(error.to_string()),
        }
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Output(error)
    }
}
