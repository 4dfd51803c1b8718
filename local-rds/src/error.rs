//! Why an RDS on this machine could not be set up, or stopped working.
//!
//! Every message says what to do about it where something can be done. Whatever ends with a log's
//! last lines got them from PostgreSQL, whose log never holds a secret.

use std::path::PathBuf;
use std::{fmt, io};

use crate::config::ConfigError;

/// What went wrong. `Display` is the whole message.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LocalError {
    /// There is no PostgreSQL server on this machine.
    #[error(
        "no PostgreSQL server found: no folder with both `postgres` and `initdb` (looked in \
         {looked}). Install one: apt-get install postgresql. One in another place is named by \
         RDSIGN_LOCAL_POSTGRES=/path/to/its/bin"
    )]
    PostgresMissing {
        /// The folders that were looked in.
        looked: String,
    },
    /// The newest PostgreSQL on this machine reads passwords of 1,000 bytes at the most.
    #[error(
        "{}: PostgreSQL {version} is too old: 14 or newer is needed, as older ones cut tokens that \
         carry a session token. Install a newer one: apt-get install postgresql", bin.display()
    )]
    PostgresTooOld {
        /// Its folder of programs.
        bin: PathBuf,
        /// Its version.
        version: String,
    },
    /// `--data` was made by a PostgreSQL that is not installed.
    #[error(
        "{}: was made by PostgreSQL {major}, which is not on this machine \
         (apt-get install postgresql-{major})", data.display()
    )]
    PostgresOther {
        /// The folder given.
        data: PathBuf,
        /// The major version that made it.
        major: String,
    },
    /// PostgreSQL refuses to run as root, and there is no one else to run it as.
    #[error(
        "PostgreSQL does not run as root, and this machine has neither a user `postgres` nor a \
         user `nobody` to run it as"
    )]
    NoAccount,
    /// The preloaded library is not where it should be.
    #[error(
        "the library {name} was not found (looked for {looked}). It is built together with \
         rdsign and belongs beside it; RDSIGN_LOCAL_LIBRARY=/path/to/{name} names it elsewhere"
    )]
    LibraryMissing {
        /// Its file name.
        name: &'static str,
        /// The paths that were tried.
        looked: String,
    },
    /// PostgreSQL runs, but without the library.
    #[error("PostgreSQL did not load the library that checks tokens.{0}")]
    LibraryNotLoaded(LogTail),
    /// The configuration given is wrong.
    #[error("{0}")]
    Config(#[from] ConfigError),
    /// An endpoint given is none.
    #[error("--endpoint: {0}")]
    Endpoint(rdsign::Error),
    /// The folder given by `--data` has something else in it.
    #[error(
        "{}: is not empty and was not made by rdsign local, so it is left alone; name a new or \
         empty folder", .0.display()
    )]
    DataNotOurs(PathBuf),
    /// The folder given by `--data` is used by another one that runs now.
    #[error("{}: is in use by another rdsign local", .0.display())]
    DataInUse(PathBuf),
    /// The user that PostgreSQL runs as cannot get into a folder.
    #[error(
        "{}: the user {user}, whom PostgreSQL runs as, cannot enter this folder; name one whose \
         parents may be entered by all", path.display()
    )]
    NotReachable {
        /// The folder.
        path: PathBuf,
        /// The user's name.
        user: String,
    },
    /// The port given is taken.
    #[error("port {0} of 127.0.0.1 cannot be listened on: {1}")]
    Port(u16, io::Error),
    /// A step of setting the server up failed.
    #[error("{step} failed ({status}).{tail}")]
    Setup {
        /// Which step.
        step: &'static str,
        /// How its process ended.
        status: String,
        /// What it said.
        tail: LogTail,
    },
    /// PostgreSQL ended by itself.
    #[error("PostgreSQL ended by itself ({status}).{tail}")]
    ServerEnded {
        /// How its process ended.
        status: String,
        /// What it said.
        tail: LogTail,
    },
    /// A signal came before the server was ready.
    #[error("interrupted before PostgreSQL was ready")]
    Interrupted(i32),
    /// The command to run beside the server could not be started.
    #[error("{}: {source}", command.display())]
    Command {
        /// The command.
        command: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The certificate could not be made.
    #[error("the server's certificate could not be made: {0}")]
    Certificate(#[from] rcgen::Error),
    /// The system gave no random bytes.
    #[error("the system gave no random bytes: {0}")]
    Random(String),
    /// A file, a folder or a process: which, and why.
    #[error("{what}: {source}")]
    Io {
        /// What was to be done with what.
        what: String,
        /// Why it was not.
        source: io::Error,
    },
}

impl LocalError {
    /// The status that a process with this error ends with, as shells have it.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Config(_) | Self::Endpoint(_) | Self::DataNotOurs(_) => 2,
            Self::Command { source, .. } if source.kind() == io::ErrorKind::NotFound => 127,
            Self::Command { .. } => 126,
            Self::Interrupted(signal) => u8::try_from(128 + signal).unwrap_or(1),
            _ => 1,
        }
    }
}

/// Says what was to be done, for an error of the system that says only why it was not.
pub(crate) trait Context<T> {
    fn context(self, what: impl FnOnce() -> String) -> Result<T, LocalError>;
}

impl<T, E: Into<io::Error>> Context<T> for Result<T, E> {
    fn context(self, what: impl FnOnce() -> String) -> Result<T, LocalError> {
        self.map_err(|error| LocalError::Io {
            what: what(),
            source: error.into(),
        })
    }
}

/// The last lines of a log, for the end of an error message.
#[derive(Debug, Default)]
pub struct LogTail(String);

impl LogTail {
    /// Reads the last lines of the log at `path`. One that cannot be read has none.
    pub(crate) fn of(path: &std::path::Path) -> Self {
        const LINES: usize = 15;
        let log = std::fs::read(path).unwrap_or_default();
        let log = String::from_utf8_lossy(&log);
        let lines: Vec<&str> = log.lines().collect();
        Self(lines[lines.len().saturating_sub(LINES)..].join("\n  "))
    }

    pub(crate) fn says(&self, text: &str) -> bool {
        self.0.contains(text)
    }
}

impl fmt::Display for LogTail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.as_str() {
            "" => f.write_str(" It left nothing in its log"),
            lines => write!(f, " The end of its log:\n  {lines}"),
        }
    }
}
