//! The file of `--config`. Its keys are the flags, and each value is parsed as the flag's, so that the
//! rules and messages are the same. Every error names the file, the line and the key.

use std::any::TypeId;
use std::ffi::OsString;
use std::ops::Range;
use std::path::Path;

use clap::error::{ContextKind, ErrorKind};
use clap::{Arg, ArgAction, Args, Command};
use rdsign::quoted;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::flags::{EndpointArgs, Given, ProcessArgs};
use crate::args::usage;
use crate::failure::Failure;

const ENDPOINTS: &str = "endpoints";

/// Where settings are from: nowhere for those of the command line.
#[derive(Clone, Default)]
pub(super) struct Place {
    file: Option<String>,
    line: usize,
    /// The keys and their lines.
    keys: Vec<(String, usize)>,
}

impl Place {
    pub(super) fn is_file(&self) -> bool {
        self.file.is_some()
    }

    /// Returns the line of a key, else that of the whole.
    pub(super) fn line(&self, key: &str) -> usize {
        let found = self.keys.iter().find(|(known, _)| known == key);
        found.map_or(self.line, |(_, line)| *line)
    }

    /// Adds the file, and the line of the key that a failure is about. Messages start with the field, and
    /// may name flags, which are keys here.
    pub(super) fn locate(&self, failure: Failure) -> Failure {
        let Some(file) = &self.file else {
            return failure;
        };
        let is_usage = failure.is_usage();
        let problem = match failure {
            // Its own text names flags and variables.
            Failure::Signing(error) => format!("{}: {error}", error.code()),
            other => with_keys(&String::from(other)),
        };
        let mut fields = problem
            .split(": ")
            .take(2)
            .map(|field| field.replace([' ', '-'], "_"));
        let line = fields.find_map(|field| {
            let field = self.keys.iter().find(|(key, _)| *key == field);
            field.map(|(_, line)| *line)
        });
        let problem = format!("{file}, line {}: {problem}", line.unwrap_or(self.line));
        match is_usage {
            true => Failure::Usage(problem),
            false => Failure::Other(problem),
        }
    }
}

/// Replaces flags by their keys.
fn with_keys(text: &str) -> String {
    let commands = [command::<ProcessArgs>(), command::<EndpointArgs>()];
    let key_of = |word: &str| {
        let rest = word.strip_prefix("--")?;
        let name = rest.trim_end_matches([':', ',', ';']);
        let mut flags = commands.iter().flat_map(Command::get_arguments);
        let flag = flags.find(|flag| flag.get_long() == Some(name))?;
        Some(format!("{}{}", flag.get_id(), &rest[name.len()..]))
    };
    let words = text
        .split(' ')
        .map(|word| key_of(word).unwrap_or_else(|| word.to_owned()));
    words.collect::<Vec<_>>().join(" ")
}

type Contents = (Vec<(EndpointArgs, Place)>, ProcessArgs, Place);

