//! Reads libpq's service files, for the command line and the drivers that use libpq.
//!
//! libpq prefers the settings of a service to PGHOST, PGPORT, PGUSER and PGSSLMODE. A token that is
//! signed for these variables would be sent to another server, perhaps without TLS. So whoever
//! passes a token to libpq must read the service first.
//!
//! Source: <https://www.postgresql.org/docs/current/libpq-pgservice.html>

use std::path::PathBuf;

use crate::credentials::environment_variable as variable;
use crate::error::{Error, ErrorCode};
use crate::message::quoted;
use crate::system::paths::{SERVICE_FILE, SERVICE_FOLDERS, service_folder};

/// A setting of a service: libpq's keyword, such as `host` or `sslmode`, and its value.
pub type Setting = (String, String);

/// Whether the caller sets libpq's `sslmode`, which then replaces the service's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SslMode {
    /// The service's `sslmode` is used, so it must be `verify-full`.
    OfTheService,
    /// The service's `sslmode` does not count, and is left out.
    OfTheCaller,
}

/// Returns the settings of a service, without its password, which a token replaces.
///
/// Looks in the file that PGSERVICEFILE names, else in `~/.pg_service.conf` (Windows:
/// `%APPDATA%\postgresql\.pg_service.conf`), and then in `pg_service.conf` in the folder that
/// PGSYSCONFDIR names, else in the folders that packages of libpq use (Windows: none).
///
/// # Errors
/// `INVALID_HOSTNAME` if no file has the service, a file cannot be read, a line is invalid, the
/// settings are on an LDAP server, or `sslmode` is weaker than `verify-full`. The message names the
/// file and the line.
pub fn service(name: &str, ssl_mode: SslMode) -> Result<Vec<Setting>, Error> {
    let mut searched = Vec::new();
    for (path, must_exist) in files() {
        let text = match std::fs::read(&path) {
            Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
            Err(_) if !must_exist && !path.exists() => continue,
            Err(error) => return Err(invalid(name, &format!("{}: {error}", path.display()))),
        };
        let file = path.display().to_string();
        if let Some(settings) = settings_in(&text, name)
            .and_then(|found| found.map(|lines| checked(lines, ssl_mode)).transpose())
            .map_err(|(line, problem)| invalid(name, &format!("{file}, line {line}: {problem}")))?
        {
            return Ok(settings);
        }
        searched.push(file);
    }
    let searched = match searched.as_slice() {
        [] => "there is no service file".to_owned(),
        files => format!("not in {}", files.join(" or ")),
    };
    let accepted = format!(
        "accepted: a service in the file that PGSERVICEFILE names, in {SERVICE_FILE} or in \
         pg_service.conf in the folder that PGSYSCONFDIR names"
    );
    Err(invalid(name, &format!("{searched}; {accepted}")))
}

/// The files that libpq searches, and whether it fails if they do not exist.
fn files() -> Vec<(PathBuf, bool)> {
    let own = match variable("PGSERVICEFILE") {
        Some(path) => Some((path.into(), true)),
        None => service_folder().map(|folder| (folder.join(".pg_service.conf"), false)),
    };
    let folders = match variable("PGSYSCONFDIR") {
        Some(folder) => vec![folder],
        None => SERVICE_FOLDERS
            .iter()
            .map(|&folder| folder.to_owned())
            .collect(),
    };
    let system = folders
        .into_iter()
        .map(|folder| (PathBuf::from(folder).join("pg_service.conf"), false));
    own.into_iter().chain(system).collect()
}

/// A setting, and the number of its line.
type Line = (usize, Setting);
type Problem = (usize, String);

