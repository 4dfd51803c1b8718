//! Checks the arguments of PostgreSQL's programs. They override the variables that hold the
//! endpoint and `verify-full`, so they could send the token to another server.

use std::ffi::{OsStr, OsString};
use std::path::Path;

/// PostgreSQL's programs that connect with libpq, and accept `-h` and `-d`.
const PROGRAMS: [&str; 17] = [
    "psql",
    "pg_dump",
    "pg_dumpall",
    "pg_restore",
    "pgbench",
    "pg_isready",
    "pg_amcheck",
    "pg_basebackup",
    "pg_receivewal",
    "pg_recvlogical",
    "clusterdb",
    "createdb",
    "createuser",
    "dropdb",
    "dropuser",
    "reindexdb",
    "vacuumdb",
];
/// The short options of psql that have a value.
const VALUES_OF_PSQL: &str = "cdfFhLopPRTUv";
/// Options with a value that may look like a connection string.
const PLAIN_VALUES: [&str; 9] = [
    "-c",
    "--command",
    "-v",
    "--set",
    "--variable",
    "-P",
    "--pset",
    "-f",
    "--file",
];

/// What the token is for.
pub(super) struct Target<'a> {
    pub(super) hostname: &'a str,
    /// Whether a flag of rdsign allows another sslmode than `verify-full`.
    pub(super) any_sslmode: bool,
}

impl Target<'_> {
    /// Returns why the token could reach another server, if an argument allows that.
    pub(super) fn check(&self, program: &OsStr, arguments: &[OsString]) -> Result<(), String> {
        let name = Path::new(program).file_name().and_then(OsStr::to_str);
        let Some(name) = name.filter(|name| PROGRAMS.contains(name)) else {
            return Ok(());
        };
        let mut arguments = arguments.iter().map(|argument| argument.to_string_lossy());
        while let Some(argument) = arguments.next() {
            if PLAIN_VALUES.contains(&&*argument) {
                arguments.next();
            } else if let Some((option, value)) = long(&argument).or_else(|| short(name, &argument))
            {
                let next = value.is_none().then(|| arguments.next()).flatten();
                let value =
                    value.map_or_else(|| next.unwrap_or_default().into_owned(), str::to_owned);
                match option {
                    Named::Host => self.check_host(&value)?,
                    Named::Database => self.check_string(&value)?,
                }
            } else if !argument.starts_with('-') {
                self.check_string(&argument)?;
            }
        }
        Ok(())
    }

    /// Checks a name of a database, or a connection string in its place.
    pub(super) fn check_string(&self, text: &str) -> Result<(), String> {
        let uri = ["postgresql://", "postgres://"];
        if let Some(rest) = uri.iter().find_map(|scheme| text.strip_prefix(scheme)) {
            let (address, parameters) = rest.split_once('?').unwrap_or((rest, ""));
            let hosts = address.split('/').next().unwrap_or_default();
            let hosts = hosts.rsplit('@').next().unwrap_or_default();
            let host = match hosts.strip_prefix('[') {
                Some(ipv6) => ipv6.split(']').next().unwrap_or_default(),
                None if hosts.contains(',') => hosts,
                None => hosts.split(':').next().unwrap_or_default(),
            };
            self.check_host(host)?;
            return parameters.split('&').try_for_each(|parameter| {
                let (keyword, value) = parameter.split_once('=').unwrap_or((parameter, ""));
                self.check_setting(keyword, value)
            });
        }
        if text.contains('=') {
            return settings(text)
                .try_for_each(|(keyword, value)| self.check_setting(keyword, value));
        }
        Ok(())
    }

    fn check_setting(&self, keyword: &str, value: &str) -> Result<(), String> {
        // A percent sign may hide a keyword of a URI.
        if keyword.contains('%') || keyword == "service" {
            return Err(format!(
                "{keyword}: could send the token to another server; accepted: --hostname, --port, \
                 --username and --dbname of rdsign, or PGSERVICE"
            ));
        }
        match keyword {
            "host" => self.check_host(value),
            "sslmode" if value != "verify-full" && !self.any_sslmode => Err(format!(
                "sslmode: {value:?} would send the token to a server that is not verified; accepted: \
                 verify-full, or --sslmode of rdsign"
            )),
            _ => Ok(()),
        }
    }

    fn check_host(&self, host: &str) -> Result<(), String> {
        if host.is_empty() || host.eq_ignore_ascii_case(self.hostname) {
            return Ok(());
        }
        Err(format!(
            "host: {host:?} is not the endpoint that the token is signed for, {:?}; accepted: \
             --hostname of rdsign for another endpoint, --hostaddr to dial another address",
            self.hostname
        ))
    }
}

