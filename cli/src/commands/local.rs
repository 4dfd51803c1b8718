//! `rdsign local`: passes its flags to the launcher in `local-rds`, which does everything else and
//! has its own exit statuses.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use crate::failure::{self, Failure};

#[derive(Args)]
#[command(after_help = HELP)]
pub(crate) struct LocalArgs {
    /// Port of 127.0.0.1 to listen on [default: a free one]
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..))]
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

    /// Command to run with AWS_* and PG* set; the database stops when it ends
    #[arg(last = true, value_name = "COMMAND")]
    command: Vec<OsString>,
}

const HELP: &str = "\
Examples:
  rdsign local
  rdsign local -- rdsign exec -- psql -c 'select current_user'

The exit status is the command's. $RDSIGN_LOCAL_CONFIG names the file with the
access keys, their policies and the clock offset. It is read at every login, so
an edit takes effect at once. $RDSIGN_LOCAL_LOG names the log, which says why a
login was refused.";

pub(crate) fn run(args: LocalArgs) -> Result<ExitCode, Failure> {
    let options = rdsign_local::Options {
        port: args.port,
        config: args.config,
        data: args.data,
        endpoints: args.endpoint,
    };
    let command = Some(args.command).filter(|command| !command.is_empty());
    let ended = rdsign_local::run(options, command);
    Ok(ended.unwrap_or_else(|error| {
        failure::complain(&error.to_string());
        ExitCode::from(error.exit_code())
    }))
}