/// Reads the lines of a section as libpq does: it ends at the next section, `#` starts a comment
/// only at the start of a line, blanks around `=` are not allowed, and the first value counts.
fn settings_in(text: &str, name: &str) -> Result<Option<Vec<Line>>, Problem> {
    let mut found: Option<Vec<Line>> = None;
    for (number, line) in text.lines().enumerate() {
        let (number, line) = (number + 1, line.trim());
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        if let Some(rest) = line.strip_prefix('[') {
            if found.is_some() {
                break;
            }
            let is_it = rest
                .strip_prefix(name)
                .is_some_and(|rest| rest.starts_with(']'));
            found = is_it.then(Vec::new);
            continue;
        }
        let Some(lines) = &mut found else { continue };
        if line.starts_with("ldap") {
            return Err((
                number,
                "LDAP is not supported; accepted: KEYWORD=VALUE".to_owned(),
            ));
        }
        let Some((keyword, value)) = line.split_once('=') else {
            return Err((number, "`=` is missing; accepted: KEYWORD=VALUE".to_owned()));
        };
        let is_keyword = |b: u8| b.is_ascii_lowercase() || b == b'_';
        if keyword.is_empty() || !keyword.bytes().all(is_keyword) {
            let problem = "not a keyword before `=`; accepted: KEYWORD=VALUE without blanks";
            return Err((number, problem.to_owned()));
        }
        if matches!(keyword, "service" | "servicefile") {
            return Err((
                number,
                format!("{keyword}: a service cannot name another one"),
            ));
        }
        if !lines.iter().any(|(_, (known, _))| known == keyword) {
            lines.push((number, (keyword.to_owned(), value.to_owned())));
        }
    }
    Ok(found)
}

/// Drops the password, and an `sslmode` that does not count. Rejects one that is too weak.
fn checked(lines: Vec<Line>, ssl_mode: SslMode) -> Result<Vec<Setting>, Problem> {
    let mut settings = Vec::new();
    for (line, (keyword, value)) in lines {
        match keyword.as_str() {
            "password" => {}
            "sslmode" if ssl_mode == SslMode::OfTheCaller => {}
            "sslmode" if value != "verify-full" => {
                let problem = format!(
                    "sslmode: {} would send the token to a server that is not verified; accepted: \
                     verify-full, or an sslmode outside the service",
                    quoted(&value)
                );
                return Err((line, problem));
            }
            _ => settings.push((keyword, value)),
        }
    }
    Ok(settings)
}

fn invalid(name: &str, problem: &str) -> Error {
    let message = format!("service {}: {problem}", quoted(name));
    Error::new(ErrorCode::InvalidHostname, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "\
# comment
[other]
host=other
[app]
host=db.example
 # indented comment

port=5433
sslmode=prefer
host=second
application_name=a = b
password=hunter2
[app]
user=too_late
";

    fn read(text: &str, ssl_mode: SslMode) -> Result<Vec<Setting>, Problem> {
        let found = settings_in(text, "app")?;
        checked(found.expect("a section"), ssl_mode)
    }

    #[test]
    fn a_section_is_read_as_libpq_reads_it() {
        let expected = [
            ("host", "db.example"),
            ("port", "5433"),
            ("application_name", "a = b"),
        ];
        let expected = expected.map(|(k, v)| (k.to_owned(), v.to_owned()));
        assert_eq!(read(FILE, SslMode::OfTheCaller).unwrap(), expected);
        assert_eq!(settings_in(FILE, "ap").unwrap(), None);
        assert_eq!(settings_in(FILE, "app]").unwrap(), None);
        assert_eq!(settings_in("[app]", "app").unwrap(), Some(Vec::new()));
    }

    #[test]
    fn a_weak_sslmode_of_the_service_is_rejected_unless_the_caller_sets_one() {
        let (line, problem) = read(FILE, SslMode::OfTheService).unwrap_err();
        assert_eq!(line, 9);
        assert!(problem.contains("\"prefer\""), "{problem}");
        for mode in ["", "verify-ca", "VERIFY-FULL", "require"] {
            read(&format!("[app]\nsslmode={mode}"), SslMode::OfTheService).unwrap_err();
        }
        let full = read("[app]\nsslmode=verify-full", SslMode::OfTheService).unwrap();
        assert_eq!(full.len(), 1);
    }

    #[test]
    fn an_invalid_line_is_named_and_not_quoted() {
        for (text, line) in [
            ("[app]\nhost=x\nSECRET", 3),
            ("[app]\nhost = SECRET", 2),
            ("[app]\n=SECRET", 2),
            ("[app]\nservice=SECRET", 2),
            ("[app]\nldap://SECRET", 2),
        ] {
            let (number, problem) = settings_in(text, "app").unwrap_err();
            assert_eq!(number, line, "{text}");
            assert!(!problem.contains("SECRET"), "{problem}");
        }
        // Lines of other sections do not matter.
        assert!(
            settings_in("[other]\nSECRET\n[app]\n", "app")
                .unwrap()
                .is_some()
        );
    }
}
