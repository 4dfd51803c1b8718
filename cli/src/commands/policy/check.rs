//! `rdsign policy check`: reports whether policies allow a login, which statement decides, and what
//! differs in statements that nearly allow it.

use std::fmt::Display;
use std::io::{self, Read};
use std::process::ExitCode;

use clap::Args;
use rdsign::policy::{
    CONNECT_ACTION, Check, ConnectResource, Decision, Policy, StatementId, Wildcards, check,
};

use super::partition;
use crate::failure::Failure;
use crate::output::terminal::{Style, WIDTH, wrap};
use crate::output::{self, json};

#[derive(Args)]
#[command(after_help = HELP)]
pub(crate) struct CheckArgs {
    /// Policies of one identity: IAM JSON, or the output of `aws iam get-role-policy` or
    /// `get-policy-version`; - for standard input
    #[arg(value_name = "FILE", required = true)]
    files: Vec<String>,

    /// Region of the database
    #[arg(long, value_name = "REGION")]
    region: String,

    /// Account that owns the database, 12 digits
    #[arg(long, value_name = "ID")]
    account: String,

    /// Resource id: the instance's db-…, the Aurora cluster's cluster-… or the proxy's prx-…
    #[arg(long, value_name = "ID")]
    resource_id: String,

    /// Database user that logs in
    #[arg(long, value_name = "USER")]
    username: String,

    /// Print JSON
    #[arg(long)]
    json: bool,
}

const HELP: &str = "\
Example:
  rdsign policy check policy.json --region eu-central-1 \\
    --account 123456789012 --resource-id db-ABCDEFGHIJKL01234 \\
    --username iam_user

Exit status: 0 if the login is allowed, 1 if it is denied, 2 for invalid
input.";

pub(super) fn run(args: CheckArgs) -> Result<ExitCode, Failure> {
    let resource = ConnectResource {
        partition: partition(&args.region)?,
        region: args.region,
        account_id: args.account,
        resource_id: args.resource_id,
        username: args.username,
    };
    resource.check(Wildcards::Refused)?;
    let policies = args.files.iter().map(|file| read(file));
    let policies = policies.collect::<Result<Vec<_>, _>>()?;
    let answer = check(&policies, &resource);
    if args.json {
        let names: Vec<&str> = args.files.iter().map(String::as_str).collect();
        json::print(&answer.to_json(&names))?;
    } else {
        output::print([as_text(&answer, &args.files)])?;
    }
    Ok(ExitCode::from(u8::from(!answer.decision.is_allowed())))
}

fn read(file: &str) -> Result<Policy, Failure> {
    let failed = |error: &dyn Display| Failure::Usage(format!("{file}: {error}"));
    let text = match file {
        "-" => {
            let mut text = String::new();
            io::stdin().read_to_string(&mut text).map(|_| text)
        }
        path => std::fs::read_to_string(path),
    };
    let text = text.map_err(|error| failed(&error))?;
    Policy::from_json_or_answer(&text).map_err(|error| failed(&error))
}

fn as_text(answer: &Check, files: &[String]) -> String {
    let style = Style::of_stdout();
    let place = |id: &StatementId| {
        let sid = match &id.sid {
            Some(sid) => format!(" (Sid {sid:?})"),
            None => String::new(),
        };
        format!("{}, Statement {}{sid}", files[id.policy], id.statement)
    };
    let (verdict, by) = match &answer.decision {
        Decision::Allowed { statement } => (style.green("allowed"), place(statement)),
        Decision::ExplicitlyDenied { statement } => (style.red("denied"), place(statement)),
        Decision::NotAllowed => (
            style.red("denied"),
            "default: no statement allows it".to_owned(),
        ),
    };
    let mut text = format!("{verdict} by {by}\n  {CONNECT_ACTION}\n  {}\n", answer.arn);
    for near_miss in &answer.near_misses {
        let by = place(&near_miss.statement);
        text.push_str(&format!("\nnearly allowed by {by}\n"));
        for difference in &near_miss.differences {
            let difference = wrap(&difference.to_string(), 2, WIDTH);
            text.push_str(&format!("  {difference}\n"));
        }
    }
    text
}
