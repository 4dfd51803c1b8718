//! The flags that the AWS CLI's commands for tokens have in common. Scripts that call the AWS CLI also
//! pass its global flags. Those that do not change its token are ignored; the others are refused with
//! a reason.
//!
//! Source: <https://docs.aws.amazon.com/cli/latest/userguide/cli-configure-options.html>

use clap::{Arg, ArgAction, ArgMatches, Args, Command, FromArgMatches};

use crate::failure::Failure;

/// The flags that the AWS CLI prints the same token with. Some configure a request to an API, but a
/// token needs none.
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
/// The flags that change what the AWS CLI does, and why they are refused. The command's own flags
/// follow the reason, except for the first.
const REFUSED: [(&str, &str); 5] = [
    ("no-sign-request", "the output would not be a token"),
    ("cli-auto-prompt", "rdsign does not prompt"),
    ("cli-input-json", NO_FILE),
    ("cli-input-yaml", NO_FILE),
    ("generate-cli-skeleton", "the output would not be a token"),
];
const NO_FILE: &str = "not a flag of the AWS CLI's command either";
/// Values that the AWS CLI replaces with the contents of a file.
const FILES: [&str; 2] = ["file://", "fileb://"];

/// The AWS CLI's global flags, hidden in the help.
pub(super) struct AwsCliFlags {
    refused: Option<&'static (&'static str, &'static str)>,
}

impl AwsCliFlags {
    /// Refuses the flags that would change the output, and values that name a file. `own` are the
    /// flags of the command, for the message.
    pub(super) fn check<'a>(
        &self,
        own: &str,
        values: impl IntoIterator<Item = (&'a str, &'a Option<String>)>,
    ) -> Result<(), Failure> {
        if let Some((flag, reason)) = self.refused {
            let accepted = match *flag {
                "no-sign-request" => "the command without this flag",
                _ => own,
            };
            let text = format!("--{flag}: {reason}; accepted: {accepted}");
            return Err(Failure::Usage(text));
        }
        for (flag, value) in values {
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
        Ok(())
    }
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
