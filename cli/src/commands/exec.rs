//! `rdsign exec`: a program with a token in its environment, and with TLS settings that make it
//! safe to send.
//!
//! The token is in the child's environment, which only its user and root can read, and never in the
//! arguments, which everyone can read. rdsign becomes the child, so signals and the exit status
//! are the child's own.

use std::ffi::OsString;
use std::io::ErrorKind;
use std::os::unix::process::CommandExt;
use std::process::{Command, ExitCode};

use clap::Args;

use crate::args::{DialArgs, TargetArgs, variable};
use crate::ca_bundle::BundleFile;
use crate::failure::Failure;

#[derive(Args)]
#[command(after_help = HELP)]
pub(crate) struct ExecArgs {
    #[command(flatten)]
    target: TargetArgs,

    #[command(flatten)]
    dial: DialArgs,

    /// Database to connect to [default: PGDATABASE, else the program's own default]
    #[arg(long, value_name = "NAME")]
    dbname: Option<String>,

    /// Program to run, with its arguments
    #[arg(last = true, value_name = "COMMAND", required = true)]
    command: Vec<OsString>,
}

const HELP: &str = "\
Sets PGPASSWORD to a token, PGHOST, PGPORT and PGUSER to what it is for, and,
unless they are set already, PGSSLMODE to verify-full and PGSSLROOTCERT to the
certificate authorities of RDS that `rdsign ca-bundle` prints. The token opens
connections for 15 minutes; open ones stay open.

Examples:
  rdsign exec --hostname mydb.abc123.eu-central-1.rds.amazonaws.com \\
    --username iam_user -- psql -d postgres
  rdsign exec --dbname app -- pg_dump -Fd -j 4 -f app.dump

Through a tunnel that listens on this machine:
  rdsign exec --hostname mydb.abc123.eu-central-1.rds.amazonaws.com \\
    --username iam_user --hostaddr 127.0.0.1 --hostport 15432 -- \\
    psql -d postgres

Exit status: the program's; 127 if there is no such program, 126 if it cannot be
started, and before that 2 for bad input and 1 for every other failure.";

const NO_SUCH_PROGRAM: u8 = 127;
const CANNOT_BE_STARTED: u8 = 126;

pub(crate) fn run(args: ExecArgs) -> Result<ExitCode, Failure> {
    let (mut child, _bundle) = prepare(args)?;
    // Returns only if it failed. The bundle's descriptor, if it has one, goes to the child.
    let error = child.exec();
    let program = child.get_program().to_string_lossy();
    let (problem, status) = match error.kind() {
        ErrorKind::NotFound => ("there is no such program".to_owned(), NO_SUCH_PROGRAM),
        _ => (format!("cannot be started: {error}"), CANNOT_BE_STARTED),
    };
    eprintln!("rdsign: {program}: {problem}");
    Ok(ExitCode::from(status))
}

fn prepare(args: ExecArgs) -> Result<(Command, Option<BundleFile>), Failure> {
    let signer = args.target.builder()?.build()?;
    let mut words = args.command.into_iter();
    let mut child = Command::new(words.next().unwrap_or_default());
    child.args(words);
    let endpoint = signer.endpoint();
    let port = args.dial.hostport.unwrap_or(endpoint.port());
    child.env("PGHOST", endpoint.hostname());
    child.env("PGPORT", port.to_string());
    child.env("PGUSER", signer.username());
    if let Some(address) = args.dial.hostaddr {
        child.env("PGHOSTADDR", address.to_string());
    }
    if let Some(name) = args.dbname {
        child.env("PGDATABASE", name);
    }
    if variable("PGSSLMODE").is_none() {
        child.env("PGSSLMODE", "verify-full");
    }
    let mut bundle = None;
    if variable("PGSSLROOTCERT").is_none() {
        let file = BundleFile::make()?;
        child.env("PGSSLROOTCERT", file.path());
        bundle = Some(file);
    }
    // Last, since the token starts to age here.
    child.env("PGPASSWORD", signer.token()?.value());
    Ok((child, bundle))
}
