//! Connection strings and arguments of PostgreSQL's programs: a token must reach no other server.

use rdsign::libpq::{Login, check_arguments, check_connection_string};
use rdsign::names::is_same_hostname;

use super::first_line;
use crate::real_libpq;

const HOST: &str = "db.example";
const OTHER: &str = "other.example";
/// A password, wherever it is in an input.
pub(crate) const PASSWORD: &str = "hunter2hunter2hunter2";
/// As much of it as no message may show.
const PIECE: &str = "hunter2hunter2hu";

/// Returns a login to a host, on any port and as any user.
pub(super) fn login<'a>(hostname: &'a str, sslmode: Option<&'a str>) -> Login<'a> {
    Login {
        hostname,
        ports: &[],
        username: None,
        sslmode,
    }
}

/// The first line is the accepted `sslmode`, or empty. The rest is a connection string. A message may show
/// the mode, so none is a password.
pub(crate) fn libpq_strings(data: &[u8]) {
    let input = String::from_utf8_lossy(data);
    let (sslmode, text) = first_line(&input);
    let is_mode = |mode: &&str| !mode.is_empty() && !mode.contains(PIECE);
    let sslmode = Some(sslmode).filter(is_mode);
    let check = |text: &str| check_connection_string(text, login(HOST, sslmode));
    if let Err(error) = check(text) {
        check_password(text, error.message());
        return;
    }
    for (keyword, value) in real_libpq::settings(text).unwrap_or_default() {
        match keyword.as_str() {
            "host" => {
                let bare = value.trim_matches(['[', ']']);
                assert!(
                    is_same_hostname(bare, HOST),
                    "libpq connects to {value}: {text}"
                );
            }
            "sslmode" => assert!(value == "verify-full" || sslmode == Some(&value), "{text}"),
            "gssencmode" => assert_eq!(value, "disable", "{text}"),
            "service" | "servicefile" | "requiressl" => panic!("libpq reads a {keyword}: {text}"),
            _ => {}
        }
    }
    if ["postgresql://", "postgres://"]
        .iter()
        .any(|scheme| text.starts_with(scheme))
    {
        let both = ["?", "&"].map(|mark| check(&format!("{text}{mark}host={OTHER}")));
        assert!(both.iter().any(Result::is_err), "{text}");
    } else if text.contains('=') {
        // The first setting may become part of the last value.
        let more = check(&format!("{text} application_name=x host={OTHER}"));
        assert!(more.is_err(), "{text}");
    }
}

/// Panics if a message shows the password, and if it is one in each place of the text.
fn check_password(text: &str, message: &str) {
    let mut places = text.match_indices(PASSWORD).map(|(at, _)| {
        let (before, after) = (&text[..at], &text[at + PASSWORD.len()..]);
        let before = before.strip_suffix('\'').unwrap_or(before);
        before.ends_with("password=") || before.ends_with(':') && after.starts_with('@')
    });
    // A piece of it may also have become another value.
    let is_whole = text.matches(PIECE).count() == text.matches(PASSWORD).count();
    let is_password = is_whole && places.all(|is_password| is_password);
    assert!(!is_password || !message.contains(PIECE), "{message}");
}

const PROGRAMS: [&str; 8] = [
    "psql",
    "pg_dump",
    "pg_dumpall",
    "pg_restore",
    "pgbench",
    "vacuumdb",
    "createdb",
    "pg_isready",
];

/// The first line is a program, and each other line an argument.
pub(crate) fn libpq_arguments(data: &[u8]) {
    let input = String::from_utf8_lossy(data);
    let (program, rest) = first_line(&input);
    let arguments: Vec<&str> = rest.split('\n').filter(|_| !rest.is_empty()).collect();
    let check =
        |program: &str, arguments: &[&str]| check_arguments(program, arguments, login(HOST, None));
    let accepted = match check(program, &arguments) {
        Ok(()) => true,
        Err(error) => {
            assert!(error.message().len() < 1_000, "{error}");
            false
        }
    };
    if !PROGRAMS.contains(&program) {
        return;
    }
    let long = format!("--host={OTHER}");
    let short = format!("-h{OTHER}");
    let string = format!("host={OTHER}");
    let variable = format!("PGHOST={OTHER}");
    fn joined<'a>(all: [&[&'a str]; 3]) -> Vec<&'a str> {
        all.concat()
    }
    for option in [long.as_str(), &short, &string] {
        assert!(
            check(program, &joined([&[option], &arguments, &[]])).is_err(),
            "{option} {arguments:?}"
        );
    }
    assert!(check("env", &joined([&[&variable, program], &arguments, &[]])).is_err());
    if accepted {
        assert!(
            check("env", &joined([&[program], &arguments, &[]])).is_ok(),
            "{arguments:?}"
        );
        // x may be the value of the last option.
        if !arguments.contains(&"--") {
            for option in [long.as_str(), &short] {
                let all = joined([&[], &arguments, &["x", option]]);
                assert!(check(program, &all).is_err(), "{all:?}");
            }
        }
    }
}
