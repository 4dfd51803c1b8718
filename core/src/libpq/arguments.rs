//! Checks the arguments of PostgreSQL's programs. They override the variables that hold the
//! endpoint, the user and `verify-full`, so they could send the token to another server.
//!
//! Walks the arguments as `getopt_long` does. Where another version of a program could read them
//! otherwise, both readings are checked.

use super::check::{Login, refused};
use super::connect::keeps_the_server;
use super::keywords::{is_dangerous, keyword_of};
use super::programs::{self, ELSEWHERE, PLAIN, Program};
use crate::error::Error;

/// Checks the arguments of a program, if it is one of PostgreSQL's that connect with libpq, or runs
/// one as `env` does. Scripts and shells are not read.
///
/// `program` is its name or path.
///
/// # Errors
/// Those of [`check_connection_string`](super::check_connection_string).
pub fn check_arguments<S: AsRef<str>>(
    program: &str,
    arguments: &[S],
    login: Login<'_>,
) -> Result<(), Error> {
    let arguments: Vec<_> = arguments.iter().map(AsRef::as_ref).collect();
    checked(program, &arguments, login)
}

fn checked(program: &str, arguments: &[&str], login: Login<'_>) -> Result<(), Error> {
    if let Some(program) = programs::find(program) {
        let walk = Walk {
            program,
            login,
            has_database: false,
            has_user: false,
        };
        return walk.all(arguments);
    }
    let find = |argument: &&str| programs::find(argument);
    let within = arguments
        .iter()
        .position(|argument| find(argument).is_some());
    match within.filter(|_| programs::is_prefix(program)) {
        Some(at) => {
            let mut before = arguments[..at].iter();
            before.try_for_each(|argument| check_variable(argument, login))?;
            checked(arguments[at], &arguments[at + 1..], login)
        }
        None => Ok(()),
    }
}

/// Checks an argument of `env` or `sudo` that may set or remove a variable of libpq.
fn check_variable(argument: &str, login: Login<'_>) -> Result<(), Error> {
    if let Some((name, value)) = argument.split_once('=')
        && let Some(keyword) = keyword_of(name)
    {
        return login.setting(keyword, value);
    }
    let removed = ["--unset=", "-u", ""].iter().find_map(|option| {
        let name = argument.strip_prefix(option)?;
        keyword_of(name).filter(|keyword| is_dangerous(keyword))
    });
    removed.map_or(Ok(()), |keyword| Err(refused(login.elsewhere(keyword))))
}

/// How an argument uses the next one.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Next {
    /// The next one is an argument of its own.
    Own,
    /// The next one is the value.
    Value,
    /// Depends on the version of the program.
    Unknown,
}

struct Walk<'a> {
    program: &'a Program,
    login: Login<'a>,
    /// Whether an option names the database or the user.
    has_database: bool,
    has_user: bool,
}

impl Walk<'_> {
    fn all(mut self, arguments: &[&str]) -> Result<(), Error> {
        // Whether an argument can be the start of an option, or one of its own.
        let mut reached = vec![false; arguments.len() + 2];
        let mut after_options = false;
        // Its names, as long as no argument could be a value.
        let mut names = Some(Vec::new());
        reached[0] = true;
        for (n, argument) in arguments.iter().enumerate() {
            if !reached[n] && !after_options {
                continue;
            }
            let next = arguments.get(n + 1).copied().unwrap_or_default();
            after_options |= *argument == "--";
            let used = match argument.strip_prefix('-') {
                Some(options) if !options.is_empty() => match argument.strip_prefix("--") {
                    Some(_) => self.long(argument, next)?,
                    None => self.short(options, next)?,
                },
                _ => {
                    self.login.text(argument)?;
                    names.iter_mut().for_each(|names| names.push(*argument));
                    Next::Own
                }
            };
            if used == Next::Unknown {
                names = None;
            }
            reached[n + 1] |= used != Next::Value;
            reached[n + 2] |= used != Next::Own;
        }
        // The database and then the user, of which no option names another. psql ignores the rest.
        let user = match names {
            Some(names) if self.program.name == "psql" && !self.has_user => {
                names.get(usize::from(!self.has_database)).copied()
            }
            _ => None,
        };
        user.map_or(Ok(()), |user| self.login.user(user))
    }

    /// Checks `--NAME` or `--NAME=VALUE`. PostgreSQL's programs accept shortened names.
    fn long(&mut self, argument: &str, next: &str) -> Result<Next, Error> {
        let (option, value) = match argument.split_once('=') {
            Some((option, value)) => (option, Some(value)),
            None => (argument, None),
        };
        if ELSEWHERE.contains(&option) {
            return Err(refused(self.login.elsewhere(option)));
        }
        let is_database = self.program.name == "psql" && is_short_for(option, "--dbname", "--d");
        let used = match value {
            Some(_) => Next::Own,
            None if is_database || PLAIN.contains(&option) => Next::Value,
            None => Next::Unknown,
        };
        self.has_database |= is_database;
        let text = value.unwrap_or(next);
        if option == "--command" {
            self.command(text)?;
        } else if is_short_for(option, "--host", "--h") {
            self.login.host(text).map_err(refused)?;
        } else if is_short_for(option, "--port", "--po") {
            self.login.port(text)?;
        } else if is_short_for(option, "--username", "--u") {
            self.has_user = true;
            self.login.user(text)?;
        } else if !PLAIN.contains(&option) && (value.is_some() || !next.starts_with('-')) {
            self.login.text(text)?;
            self.command(text)?;
        }
        Ok(used)
    }

    /// Checks a group of short options, such as `-XAth`. The value of the last one may be within the
    /// argument, or the next argument.
    fn short(&mut self, options: &str, next: &str) -> Result<Next, Error> {
        for (at, option) in options.char_indices() {
            if !self.program.with_value.contains(option) && !self.may_have_none(option) {
                continue;
            }
            let within = &options[at + option.len_utf8()..];
            let (text, used) = match within {
                "" if self.may_have_none(option) => (next, Next::Unknown),
                "" => (next, Next::Value),
                within => (within, Next::Own),
            };
            if self.program.hosts.contains(option) {
                self.login.host(text).map_err(refused)?;
            } else if self.program.ports.contains(option) {
                self.login.port(text)?;
            } else if self.program.users.contains(option) {
                self.has_user = true;
                self.login.user(text)?;
            } else if self.program.strings.contains(option) {
                self.has_database = true;
                self.login.text(text)?;
            } else if (self.program.name, option) == ("psql", 'c') {
                self.command(text)?;
            }
            if within.is_empty() || !self.may_have_none(option) {
                return Ok(used);
            }
        }
        Ok(Next::Own)
    }

    fn may_have_none(&self, option: char) -> bool {
        programs::may_have_no_value(self.program, option)
    }

    fn command(&self, text: &str) -> Result<(), Error> {
        if self.program.name != "psql" || keeps_the_server(text) {
            return Ok(());
        }
        let problem =
            "\\connect: could send the token to another server; accepted: \\connect DATABASE";
        Err(refused(problem.to_owned()))
    }
}

/// Returns whether an option is a name or a shortened form of it, which is at least `shortest`.
fn is_short_for(option: &str, name: &str, shortest: &str) -> bool {
    name.starts_with(option) && option.starts_with(shortest)
}
