//! `rdsign generate-db-connect-auth-token` and `generate-db-connect-admin-auth-token`: tokens for
//! Aurora DSQL, with the AWS CLI's names and flags. They need no user name: a token for DSQL does not
//! contain it.

use std::process::ExitCode;

use clap::Args;
use rdsign::Signer;

use super::aws_cli::AwsCliFlags;
use super::token::{self, SigningArgs};
use crate::args::{SourceArgs, variable};
use crate::failure::Failure;

#[derive(Args)]
#[command(after_help = HELP)]
pub(crate) struct GenerateDbConnectAuthTokenArgs {
    /// Host name of the cluster's endpoint, as DSQL shows it [default: PGHOST]
    #[arg(long, value_name = "HOST")]
    hostname: Option<String>,

    /// Region of the cluster [default: the host name's, else AWS_REGION, else AWS_DEFAULT_REGION,
    /// else the profile's]
    #[arg(long, value_name = "REGION")]
    region: Option<String>,

    #[command(flatten)]
    source: SourceArgs,

    #[command(flatten)]
    signing: SigningArgs,

    #[command(flatten)]
    aws_cli: AwsCliFlags,
}

const HELP: &str = "\
Prints a token for Aurora DSQL: generate-db-connect-admin-auth-token for the
role admin, generate-db-connect-auth-token for every other role. `rdsign token`
prints the same tokens. The AWS CLI's global flags that do not change the token
are ignored, such as --output and --no-cli-pager. Others, such as
--no-sign-request, are refused.

Example:
  rdsign generate-db-connect-admin-auth-token --region us-east-1 \\
    --hostname 4abcdefghijklmnopqrstuvwxy.dsql.us-east-1.on.aws";

/// Signs for the role `admin`, or for every other role.
pub(crate) fn run(
    args: GenerateDbConnectAuthTokenArgs,
    is_admin: bool,
) -> Result<ExitCode, Failure> {
    args.aws_cli.check(
        "--hostname, --region and --expires-in",
        [("hostname", &args.hostname), ("region", &args.region)],
    )?;
    // Any user but admin: the token does not name it.
    let username = if is_admin { "admin" } else { "user" };
    let mut signer = args.source.apply(Signer::builder());
    signer = signer.service("dsql").username(username);
    if let Some(hostname) = args.hostname.or_else(|| variable("PGHOST")) {
        signer = signer.hostname(hostname);
    }
    if let Some(region) = args.region {
        signer = signer.region(region);
    }
    token::sign(signer, args.signing)
}
