//! `rdsign local`: turns flags into the options of the launcher, which does everything else and
//! has its own exit statuses.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use crate::failure::Failure;

#[derive(Args)]
#[command(after_help = HELP)]
pub(crate) struct LocalArgs {
    /// Port to listen on, on 127.0.0.1 [default: a free one]
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..))]
    port: Option<u16>,

    /// Configuration file to use in place of the default one
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,

    /// Folder to keep the database in [default: a temporary one]
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,

    /// Host name of an endpoint that this database answers to; may be given more than once
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

The exit status is the command's. $RDSIGN_LOCAL_CONFIG is the file with access
keys, policies and a clock offset: it is read at every login, so a change works
at once. $RDSIGN_LOCAL_LOG is the log that says why a login was refused.";

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
        eprintln!("rdsign: {error}");
        ExitCode::from(error.exit_code())
    }))
}
