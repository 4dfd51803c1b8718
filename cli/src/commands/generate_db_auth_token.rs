//! `rdsign generate-db-auth-token`: `rdsign token` by the AWS CLI's name.

use std::process::ExitCode;

use clap::Args;

use super::aws_cli::AwsCliFlags;
use super::token::{self, TokenArgs};
use crate::failure::Failure;

#[derive(Args)]
#[command(after_help = HELP)]
pub(crate) struct GenerateDbAuthTokenArgs {
    #[command(flatten)]
    token: TokenArgs,

    #[command(flatten)]
    aws_cli: AwsCliFlags,
}

const HELP: &str = "\
This is `rdsign token` by the AWS CLI's name, for scripts. The AWS CLI's global
flags that do not change the token are ignored, such as --output and
--no-cli-pager. Others, such as --no-sign-request, are refused.

Example:
  rdsign generate-db-auth-token --port 5432 --username iam_user \\
    --hostname mydb.abc123.eu-central-1.rds.amazonaws.com --output text";

pub(crate) fn run(args: GenerateDbAuthTokenArgs) -> Result<ExitCode, Failure> {
    let target = &args.token.target;
    args.aws_cli.check(
        "--hostname, --port and --username",
        [
            ("hostname", &target.hostname),
            ("username", &target.username),
        ],
    )?;
    token::run(args.token)
}
