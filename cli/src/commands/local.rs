//! `rdsign local`: passes its flags to the launcher in `local-rds`, which does everything else and
//! has its own exit statuses. The launcher exists only for Linux.

#[cfg(target_os = "linux")]
mod launch;
#[cfg(not(target_os = "linux"))]
mod needs_linux;

use std::ffi::OsString;
use std::io::{self, Write};
use std::path::PathBuf;

use clap::{Args, ValueHint};

#[cfg(target_os = "linux")]
pub(crate) use launch::run;
#[cfg(not(target_os = "linux"))]
pub(crate) use needs_linux::run;

use crate::args::usage;
use crate::failure::without_secrets;

/// Writes the line of a start that fails to standard output, as docs/testing.md describes it.
fn tell(kind: &str, problem: &str, status: u8) {
    let message = without_secrets(problem);
    let line =
        serde_json::json!({"event": "failed", "kind": kind, "message": message, "status": status});
    // Standard error says it too.
    let _ = writeln!(io::stdout(), "{line}");
}

/// Tells a program that reads JSON lines, if there is one, why its command line is refused.
pub(crate) fn tell_refused(problem: &str) {
    let mut arguments = std::env::args_os().skip(1);
    let is_local = arguments.next().is_some_and(|command| command == "local");
    if is_local
        && arguments
            .take_while(|word| word != "--")
            .any(|word| word == "--json")
    {
        tell("other", problem, 2);
    }
}

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
