//! Words clap's errors as the errors of the library: `FIELD: problem; accepted: …`. Also parses the
//! flags whose values the library does not check.

use std::error::Error as _;
use std::net::IpAddr;
use std::ops::RangeInclusive;
use std::str::FromStr;

use clap::error::{ContextKind, ErrorKind};
use clap::{Arg, Command, Error};
use rdsign::{quoted, shortened, without_secrets};

use crate::failure::Failure;

/// Returns the error for the command line. `None` if the user asked for help or the version.
/// `program` is rdsign itself, with all its commands.
pub(crate) fn failure(error: &Error, program: &Command) -> Option<Failure> {
    let context = |kind| {
        let text = error.get(kind).map(ToString::to_string);
        text.filter(|text| !text.is_empty())
    };
    let argument = context(ContextKind::InvalidArg)
        .or_else(|| context(ContextKind::InvalidSubcommand))
        .unwrap_or_default();
    // `--port <PORT>` or `<COMMAND>...`: a user types only the first, and reads the name of the other.
    let name = argument.split([' ', '=']).next().unwrap_or_default();
    let name = name.trim_matches(['<', '>', '[', ']', '.']);
    let given = context(ContextKind::InvalidValue).unwrap_or_default();
    let usage = context(ContextKind::Usage).unwrap_or_default();
    let usage = usage.lines().next().unwrap_or_default();
    let usage = usage.trim().trim_start_matches("Usage: ");
    let command = usage
        .split(' ')
        .take_while(|word| !word.starts_with(['[', '<', '-']));
    let command = command.collect::<Vec<_>>().join(" ");
    let problem = match error.kind() {
        ErrorKind::DisplayHelp
        | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand
        | ErrorKind::DisplayVersion => return None,
        ErrorKind::ValueValidation => {
            let source = error.source()?;
            return Some(match source.downcast_ref::<rdsign::Error>() {
                Some(error) => Failure::Signing(error.clone()),
                None => Failure::Usage(source.to_string()),
            });
        }
        ErrorKind::InvalidValue => {
            let accepted = context(ContextKind::ValidValue);
            let accepted = accepted.unwrap_or_else(|| argument.clone());
            let problem = match given.is_empty() {
                true => "has no value".to_owned(),
                false => format!("{} is unknown", quoted(&given)),
            };
            format!("{name}: {problem}; accepted: {accepted}")
        }
        ErrorKind::UnknownArgument => {
            // clap's guess may have nothing to do with the flag: a typo rarely changes the first letter.
            let guess = || {
                let guess = context(ContextKind::SuggestedArg);
                guess.filter(|guess| guess.get(..3) == name.get(..3))
            };
            let similar = longer_flag(program, &command, name).or_else(guess);
            let argument = shortened(&without_secrets(&argument));
            // `[-- <COMMAND>...]`: the command has to follow a `--`.
            let is_command = usage.contains("[-- ") && !argument.starts_with('-');
            let accepted = match similar {
                Some(similar) => similar,
                None if is_command => format!("-- {argument}"),
                None => format!("what `{command} --help` lists"),
            };
            format!("{argument}: unknown; accepted: {accepted}")
        }
        ErrorKind::InvalidSubcommand => {
            let similar = context(ContextKind::SuggestedSubcommand);
            let accepted = similar.unwrap_or_else(|| format!("what `{command} --help` lists"));
            format!(
                "command: {} is unknown; accepted: {accepted}",
                quoted(&argument)
            )
        }
        ErrorKind::MissingRequiredArgument => {
            let missing = if argument.contains(' ') {
                &argument
            } else {
                name
            };
            format!("{missing}: missing; accepted: {usage}")
        }
        ErrorKind::ArgumentConflict => match context(ContextKind::PriorArg) {
            Some(other) if other != argument => {
                format!("{argument}: cannot be used with {other}; accepted: one of them")
            }
            _ => format!("{name}: given twice; accepted: once"),
        },
        ErrorKind::TooManyValues => {
            format!("{name}: a value was given; accepted: {name} without one")
        }
        _ => {
            let text = error.to_string();
            let line = text.lines().next().unwrap_or_default();
            line.trim_start_matches("error: ").to_owned()
        }
    };
    Some(Failure::Usage(problem))
}

/// Returns the first flag of a command that begins with `typed`, such as `--hostname` for `--host`.
/// clap's own guess may be any of the flags that do.
fn longer_flag(program: &Command, command: &str, typed: &str) -> Option<String> {
    let typed = typed.strip_prefix("--").filter(|name| !name.is_empty())?;
    let mut words = command.split(' ').skip(1);
    let command = words.try_fold(program, |command, word| command.find_subcommand(word))?;
    let mut flags = command.get_arguments().filter_map(Arg::get_long);
    let found = flags.find(|flag| flag.starts_with(typed))?;
    Some(format!("--{found}"))
}

/// Parses a port to dial or to listen on.
pub(crate) fn port(field: &'static str) -> impl Fn(&str) -> Result<u16, String> + Clone {
    move |text| match text.parse() {
        Ok(port @ 1..) => Ok(port),
        _ => Err(format!(
            "{field}: {} is not a port; accepted: 1 to 65535",
            quoted(text)
        )),
    }
}

/// Parses a number of seconds. `accepted` names the range, which `is_in_range` or the library checks.
pub(crate) fn seconds<T: FromStr>(
    field: &'static str,
    accepted: &'static str,
    is_in_range: fn(&T) -> bool,
) -> impl Fn(&str) -> Result<T, String> + Clone {
    move |text| match text.parse() {
        Ok(seconds) if is_in_range(&seconds) => Ok(seconds),
        _ => Err(format!(
            "{field}: {} is not a number of seconds; accepted: {accepted}",
            quoted(text)
        )),
    }
}

/// Parses a number of things. `accepted` names the range.
pub(crate) fn count(
    field: &'static str,
    accepted: &'static str,
    range: RangeInclusive<u32>,
) -> impl Fn(&str) -> Result<u32, String> + Clone {
    move |text| match text.parse() {
        Ok(number) if range.contains(&number) => Ok(number),
        _ => Err(format!(
            "{field}: {} is not a number in this range; accepted: {accepted}",
            quoted(text)
        )),
    }
}

pub(crate) fn address(text: &str) -> Result<IpAddr, String> {
    text.parse().map_err(|_| {
        format!(
            "hostaddr: {} is not an IP address; accepted: an IPv4 or IPv6 address",
            quoted(text)
        )
    })
}
