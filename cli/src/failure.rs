//! How a command fails: a message on standard error and an exit status, 2 for invalid input and 1
//! for everything else. An error of the library is shown with its code.

use std::io;
use std::process::ExitCode;

/// An error of the library, or of the command line itself.
pub(crate) enum Failure {
    Signing(rdsign::Error),
    /// Invalid input; the message says what is accepted.
    Usage(String),
    /// Anything else.
    Other(String),
    Output(io::Error),
}

/// The maximum number of characters of an argument that a message shows.
const SHOWN: usize = 100;

impl Failure {
    pub(crate) fn report(self) -> ExitCode {
        // Whoever reads the output has seen enough, as `| head` has.
        if matches!(&self, Self::Output(error) if error.kind() == io::ErrorKind::BrokenPipe) {
            return ExitCode::FAILURE;
        }
        let (message, status) = match self {
            Self::Signing(error) => {
                let status = if error.code().is_invalid_request() {
                    2
                } else {
                    1
                };
                (format!("{}: {error}", error.code()), status)
            }
            Self::Usage(problem) => (problem, 2),
            Self::Other(problem) => (problem, 1),
            Self::Output(error) => (format!("cannot write the output: {error}"), 1),
        };
        eprintln!("rdsign: {message}");
        ExitCode::from(status)
    }
}

/// Prints help, or clap's error for the command line. An argument in the wrong place may be a token,
/// so long ones are cut, as in the messages of the library.
pub(crate) fn report_usage(error: &clap::Error) -> ExitCode {
    let mut text = error.to_string();
    let arguments = std::env::args_os().map(|argument| argument.to_string_lossy().into_owned());
    for argument in arguments {
        let value = argument
            .split_once('=')
            .filter(|_| argument.starts_with("--"));
        let value = value.map_or(argument.as_str(), |(_, value)| value);
        if let Some((end, _)) = value.char_indices().nth(SHOWN) {
            text = text.replace(value, &format!("{}…", &value[..end]));
        }
    }
    if text == error.to_string() {
        error.exit();
    }
    eprint!("{text}");
    ExitCode::from(2)
}

impl From<rdsign::Error> for Failure {
    fn from(error: rdsign::Error) -> Self {
        Self::Signing(error)
    }
}

impl From<rdsign::policy::InvalidResource> for Failure {
    fn from(error: rdsign::policy::InvalidResource) -> Self {
        Self::Usage(error.to_string())
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Output(error)
    }
}
