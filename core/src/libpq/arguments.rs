//! Checks the arguments of PostgreSQL's programs. They override the variables that hold the
//! endpoint and `verify-full`, so they could send the token to another server.

use std::path::Path;

use super::check::{Check, elsewhere, refused};
use super::programs::PROGRAMS;
use crate::error::Error;

/// Checks the arguments of a program, if it is one of PostgreSQL's that connect with libpq.
///
/// `program` is its name or path. `hostname` and `sslmode` are those of
/// [`check_connection_string`](super::check_connection_string).
///
/// # Errors
/// `INVALID_HOSTNAME` if the token could reach another server, or one that is not verified.
pub fn check_arguments<S: AsRef<str>>(
    program: &str,
    arguments: &[S],
    hostname: &str,
    sslmode: Option<&str>,
) -> Result<(), Error> {
    let arguments: Vec<_> = arguments.iter().map(AsRef::as_ref).collect();
    let check = Check { hostname, sslmode };
    checked(program, &arguments, check).map_err(refused)
}

fn checked(program: &str, arguments: &[&str], check: Check<'_>) -> Result<(), String> {
    let name = Path::new(program)
        .file_name()
        .and_then(|name| name.to_str());
    let known = PROGRAMS.iter().find(|(program, _)| Some(*program) == name);
    let Some((_, with_value)) = known else {
        return Ok(());
    };
    for (n, argument) in arguments.iter().enumerate() {
        // Debian's wrapper of these programs sets PGHOST to the cluster's host or socket.
        if argument.split('=').next() == Some("--cluster") {
            return Err(elsewhere("--cluster"));
        }
        let next = arguments.get(n + 1).map_or("", |next| *next);
        if let Some(host) = host_in(argument, with_value, next) {
            check.host(host)?;
        }
        // A connection string may be a whole argument, or the value within one.
        let value = argument.split_once('=').map_or("", |(_, value)| value);
        let within = argument
            .char_indices()
            .skip(2)
            .take(8)
            .map(|(at, _)| &argument[at..]);
        let within = within.take_while(|_| argument.starts_with('-'));
        for text in [*argument, value].into_iter().chain(within) {
            check.text(text)?;
        }
    }
    Ok(())
}

/// Returns the value of `-h` or `--host`, which may be the next argument. PostgreSQL's programs
/// accept shortened names, and flags in front, as in `-XAth`.
fn host_in<'a>(argument: &'a str, with_value: &str, next: &'a str) -> Option<&'a str> {
    if let Some(rest) = argument.strip_prefix("--") {
        let (name, value) = rest.split_once('=').unwrap_or((rest, next));
        return (name.len() >= 2 && "host".starts_with(name)).then_some(value);
    }
    let options = argument.strip_prefix('-')?;
    let (at, option) = options
        .char_indices()
        .find(|(_, c)| *c == 'h' || with_value.contains(*c))?;
    let value = &options[at + option.len_utf8()..];
    (option == 'h').then_some(if value.is_empty() { next } else { value })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(line: &str) -> Result<(), Error> {
        let words: Vec<_> = line.split('|').collect();
        check_arguments(words[0], &words[1..], "db.example", None)
    }

    #[test]
    fn arguments_that_keep_to_the_endpoint_are_accepted() {
        for line in [
            "psql",
            "psql|-d|postgres|-c|select 'host=other'",
            "psql|-h|DB.example|app",
            "psql|-XAtc|select 1|host=db.example dbname=app",
            "psql|postgresql://iam_user@db.example:5433/app?application_name=x",
            "psql|postgres:///app",
            "psql|sslmode=verify-full hostaddr=127.0.0.1",
            "psql|-c|\\c postgres|-c|\\connect app iam_user",
            "psql|-c|select * from t where host = 'x'",
            "psql|postgresql:///app?target_session_attrs=any&keepalives=1",
            "psql|-h||-d|app",
            "psql|-v|name=value",
            "pg_dump|-nhr|-fhost.sql",
            "vacuumdb|-fzv|app",
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
            "psql|host='' dbname=app",
            "psql|dbname=app host=",
            "psql|postgresql:///app?host=",
            "psql|-h|/tmp",
            "psql|--cluster|15/main",
            "vacuumdb|--cluster=15/other:5432",
            "pg_createsubscriber|-P|host=other",
            "psql|postgresql://%2Ftmp/app",
            "psql|postgresql://iam_user:x@other/app",
            "psql|postgres://db.example,other/app",
            "psql|postgres:///app?host=other",
            "psql|postgres:///app?%68ost=other",
            "psql|postgres://db.example/app?sslmode=disable",
            "psql|postgres://[::1]/app",
            "pg_dump|-d|service=dev",
            "pgbench|-h|other|app",
            "pg_dump|-v|host=127.0.0.1 sslmode=disable",
            "pg_dump|-c|-h|other",
            "dropdb|-f|-h|other|app",
            "psql|requiressl=0 hostaddr=127.0.0.1",
            "psql|postgresql:///app?requiressl=0&hostaddr=127.0.0.1",
            "psql|postgresql:///app?ssl=true",
            "psql|gssencmode=require",
            "vacuumdb|--all|--maintenance-db=host=127.0.0.1 sslmode=disable",
            "pg_dumpall|--database=host=other",
            "pg_dumpall|-lhost=other",
            "pg_dump|-vhother",
            "pg_dump|-vdhost=other sslmode=disable",
            "pgbench|-ih|other",
            "psql|-o|-c|host=other sslmode=disable",
            "psql|dbname='a\\' x=' host=127.0.0.1 sslmode=disable",
            "psql|postgresql://db.example:5?a@other/app",
            "psql|postgresql://db.example?host=other",
            "psql|-c|\\c \"host=other\"",
            "psql|-c|\\connect app iam_user other",
            "psql|-c\\c postgres://other/app",
            "vacuumlo|-h|other|app",
            "pg_rewind|--source-server=host=other",
            "psql|app=x user=y sslmode = disable",
        ] {
            assert!(check(line).is_err(), "{line}");
        }
    }
}
