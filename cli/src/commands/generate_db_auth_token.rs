//! `rdsign generate-db-auth-token`: `rdsign token` by the AWS CLI's name. Scripts that call the AWS CLI
//! also pass its global flags. Those that do not change its token are ignored; the others are refused
//! with a reason.
//!
//! Source: <https://docs.aws.amazon.com/cli/latest/userguide/cli-configure-options.html>

use std::process::ExitCode;

use clap::{Arg, ArgAction, ArgMatches, Args, Command, FromArgMatches};

use super::token::{self, TokenArgs};
use crate::failure::Failure;

/// The flags that the AWS CLI prints the same token with. Some configure a request to the RDS API, but
/// a token needs none.
const IGNORED: [&str; 6] = [
    "debug",
    "no-cli-auto-prompt",
    "no-cli-pager",
    "no-paginate",
    "no-verify-ssl",
    "v2-debug",
];
/// The same, for flags with a value.
const IGNORED_WITH_VALUE: [&str; 9] = [
    "ca-bundle",
    "cli-binary-format",
    "cli-connect-timeout",
    "cli-error-format",
    "cli-read-timeout",
    "color",
    "endpoint-url",
    "output",
    "query",
];
/// The flags that change what the AWS CLI does, and why they are refused.
const REFUSED: [(&str, &str); 5] = [
    (
        "no-sign-request",
        "the output would not be a token; accepted: the command without this flag",
    ),
    (
        "cli-auto-prompt",
        "rdsign does not prompt; accepted: --hostname, --port and --username",
    ),
    ("cli-input-json", NO_FILE),
    ("cli-input-yaml", NO_FILE),
    (
        "generate-cli-skeleton",
        "the output would not be a token; accepted: --hostname, --port and --username",
    ),
];
const NO_FILE: &str =
    "not a flag of the AWS CLI's command either; accepted: --hostname, --port and --username";
/// Values that the AWS CLI replaces with the contents of a file.
const FILES: [&str; 2] = ["file://", "fileb://"];

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

/// The AWS CLI's global flags, hidden in the help.
struct AwsCliFlags {
    refused: Option<&'static (&'static str, &'static str)>,
}

impl Args for AwsCliFlags {
    fn augment_args(command: Command) -> Command {
        let flag = |name: &'static str| Arg::new(name).long(name).hide(true);
        let without = IGNORED.map(|name| flag(name).action(ArgAction::Count));
        let with = IGNORED_WITH_VALUE.map(|name| flag(name).action(ArgAction::Append));
        let refused = REFUSED.map(|(name, _)| flag(name).action(ArgAction::Append).num_args(0..=1));
        command.args(without).args(with).args(refused)
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for AwsCliFlags {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let refused = REFUSED.iter().find(|(name, _)| matches.contains_id(name));
        Ok(Self { refused })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

pub(crate) fn run(args: GenerateDbAuthTokenArgs) -> Result<ExitCode, Failure> {
    if let Some((flag, reason)) = args.aws_cli.refused {
        return Err(Failure::Usage(format!("--{flag}: {reason}")));
    }
    let target = &args.token.target;
    for (flag, value) in [
        ("hostname", &target.hostname),
        ("username", &target.username),
    ] {
        if let Some(value) = value
            && FILES.iter().any(|scheme| value.starts_with(scheme))
        {
            return Err(Failure::Usage(format!(
                "--{flag}: {} names a file, and rdsign does not read it; accepted: the value \
                 itself, such as --{flag} \"$(cat FILE)\"",
                rdsign::quoted(value)
            )));
        }
    }
    token::run(args.token)
}
