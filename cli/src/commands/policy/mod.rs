//! `rdsign policy`: prints the IAM policy that lets database users log in, or the SQL that creates
//! them. `policy check` reports whether existing policies allow a login. The library decides that.

mod check;
mod report;

use std::process::ExitCode;

use clap::{Args, Subcommand};
use rdsign::Service;
use rdsign::names::Region;
use rdsign::policy::{ConnectResource, Wildcards, connect_policy, connect_sql, dsql_sql};

use crate::failure::Failure;
use crate::output;

#[derive(Args)]
#[command(
    args_conflicts_with_subcommands = true,
    subcommand_negates_reqs = true,
    after_help = HELP
)]
pub(crate) struct PolicyArgs {
    #[command(subcommand)]
    command: Option<PolicyCommand>,

    /// Service of the database, rds or dsql
    #[arg(long, value_name = "SERVICE", default_value = "rds")]
    service: String,

    /// Region of the database
    #[arg(long, value_name = "REGION", required_unless_present = "sql")]
    region: Option<String>,

    /// Account that owns the database, 12 digits
    #[arg(long, value_name = "ID", required_unless_present = "sql")]
    account: Option<String>,

    /// Resource id: the instance's db-…, the Aurora cluster's cluster-… or the proxy's prx-…, or the
    /// id of the DSQL cluster; * and ? are wildcards
    #[arg(long, value_name = "ID", required_unless_present = "sql")]
    resource_id: Option<String>,

    /// Database user; * and ? are wildcards; may be repeated
    #[arg(long, value_name = "USER", required = true)]
    username: Vec<String>,

    /// Print the SQL that creates the users instead of the policy
    #[arg(long)]
    sql: bool,

    /// ARN of the IAM role or user that may log in as the users, for the SQL of dsql
    #[arg(long, value_name = "ARN", requires = "sql")]
    iam_arn: Option<String>,
}

#[derive(Subcommand)]
enum PolicyCommand {
    /// Check whether policies allow a login, and report the statement that decides
    Check(check::CheckArgs),
}

const HELP: &str = "\
Examples:
  rdsign policy --region eu-central-1 --account 123456789012 \\
    --resource-id db-ABCDEFGHIJKL01234 --username iam_user > policy.json
  rdsign policy --username iam_user --sql | psql

  rdsign policy --service dsql --region us-east-1 --account 123456789012 \\
    --resource-id 4abcdefghijklmnopqrstuvwxy --username app > policy.json
  rdsign policy --service dsql --username app --sql \\
    --iam-arn arn:aws:iam::123456789012:role/app | psql";

pub(crate) fn run(args: PolicyArgs) -> Result<ExitCode, Failure> {
    match args.command {
        Some(PolicyCommand::Check(args)) => check::run(args),
        None => print(args).map(|()| ExitCode::SUCCESS),
    }
}

fn print(args: PolicyArgs) -> Result<(), Failure> {
    let service = Service::new(&args.service)?;
    let text = match args.sql {
        true => {
            let statements =
                args.username.iter().map(|name| {
                    match (service, &args.iam_arn) {
                (Service::Dsql, Some(arn)) => Ok(dsql_sql(name, arn)?),
                (Service::Dsql, None) => Err(Failure::Usage(
                    "iam arn: missing; accepted: --iam-arn with the ARN of the IAM role or user \
                     that may log in"
                        .to_owned(),
                )),
                (_, Some(_)) => Err(Failure::Usage(
                    "iam arn: only DSQL's SQL names it; accepted: --service dsql, or no --iam-arn"
                        .to_owned(),
                )),
                (_, None) => Ok(connect_sql(name)?),
            }
                });
            statements.collect::<Result<String, _>>()?
        }
        false => connect_policy(&resources(args, service)?) + "\n",
    };
    Ok(output::print([text])?)
}

fn resources(args: PolicyArgs, service: Service) -> Result<Vec<ConnectResource>, Failure> {
    // clap requires them, except with --sql.
    let region = args.region.unwrap_or_default();
    let account_id = args.account.unwrap_or_default();
    let resource_id = args.resource_id.unwrap_or_default();
    let partition = partition(&region)?;
    let resources = args.username.into_iter().map(|username| {
        let resource = ConnectResource {
            service,
            partition: partition.clone(),
            region: region.clone(),
            account_id: account_id.clone(),
            resource_id: resource_id.clone(),
            username,
        };
        resource.check(Wildcards::Allowed)?;
        Ok(resource)
    });
    resources.collect()
}

fn partition(region: &str) -> Result<String, Failure> {
    Ok(Region::new(region)?.partition().to_owned())
}
