//! `rdsign policy check`: reports whether policies allow a login, which statement decides, on what
//! conditions that depends, and what differs in statements that nearly allow it. The exit status
//! says so too.

use std::fmt::Display;
use std::fs::File;
use std::io::{self, Read};
use std::process::ExitCode;

use clap::Args;
use rdsign::Service;
use rdsign::policy::{
    ConnectResource, Decision, MAX_POLICY_LENGTH, Policy, Variables, Wildcards, check, policy_text,
};

use super::{partition, report};
use crate::failure::Failure;
use crate::output::{self, json};

#[derive(Args)]
#[command(after_help = HELP)]
pub(crate) struct CheckArgs {
    /// Policies of one identity: IAM JSON, or the output of `aws iam get-role-policy` or
    /// `get-policy-version`; - for standard input
    #[arg(value_name = "FILE", required = true)]
    files: Vec<String>,

    /// Service of the database, rds or dsql
    #[arg(long, value_name = "SERVICE", default_value = "rds")]
    service: String,

    /// Region of the database
    #[arg(long, value_name = "REGION")]
    region: String,

    /// Account that owns the database, 12 digits
    #[arg(long, value_name = "ID")]
    account: String,

    /// Resource id: the instance's db-…, the Aurora cluster's cluster-… or the proxy's prx-…, or the
    /// id of the DSQL cluster
    #[arg(long, value_name = "ID")]
    resource_id: String,

    /// Database user that logs in
    #[arg(long, value_name = "USER")]
    username: String,

    /// Value of a condition key, such as aws:username=jane, for variables and conditions; may be
    /// repeated
    #[arg(long = "variable", value_name = "KEY=VALUE")]
    variables: Vec<String>,

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
input, 3 if it depends on a condition or a variable that is not known, or on a
placeholder or a wildcard whose effect is not known.";

pub(super) fn run(args: CheckArgs) -> Result<ExitCode, Failure> {
    let service = Service::new(&args.service)?;
    let resource = ConnectResource {
        service,
        partition: partition(&args.region)?,
        region: args.region,
        account_id: args.account,
        resource_id: args.resource_id,
        username: args.username,
    };
    resource.check(Wildcards::Refused)?;
    let variables = Variables::new(service, args.variables.iter().map(String::as_str))
        .map_err(|error| Failure::Usage(error.to_string()))?;
    let policies = args.files.iter().map(|file| read(file));
    let policies = policies.collect::<Result<Vec<_>, _>>()?;
    let answer = check(&policies, &resource, &variables);
    if args.json {
        let names: Vec<&str> = args.files.iter().map(String::as_str).collect();
        json::print(&answer.to_json(&names))?;
    } else {
        output::print([report::text(&answer, service, &args.files)])?;
    }
    Ok(ExitCode::from(match answer.decision {
        Decision::Allowed { .. } => 0,
        Decision::ExplicitlyDenied { .. } | Decision::NotAllowed => 1,
        Decision::Undecided { .. } => 3,
    }))
}

fn read(file: &str) -> Result<Policy, Failure> {
    let failed = |error: &dyn Display| Failure::Usage(format!("{file}: {error}"));
    let mut bytes = Vec::new();
    // One byte more, so that core refuses a longer file.
    let limit = MAX_POLICY_LENGTH as u64 + 1;
    let length = match file {
        "-" => io::stdin().take(limit).read_to_end(&mut bytes),
        path => File::open(path).and_then(|file| file.take(limit).read_to_end(&mut bytes)),
    };
    length.map_err(|error| failed(&error))?;
    let policy = policy_text(&bytes).and_then(Policy::from_json_or_answer);
    policy.map_err(|error| failed(&error))
}