/// Reads a file. `given` are the flags of the command line, of which none may contradict it.
pub(super) fn read(path: &Path, given: &Given) -> Result<Contents, Failure> {
    let shown = crate::failure::without_secrets(&path.display().to_string());
    let text = std::fs::read_to_string(path)
        .map_err(|error| Failure::Usage(format!("config: {shown}: {error}")))?;
    let file = File { shown, text: &text };
    let table = DeTable::parse(&text).map_err(|error| {
        let span = error.span().unwrap_or_default();
        // The message may quote the file, but no setting is a secret.
        let message = error.message().lines().next().unwrap_or_default();
        let problem = match text.get(span.clone()) {
            Some(key) if message == "duplicate key" => {
                format!("{key}: given twice; accepted: once")
            }
            _ => format!("not TOML: {message}"),
        };
        file.problem(span, &problem)
    })?;
    let (process, endpoint) = (command::<ProcessArgs>(), command::<EndpointArgs>());
    let (mut top, mut flags) = (file.place(0..0), Vec::new());
    let mut endpoints = Vec::new();
    for (key, value) in table.get_ref() {
        if key.get_ref() == ENDPOINTS {
            endpoints = file.endpoints(&endpoint, value)?;
        } else {
            file.add(&process, key, value, &mut flags, &mut top)?;
        }
    }
    if endpoints.is_empty() {
        let problem = "endpoints: missing; accepted: at least one table [[endpoints]]";
        return Err(file.problem(0..0, problem));
    }
    for (id, values) in &given.0 {
        let name = id.replace('_', "-");
        let is_of = |command: &Command| {
            command
                .get_arguments()
                .any(|flag| flag.get_id() == id.as_str())
        };
        if top.keys.iter().any(|(key, _)| key == id) {
            let place = format!("{}, line {}", file.shown, top.line(id));
            return Err(Failure::Usage(format!(
                "--{name}: also in {place}; accepted: one of them"
            )));
        }
        if is_of(&process) {
            flags.extend(values.iter().map(|value| {
                let mut flag = OsString::from(format!("--{name}="));
                flag.push(value);
                flag
            }));
        } else if is_of(&endpoint) {
            return Err(Failure::Usage(format!(
                "--{name}: cannot be used with --config; accepted: {id} in [[endpoints]] of {}",
                file.shown
            )));
        }
    }
    let process = parse(process, flags, &top)?;
    Ok((endpoints, process, top))
}

struct File<'a> {
    shown: String,
    text: &'a str,
}

impl File<'_> {
    fn line(&self, span: Range<usize>) -> usize {
        let before = self.text.get(..span.start).unwrap_or_default();
        before.matches('\n').count() + 1
    }

    fn place(&self, span: Range<usize>) -> Place {
        Place {
            file: Some(self.shown.clone()),
            line: self.line(span),
            keys: Vec::new(),
        }
    }

    fn problem(&self, span: Range<usize>, problem: &str) -> Failure {
        Failure::Usage(format!(
            "{}, line {}: {problem}",
            self.shown,
            self.line(span)
        ))
    }

    fn endpoints(
        &self,
        command: &Command,
        value: &Spanned<DeValue<'_>>,
    ) -> Result<Vec<(EndpointArgs, Place)>, Failure> {
        let wrong = |span, kind: &str| {
            let problem = format!("endpoints: {kind}; accepted: tables [[endpoints]]");
            self.problem(span, &problem)
        };
        let tables = value.get_ref().as_array();
        let tables = tables.ok_or_else(|| wrong(value.span(), value.get_ref().type_str()))?;
        let endpoints = tables.iter().map(|value| {
            let table = value.get_ref().as_table();
            let table = table.ok_or_else(|| wrong(value.span(), value.get_ref().type_str()))?;
            let (mut place, mut flags) = (self.place(value.span()), Vec::new());
            for (key, value) in table {
                self.add(command, key, value, &mut flags, &mut place)?;
            }
            Ok((parse(command.clone(), flags, &place)?, place))
        });
        endpoints.collect()
    }

    /// Adds a key as a flag.
    fn add(
        &self,
        command: &Command,
        key: &Spanned<impl AsRef<str>>,
        value: &Spanned<DeValue<'_>>,
        flags: &mut Vec<OsString>,
        place: &mut Place,
    ) -> Result<(), Failure> {
        let name = key.get_ref().as_ref();
        let Some(flag) = command.get_arguments().find(|flag| flag.get_id() == name) else {
            return Err(self.problem(key.span(), &misplaced(command, name)));
        };
        place.keys.push((name.to_owned(), self.line(key.span())));
        let long = flag.get_long().unwrap_or_default();
        let is_list = matches!(flag.get_action(), ArgAction::Append);
        let values = match value.get_ref() {
            DeValue::Array(values) if is_list => values.iter().collect(),
            _ => vec![value],
        };
        for value in values {
            let text = match (kind(flag), value.get_ref()) {
                (Kind::Switch, DeValue::Boolean(is_on)) => {
                    flags.extend(is_on.then(|| format!("--{long}").into()));
                    continue;
                }
                (Kind::Number, DeValue::Integer(number)) => {
                    let parsed = i128::from_str_radix(number.as_str(), number.radix());
                    // Too long for any flag, which then says so.
                    parsed.map_or_else(|_| number.as_str().to_owned(), |number| number.to_string())
                }
                (Kind::Text, DeValue::String(text)) => text.to_string(),
                (kind, value) => {
                    let accepted = match (kind, is_list) {
                        (Kind::Switch, _) => "true or false",
                        (Kind::Number, false) => "an integer",
                        (Kind::Number, true) => "an integer, or an array of integers",
                        (Kind::Text, false) => "a string",
                        (Kind::Text, true) => "a string, or an array of strings",
                    };
                    let problem = format!(
                        "{name}: not of this type: {}; accepted: {accepted}",
                        value.type_str()
                    );
                    return Err(self.problem(key.span(), &problem));
                }
            };
            flags.push(format!("--{long}={text}").into());
        }
        Ok(())
    }
}