/// An option that names a server.
#[derive(Clone, Copy)]
enum Named {
    Host,
    Database,
}

/// `--host=X`, or `--host` before its value. PostgreSQL's programs accept shortened names.
fn long(argument: &str) -> Option<(Named, Option<&str>)> {
    let rest = argument.strip_prefix("--")?;
    let (name, value) = match rest.split_once('=') {
        Some((name, value)) => (name, Some(value)),
        None => (rest, None),
    };
    let is = |full: &str| name.len() >= 2 && full.starts_with(name);
    match name {
        _ if is("host") => Some((Named::Host, value)),
        _ if is("dbname") => Some((Named::Database, value)),
        _ => None,
    }
}

/// `-hX`, or `-h` before its value. psql's flags may stand in front, as in `-XAth`.
fn short<'a>(program: &str, argument: &'a str) -> Option<(Named, Option<&'a str>)> {
    let options = argument.strip_prefix('-')?;
    let has_value = |c: char| match program {
        "psql" => VALUES_OF_PSQL.contains(c),
        _ => true,
    };
    let (at, option) = options.char_indices().find(|(_, c)| has_value(*c))?;
    let value = Some(&options[at + 1..]).filter(|value| !value.is_empty());
    match option {
        'h' => Some((Named::Host, value)),
        'd' => Some((Named::Database, value)),
        _ => None,
    }
}

/// The keywords and values of a connection string. Only the values that are compared matter, and
/// none of them has a blank or a quote.
fn settings(text: &str) -> impl Iterator<Item = (&str, &str)> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let (keyword, after) = rest.split_once('=')?;
        let after = after.trim_start();
        let end = match after.strip_prefix('\'') {
            Some(quoted) => quoted.find('\'').map_or(after.len(), |end| end + 2),
            None => after.find(char::is_whitespace).unwrap_or(after.len()),
        };
        rest = &after[end..];
        Some((keyword.trim(), after[..end].trim_matches('\'')))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const TARGET: Target<'_> = Target {
        hostname: "db.example",
        any_sslmode: false,
    };

    fn check(line: &str) -> Result<(), String> {
        let mut words = line.split('|').map(OsString::from);
        let program = words.next().unwrap();
        TARGET.check(&program, &words.collect::<Vec<_>>())
    }

    #[test]
    fn arguments_that_keep_to_the_endpoint_are_accepted() {
        for line in [
            "psql",
            "psql|-d|postgres|-c|select 'host=other'",
            "psql|-h|DB.example|app",
            "psql|-XAtc|select 1|host=db.example dbname=app",
            "psql|-v|host=other|--set|sslmode=disable|app",
            "psql|postgresql://iam_user@db.example:5433/app?application_name=x",
            "psql|postgres:///app",
            "psql|sslmode=verify-full hostaddr=127.0.0.1",
            "pg_dump|-Fd|-j3|-thosts|-f|x|app",
            "/usr/bin/pg_restore|--host=db.example|-d|app|file",
            "sh|-c|psql -h other",
            "other|-h|other|service=x",
        ] {
            assert_eq!(check(line), Ok(()), "{line}");
        }
    }

    #[test]
    fn arguments_that_name_another_server_are_refused() {
        for line in [
            "psql|-h|other",
            "psql|-hother",
            "psql|-XAth|other",
            "psql|--host=other",
            "psql|--ho|other",
            "/usr/lib/postgresql/15/bin/psql|-d|host=other",
            "psql|--dbname|host = other dbname=app",
            "psql|app=x service=dev",
            "psql|dbname='a b' host='other'",
            "psql|sslmode=require",
            "psql|postgresql://iam_user:x@other/app",
            "psql|postgres://db.example,other/app",
            "psql|postgres:///app?host=other",
            "psql|postgres:///app?%68ost=other",
            "psql|postgres://db.example/app?sslmode=disable",
            "psql|postgres://[::1]/app",
            "pg_dump|-d|service=dev",
            "pgbench|-h|other|app",
        ] {
            assert!(check(line).is_err(), "{line}");
        }
    }
}
