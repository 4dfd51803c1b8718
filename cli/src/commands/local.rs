//! `rdsign local`: passes its flags to the launcher in `local-rds`, which does everything else and
//! has its own exit statuses.

use std::ffi::{OsStr, OsString};
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, ValueHint};
use rdsign_local::LocalError;

use crate::args::usage;
use crate::failure::{self, Failure};

#[derive(Args)]
#[command(after_help = HELP)]
pub(crate) struct LocalArgs {
    /// Port of 127.0.0.1 to listen on [default: a free one]
    #[arg(long, value_parser = usage::port("port"))]
    port: Option<u16>,

    /// Configuration file to use [default: a new one]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,

    /// Folder that keeps the database for the next start [default: a temporary one]
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,

    /// Endpoint to accept tokens for, as HOST or HOST:PORT; may be repeated
    #[arg(long, value_name = "HOST")]
    endpoint: Vec<String>,

    /// Folder of PostgreSQL's programs [env: RDSIGN_LOCAL_POSTGRES]
    #[arg(long, value_name = "DIR")]
    postgres: Option<PathBuf>,

    /// Major version of PostgreSQL, 14 to 18 [default: the newest found]
    #[arg(long = "version", value_name = "MAJOR")]
    postgres_version: Option<u32>,

    /// SQL to run at every start, as postgres in testdb; may be repeated
    #[arg(long, value_name = "FILE")]
    init: Vec<PathBuf>,

    /// Command to run with AWS_* and PG* set; the database stops when it ends
    #[arg(last = true, value_name = "COMMAND", value_hint = ValueHint::CommandWithArguments)]
    command: Vec<OsString>,
}

/// ENOENT, which the system returns when it cannot find a program.
const NO_SUCH_FILE: i32 = 2;

/// Returns an error if no folder of PATH has this program, or if its path does not exist. Whether it
/// can be started shows when it is.
fn find(program: &OsStr) -> Result<(), LocalError> {
    let folders = std::env::var_os("PATH").unwrap_or_else(|| "/bin:/usr/bin".into());
    let is_found = match program.as_encoded_bytes().contains(&b'/') {
        true => Path::new(program).exists(),
        false => std::env::split_paths(&folders).any(|folder| folder.join(program).is_file()),
    };
    match is_found {
        true => Ok(()),
        false => Err(LocalError::Command {
            command: program.into(),
            source: io::Error::from_raw_os_error(NO_SUCH_FILE),
        }),
    }
}

const HELP: &str = "\
Examples:
  rdsign local
  rdsign local -- rdsign exec -- psql -c 'select current_user'

The exit status is the command's. $RDSIGN_LOCAL_CONFIG names the file with the
access keys, their policies and the clock offset. It is read at every login, so
an edit takes effect at once. $RDSIGN_LOCAL_LOG names the log, which says why a
login was refused. $RDSIGN_LOCAL_ADMIN_PASSWORD is the password of postgres.";

pub(crate) fn run(args: LocalArgs) -> Result<ExitCode, Failure> {
    let options = rdsign_local::Options {
        port: args.port,
        config: args.config,
        data: args.data,
        endpoints: args.endpoint,
        postgres: args.postgres,
        version: args.postgres_version,
        init: args.init,
    };
    let command = Some(args.command).filter(|command| !command.is_empty());
    // Setting up the server takes seconds, and a command that does not exist can be known before.
    let found = match &command {
        Some(words) => find(&words[0]),
        None => Ok(()),
    };
    let ended = found.and_then(|()| rdsign_local::run(options, command));
    Ok(ended.unwrap_or_else(|error| {
        failure::complain(&error.to_string());
        ExitCode::from(error.exit_code())
    }))
}
