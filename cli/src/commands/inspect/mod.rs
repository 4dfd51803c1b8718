//! `rdsign inspect`: takes a token apart, and reports what is wrong with it.
//!
//! `input` reads the token, `expected` finds what to compare it with, and `text` formats the
//! report. The findings and their texts come from the library. Neither the signature nor the
//! session token is ever shown.

mod expected;
mod input;
mod text;

use std::ffi::OsString;
use std::process::ExitCode;
use std::time::SystemTime;

use clap::{Args, ValueEnum};
use rdsign::Signer;
use rdsign::inspect::{Driver, Report, examine};
use rdsign::names::parse_port;
use rdsign::timestamp::parse_rfc3339;

use crate::args::SourceArgs;
use crate::failure::Failure;
use crate::output::{self, json};

#[derive(Args)]
#[command(after_help = HELP)]
pub(crate) struct InspectArgs {
    /// Token, or - for standard input [default: PGPASSWORD, else standard input]. Prefer these to
    /// an argument: every user of the machine can read the arguments of a process
    #[arg(value_name = "TOKEN")]
    token: Option<OsString>,

    /// Host name of the endpoint that the token is for [default: PGHOST, if it is an endpoint
    /// of RDS or DSQL]
    #[arg(long, value_name = "HOST")]
    hostname: Option<String>,

    /// Port of that endpoint [default: PGPORT, if PGHOST is used and PGHOSTADDR is not set]
    #[arg(long, value_name = "PORT")]
    #[arg(value_parser = parse_port)]
    port: Option<i64>,

    /// Database user that logs in [default: PGUSER]
    #[arg(long, value_name = "USER")]
    username: Option<String>,

    /// Region of the database, if its host name has none
    #[arg(long, value_name = "REGION")]
    region: Option<String>,

    /// Service of the database, rds or dsql, if its host name is not one of theirs
    #[arg(long, value_name = "SERVICE")]
    service: Option<String>,

    /// Kind of driver that sends the token [default: postgresql for PGPASSWORD]
    #[arg(long, value_enum)]
    driver: Option<DriverName>,

    /// Sign again with your credentials, and report whether the signatures match
    #[arg(long)]
    verify: bool,

    /// Print JSON
    #[arg(long)]
    json: bool,

    /// Check the token as of this time [default: now], such as 2024-08-26T22:00:00Z
    #[arg(long, value_name = "RFC3339")]
    at: Option<String>,

    #[command(flatten)]
    source: SourceArgs,
}

#[derive(Clone, Copy, ValueEnum)]
enum DriverName {
    Postgresql,
    Mysql,
}

const HELP: &str = "\
Shows neither the signature nor the session token. A trailing newline on
standard input is ignored.

Examples:
  rdsign inspect                      # the token in PGPASSWORD
  rdsign token | rdsign inspect -
  rdsign inspect --verify --json < token.txt

Exit status: 0 if there are no errors (warnings allowed), 1 if there are errors,
2 for invalid input.";

pub(crate) fn run(args: InspectArgs) -> Result<ExitCode, Failure> {
    let now = match &args.at {
        Some(time) => parse_rfc3339(time)?,
        None => SystemTime::now(),
    };
    let (mut expected, compared) = expected::expected(&args)?;
    let (token, from_pgpassword) = input::token(args.token)?;
    if from_pgpassword && expected.driver.is_none() {
        expected.driver = Some(Driver::Postgresql);
    }
    let mut report = examine(&token, now, &expected);
    let verified = match args.verify {
        true => check_signature(&mut report, args.source),
        false => Ok(()),
    };
    if args.json {
        json::print(&report.to_json())?;
    } else {
        output::print([text::of(&report, args.verify, &compared)])?;
    }
    verified?;
    Ok(ExitCode::from(u8::from(report.has_errors())))
}

fn check_signature(report: &mut Report, source: SourceArgs) -> Result<(), Failure> {
    let mut signer = source.apply(Signer::builder());
    if let Some(region) = &report.details().region {
        signer = signer.region(region.as_str());
    }
    report.check_signature(&signer.find_credentials()?.credentials);
    Ok(())
}
