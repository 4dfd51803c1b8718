//! `rdsign local`: passes its flags to the launcher in `local-rds`, which does everything else and
//! has its own exit statuses. The launcher exists only for Linux.

#[cfg(target_os = "linux")]
mod launch;
#[cfg(not(target_os = "linux"))]
mod needs_linux;

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, ValueHint};

#[cfg(target_os = "linux")]
pub(crate) use launch::run;
#[cfg(not(target_os = "linux"))]
pub(crate) use needs_linux::run;

use crate::args::usage;

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
    #[arg(
        long = "version",
        value_name = "MAJOR",
        value_parser = usage::count("version", "14 to 18", 0..=u32::MAX),
    )]
    postgres_version: Option<u32>,

    /// SQL to run at every start, as postgres; may be repeated
    #[arg(long, value_name = "FILE")]
    init: Vec<PathBuf>,

    /// Write JSON lines, and read requests from standard input, whose end stops the server
    #[arg(long, conflicts_with = "command")]
    json: bool,

    /// Command to run with AWS_* and PG* set; the database stops when it ends
    #[arg(last = true, value_name = "COMMAND", value_hint = ValueHint::CommandWithArguments)]
    command: Vec<OsString>,
}

const HELP: &str = "\
Examples:
  rdsign local
  rdsign local -- rdsign exec -- psql -c 'select current_user'

The exit status is the command's. $RDSIGN_LOCAL_CONFIG names the file with the
access keys, their policies and the clock offset. It is read at every login, so
an edit takes effect at once. $RDSIGN_LOCAL_LOG names the log, which says why a
login was refused. $RDSIGN_LOCAL_ADMIN_PASSWORD is the password of postgres.";
