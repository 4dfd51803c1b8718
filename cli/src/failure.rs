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

impl Failure {
    pub(crate) fn report(self) -> ExitCode {
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
