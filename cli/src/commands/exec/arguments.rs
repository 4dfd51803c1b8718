//! Checks the arguments of PostgreSQL's programs. They override the variables that hold the
//! endpoint and `verify-full`, so they could send the token to another server.
//!
//! The check is stricter than libpq: whatever could name another server is refused, wherever it is.

use std::ffi::{OsStr, OsString};
use std::path::Path;

/// PostgreSQL's programs that connect with libpq, and their short options that have a value.
const PROGRAMS: [(&str, &str); 21] = [
    ("psql", "cdfFhLopPRTUv"),
    ("pg_dump", "deEfFhjnNpStTUZ"),
    ("pg_dumpall", "dEfhlpSU"),
    ("pg_restore", "dfFhIjLnNpPStTU"),
    ("pgbench", "bcDfFhIjLMpPRstTU"),
    ("pg_isready", "dhptU"),
    ("pg_amcheck", "dDhiIjprRsStTU"),
    ("pg_basebackup", "cdDFhlprRsStTUXZ"),
    ("pg_receivewal", "dDEhpsSUZ"),
    ("pg_recvlogical", "dEfFhIoPpsSU"),
    ("pg_rewind", "D"),
    ("pg_createsubscriber", "dDpPstU"),
    ("clusterdb", "dhptU"),
    ("createdb", "DEhlOpTU"),
    ("createuser", "acghmpUv"),
    ("dropdb", "hpU"),
    ("dropuser", "hpU"),
    ("reindexdb", "dhijpStU"),
    ("vacuumdb", "dhjnNpPtU"),
    ("vacuumlo", "hlpU"),
    ("oid2name", "dfhHopPtU"),
];
/// Keywords of libpq that cannot change the server, or how it is verified.
const HARMLESS: [&str; 27] = [
    "application_name",
    "channel_binding",
    "client_encoding",
    "connect_timeout",
    "dbname",
    "fallback_application_name",
    "hostaddr",
    "keepalives",
    "keepalives_count",
    "keepalives_idle",
    "keepalives_interval",
    "load_balance_hosts",
    "options",
    "passfile",
    "password",
    "port",
    "replication",
    "require_auth",
    "sslcert",
    "sslcrl",
    "sslkey",
    "sslnegotiation",
    "sslrootcert",
    "sslsni",
    "target_session_attrs",
    "tcp_user_timeout",
    "user",
];
/// Keywords of libpq that can. `ssl` and `requiressl` are older forms of `sslmode`.
const DANGEROUS: [&str; 7] = [
    "gssencmode",
    "host",
    "requiressl",
    "service",
    "servicefile",
    "ssl",
    "sslmode",
];
const SCHEMES: [&str; 2] = ["postgresql://", "postgres://"];

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
        let known = PROGRAMS.iter().find(|(program, _)| Some(*program) == name);
        let Some((_, with_value)) = known else {
            return Ok(());
        };
        let arguments: Vec<_> = arguments.iter().map(|a| a.to_string_lossy()).collect();
        for (n, argument) in arguments.iter().enumerate() {
            // Debian's wrapper of these programs sets PGHOST to the cluster's host or socket.
            if argument.split('=').next() == Some("--cluster") {
                return Err(elsewhere("--cluster"));
            }
            let next = arguments.get(n + 1).map_or("", |next| &**next);
            if let Some(host) = host_in(argument, with_value, next) {
                self.check_host(host)?;
            }
            // A connection string may be a whole argument, or the value within one.
            let value = argument.split_once('=').map_or("", |(_, value)| value);
            let within = argument
                .char_indices()
                .skip(2)
                .take(8)
                .map(|(at, _)| &argument[at..]);
            let within = within.take_while(|_| argument.starts_with('-'));
            for text in [argument, value].into_iter().chain(within) {
                self.check_string(text)?;
            }
        }
        Ok(())
    }

    /// Checks a text that may be a connection string.
    pub(super) fn check_string(&self, text: &str) -> Result<(), String> {
        let text = text.trim_start();
        if let Some(rest) = SCHEMES.iter().find_map(|scheme| text.strip_prefix(scheme)) {
            return self.check_uri(rest);
        }
        if let Some(rest) = text.strip_prefix("\\c") {
            return check_connect(rest);
        }
        if keyword_at_end(text.split('=').next().unwrap_or_default())
            != text.split('=').next().map(str::trim_end)
        {
            return Ok(());
        }
        // Not parsed as libpq does: a keyword counts wherever it is, even within quotes.
        for (at, _) in text.match_indices('=') {
            if let Some(keyword) = keyword_at_end(&text[..at])
                && DANGEROUS.contains(&keyword)
            {
                let value = text[at + 1..].trim_start().trim_start_matches('\'');
                let end = value.find(|c: char| c.is_whitespace() || c == '\'');
                self.check_setting(keyword, &value[..end.unwrap_or(value.len())])?;
            }
        }
        Ok(())
    }

    /// Checks what follows the scheme of a URI.
    fn check_uri(&self, rest: &str) -> Result<(), String> {
        // As for libpq: the user ends at the first @ before any slash.
        let before_slash = rest.split('/').next().unwrap_or_default();
        let at = before_slash.find('@').map_or(0, |at| at + 1);
        let rest = &rest[at..];
        let end = rest.find([':', '/', '?']).unwrap_or(rest.len());
        self.check_host(&rest[..end])?;
        let parameters = rest[end..].split_once('?').map_or("", |(_, after)| after);
        let mut parameters = parameters.split('&').filter(|text| !text.is_empty());
        parameters.try_for_each(|parameter| {
            let (keyword, value) = parameter.split_once('=').unwrap_or((parameter, ""));
            self.check_setting(keyword, value)
        })
    }

    fn check_setting(&self, keyword: &str, value: &str) -> Result<(), String> {
        match keyword {
            // libpq connects to a Unix socket then, without TLS.
            "host" if value.is_empty() => Err(format!(
                "host: empty; accepted: {:?}, or no host",
                self.hostname
            )),
            "host" => self.check_host(value),
            "sslmode" if value == "verify-full" || self.any_sslmode => Ok(()),
            "sslmode" => Err(format!(
                "sslmode: {value:?} would send the token to a server that is not verified; accepted: \
                 verify-full, or --sslmode of rdsign"
            )),
            keyword if HARMLESS.contains(&keyword) => Ok(()),
            _ => Err(elsewhere(keyword)),
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

fn elsewhere(what: &str) -> String {
    format!(
        "{what}: could send the token to another server; accepted: --hostname, --port, --username and \
         --dbname of rdsign, or PGSERVICE"
    )
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

/// Checks psql's `\connect`, which would send the same password to another server.
fn check_connect(rest: &str) -> Result<(), String> {
    let rest = rest.strip_prefix("onnect").unwrap_or(rest);
    let names_a_server = rest.contains(['=', ':']) || rest.split_whitespace().count() > 2;
    if rest.starts_with(char::is_whitespace) && names_a_server {
        return Err(
            "\\connect: could send the token to another server; accepted: \\connect DATABASE"
                .to_owned(),
        );
    }
    Ok(())
}

/// Returns the word that a text ends with, blanks aside, if it has the form of a keyword.
fn keyword_at_end(text: &str) -> Option<&str> {
    let text = text.trim_end();
    let is_keyword = |c: char| c.is_ascii_lowercase() || c == '_';
    let start = text.trim_end_matches(is_keyword).len();
    (start < text.len()).then(|| &text[start..])
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
