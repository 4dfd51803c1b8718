//! `rdsign doctor`: logs in step by step, and reports the step that fails and what to do.
//!
//! It does what a driver does, with the same core and no more privileges, and reports only what it
//! observed: a server does not tell a client why it refuses a token. Each step that waits for the
//! network has a time limit, and no step's text contains a token or a secret.
//!
//! `examination` holds the input. The steps are in `signing` (with `credentials`), `connection`
//! (with `network`, `tls`, `database`, and `refused` if the login fails) and `policy`. `others` adds
//! warnings about what other programs would do. Each step adds an `entry` to the `report`; `text`
//! formats the report.

mod connection;
mod credentials;
mod database;
mod entry;
mod examination;
mod finding;
mod local_log;
mod network;
mod others;
mod policy;
mod refused;
mod report;
mod signing;
mod text;
mod tls;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;

use crate::args::{DialArgs, TargetArgs, usage};
use crate::failure::Failure;
use crate::output::{self, json};

#[derive(Args)]
#[command(after_help = HELP)]
pub(crate) struct DoctorArgs {
    #[command(flatten)]
    target: TargetArgs,

    #[command(flatten)]
    dial: DialArgs,

    /// Database to log in to [default: PGDATABASE, else postgres]
    #[arg(long, value_name = "NAME")]
    dbname: Option<String>,

    /// PEM file of the certificate authorities to trust, or `system` [default: PGSSLROOTCERT,
    /// else those of RDS, and for a proxy or DSQL the system's too]
    #[arg(long, value_name = "FILE")]
    sslrootcert: Option<PathBuf>,

    /// Seconds that each step may wait for the network
    #[arg(long, value_name = "SECONDS", default_value_t = 10)]
    #[arg(value_parser = usage::seconds::<u32>("timeout", "1 to 600", |n| (1..=600).contains(n)))]
    timeout: u32,

    /// Print the report as JSON
    #[arg(long)]
    json: bool,
}

const HELP: &str = "\
Examples:
  rdsign doctor --hostname mydb.abc123.eu-central-1.rds.amazonaws.com \\
    --username iam_user
  rdsign doctor --hostname mydb.abc123.eu-central-1.rds.amazonaws.com \\
    --username iam_user --hostaddr 127.0.0.1 --hostport 15432 --json

Exit status: 0 if all checks passed, 2 for invalid input, else that of the first
step that failed:
  11 credentials  missing, or they cannot work
  12 region       unknown, or not the host name's
  13 name         the host name cannot be looked up
  14 tcp          the server cannot be reached
  15 tls          no TLS, or the certificate is not trusted
  16 token        the token cannot be signed
  17 login        the server refuses the login
  18 clock        this machine's clock is minutes off
  19 member       the user is not in rds_iam, on RDS";

pub(crate) fn run(args: DoctorArgs) -> Result<ExitCode, Failure> {
    let as_json = args.json;
    let report = examine(args)?;
    match as_json {
        true => json::print(&report.to_json())?,
        false => output::print([text::of(&report, &text::Style::of_stdout())])?,
    }
    Ok(report.exit_status())
}

fn examine(args: DoctorArgs) -> Result<report::Report, Failure> {
    let limit = Duration::from_secs(args.timeout.into());
    let examination = examination::Examination::of(&args)?;
    let mut report = report::Report::default();
    let signer = examination.signer(&mut report);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(examination.connect(signer, limit, &mut report));
    // A name look-up that hangs in the C library cannot be cancelled, so do not wait for it.
    runtime.shutdown_background();
    report.add(examination.policy());
    Ok(report)
}