/// Says that a key is unknown at its place, and where it belongs.
fn misplaced(place: &Command, name: &str) -> String {
    let keys = |command: &Command| -> Vec<String> {
        let flags = command.get_arguments();
        flags.map(|flag| flag.get_id().to_string()).collect()
    };
    let (top, endpoint) = (command::<ProcessArgs>(), command::<EndpointArgs>());
    let (top, endpoint, mut known) = (keys(&top), keys(&endpoint), keys(place));
    let name_is_in = |keys: &[String]| keys.iter().any(|key| key == name);
    if name_is_in(&endpoint) {
        return format!("{name}: belongs to an endpoint; accepted: in a table [[{ENDPOINTS}]]");
    }
    if name_is_in(&top) {
        return format!(
            "{name}: does not belong to an endpoint; accepted: before the first [[{ENDPOINTS}]]"
        );
    }
    if known == top {
        known.insert(0, ENDPOINTS.to_owned());
    }
    format!("{}: unknown; accepted: {}", quoted(name), known.join(", "))
}

#[derive(Clone, Copy)]
enum Kind {
    Switch,
    Number,
    Text,
}

fn kind(flag: &Arg) -> Kind {
    let parsed = flag.get_value_parser().type_id();
    let numbers = [
        TypeId::of::<u16>(),
        TypeId::of::<u32>(),
        TypeId::of::<u64>(),
        TypeId::of::<i64>(),
    ];
    match flag.get_action().takes_values() {
        false => Kind::Switch,
        true if numbers.iter().any(|number| parsed == *number) => Kind::Number,
        true => Kind::Text,
    }
}

fn command<A: Args>() -> Command {
    let command = Command::new("file").no_binary_name(true);
    A::augment_args(command.disable_help_flag(true))
}

fn parse<A: Args>(command: Command, flags: Vec<OsString>, place: &Place) -> Result<A, Failure> {
    let parsed = command.clone().try_get_matches_from(flags);
    parsed
        .and_then(|matches| A::from_arg_matches(&matches))
        .map_err(|error| {
            let argument = error.get(ContextKind::InvalidArg).map(ToString::to_string);
            let key = argument.map(|text| {
                let name = text.split([' ', '=']).next().unwrap_or_default();
                name.trim_start_matches('-').replace('-', "_")
            });
            let key = key.unwrap_or_default();
            let failure = match error.kind() {
                // A command's text would show how flags are typed.
                ErrorKind::MissingRequiredArgument => Some(Failure::Usage(format!(
                    "{key}: missing, and another key needs it; accepted: both or neither"
                ))),
                ErrorKind::InvalidValue if !has_choices(&error) => Some(Failure::Usage(format!(
                    "{key}: has no value; accepted: a path"
                ))),
                _ => usage::failure(&error, &command),
            };
            let mut place = place.clone();
            place.line = place.line(&key);
            place.locate(failure.unwrap_or_else(|| Failure::Usage(error.to_string())))
        })
}

fn has_choices(error: &clap::Error) -> bool {
    let choices = error.get(ContextKind::ValidValue).map(ToString::to_string);
    choices.is_some_and(|choices| !choices.is_empty())
}
