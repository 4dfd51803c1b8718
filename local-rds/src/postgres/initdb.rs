//! Creates PostgreSQL's data folder with initdb, with the roles and login rules of RDS.
//!
//! The roles are created in single-user mode, without a socket. So there is never a socket through
//! which another user of the machine could log in as the superuser.

use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use super::find::Postgres;
use super::preload_library;
use super::prepared::Prepared;
use super::rds::{self, NO_LOGINS, RULES, SETTINGS, TEMPORARY_SETTINGS};
use super::server::CHECK_INTERVAL;
use crate::config::Config;
use crate::error::{Context, LocalError};
use crate::folder::{DATA, Folder, regular};
use crate::process::setup_step;
use crate::process::signals::Signals;

/// The name of the data folder until it is complete.
const UNFINISHED: &str = "data.new";
const LOG: &str = "setup.log";
/// The name of the file in the data folder that contains the [`rds::setup`] it was created with.
const SETUP_MARK: &str = "rdsign-local.setup";

/// The name of the file with the login rules.
const RULES_FILE: &str = "rules.conf";

/// Settings for a data folder without data of the user: they make a start shorter.
const NEW: [&str; 4] = ["-c", "fsync=off", "-c", "shared_buffers=1MB"];

/// Creates the data folder. If it exists, only its login rules are written again, the password of
/// `postgres` is set, and the administrator is created if there is none.
pub(crate) fn run(
    folder: &Folder,
    postgres: &Postgres,
    config: &Config,
    durable: bool,
    signals: &Signals,
) -> Result<(), LocalError> {
    let (unfinished, data) = (folder.path(UNFINISHED), folder.path(DATA));
    folder.write(LOG, 0o644, b"")?;
    folder.write(RULES_FILE, 0o600, RULES.as_bytes())?;
    let password = literal(&config.postgres_password);
    let administrator = rds::administrator(config);
    let finish = |data: &Path, options: &[&str]| {
        let sql = format!("ALTER ROLE postgres PASSWORD {password};\n{administrator}");
        let step = "setting the password of postgres";
        let options = [options, &["template1"]].concat(); // nobody can drop it
        run_as_superuser(folder, postgres, data, step, &sql, &options, signals)
    };
    if data.exists() {
        check_setup(folder, &data)?;
        write(folder, &data.join("pg_hba.conf"), NO_LOGINS)?;
        return finish(&data, &[]);
    }
    remove(folder, &unfinished)?;
    let prepared = Prepared::of(postgres, &[locale(), &rds::setup()].concat(), folder);
    let copied = prepared
        .as_ref()
        .is_some_and(|prepared| prepared.copy_to(&unfinished, folder));
    let is_complete = match copied.then(|| finish(&unfinished, &NEW)) {
        Some(Err(LocalError::Interrupted(signal))) => return Err(LocalError::Interrupted(signal)),
        Some(set) => set.is_ok(),
        None => false,
    };
    if !is_complete {
        remove(folder, &unfinished)?;
        create(folder, postgres, &unfinished, signals)?;
        if let Some(prepared) = prepared {
            let _ = prepared.keep(&unfinished, folder); // the next start tries it again
        }
        finish(&unfinished, &NEW)?;
    }
    let more = if durable { "" } else { TEMPORARY_SETTINGS };
    let settings = format!("{SETTINGS}{more}");
    write(folder, &unfinished.join("postgresql.conf"), &settings)?;
    write(folder, &unfinished.join("pg_hba.conf"), NO_LOGINS)?;
    write(folder, &unfinished.join(SETUP_MARK), &rds::setup())?;
    let renamed = folder
        .run_as()
        .as_owner(|| std::fs::rename(&unfinished, &data));
    renamed.context(|| format!("creating {}", data.display()))
}

/// Creates a data folder with the roles of RDS. `postgres` gets no password yet.
fn create(
    folder: &Folder,
    postgres: &Postgres,
    data: &Path,
    signals: &Signals,
) -> Result<(), LocalError> {
    let mut initdb = folder.run_as().command(postgres.program("initdb"));
    initdb.current_dir(folder.path(""));
    preload_library::name_the_user(&mut initdb, folder.run_as());
    initdb.arg("-D").arg(data);
    initdb.args(["--username=rdsadmin", "--auth=reject", "--encoding=UTF8"]);
    initdb
        .args(["--no-sync", "--no-instructions"])
        .arg(format!("--locale={}", locale()));
    let (log, check) = (folder.append(LOG)?, || Ok(()));
    let (step, input) = ("initdb", "");
    setup_step::run(
        step,
        &mut initdb,
        input,
        log,
        signals,
        CHECK_INTERVAL,
        check,
    )?;
    let roles = rds::roles(postgres.version().major);
    let options = [NEW.as_slice(), &["postgres"]].concat();
    let step = "creating the roles";
    run_as_superuser(folder, postgres, data, step, &roles, &options, signals)
}

/// Removes a data folder that is not complete, if there is one.
fn remove(folder: &Folder, unfinished: &Path) -> Result<(), LocalError> {
    if !unfinished.exists() {
        return Ok(());
    }
    let removed = folder
        .run_as()
        .as_owner(|| std::fs::remove_dir_all(unfinished));
    removed.context(|| format!("removing {}", unfinished.display()))
}

/// Runs statements in single-user mode, one per line. `options` end with the name of the database.
fn run_as_superuser(
    folder: &Folder,
    postgres: &Postgres,
    data: &Path,
    step: &'static str,
    sql: &str,
    options: &[&str],
    signals: &Signals,
) -> Result<(), LocalError> {
    let mut single = folder.run_as().command(postgres.program("postgres"));
    single.current_dir(folder.path(""));
    preload_library::name_the_user(&mut single, folder.run_as());
    single.args(["--single", "-D"]).arg(data);
    // A failed statement is not logged, because it may contain the password.
    single.args(["-c", "exit_on_error=on"]);
    single.args(["-c", "log_min_error_statement=panic"]);
    single.args(options);
    let (log, check) = (folder.append(LOG)?, || Ok(()));
    setup_step::run(step, &mut single, sql, log, signals, CHECK_INTERVAL, check)
}

/// Checks that a data folder has the roles and settings of this version: those of another could
/// let a role do what this version prevents.
fn check_setup(folder: &Folder, data: &Path) -> Result<(), LocalError> {
    let read = || regular::read(&data.join(SETUP_MARK));
    match folder.run_as().as_owner(read) {
        Ok(text) if text == rds::setup() => Ok(()),
        _ => Err(LocalError::OtherSetup(folder.path(""))),
    }
}

/// Writes a file of the data folder.
fn write(folder: &Folder, path: &Path, content: &str) -> Result<(), LocalError> {
    let write = || {
        let mut options = OpenOptions::new();
        let options = options.write(true).create(true).truncate(true).mode(0o600);
        regular::open(options, path)?.write_all(content.as_bytes())
    };
    let written = folder.run_as().as_owner(write);
    written.context(|| format!("writing {}", path.display()))
}

/// Quotes `text` as an SQL string.
fn literal(text: &str) -> String {
    let text = text.replace('\'', "''");
    match text.contains('\\') {
        true => format!("E'{}'", text.replace('\\', "\\\\")),
        false => format!("'{text}'"),
    }
}

/// musl's locale.h has it, but the crate libc does not.
#[cfg(target_env = "musl")]
const LC_ALL_MASK: libc::c_int = 0x7fff_ffff;
#[cfg(not(target_env = "musl"))]
use libc::LC_ALL_MASK;

/// Returns C.UTF-8, or C on a machine without that locale.
#[expect(unsafe_code, reason = "newlocale is a C function")]
fn locale() -> &'static str {
    // SAFETY: the name is a C string, and the result of newlocale is freed once unless it is null.
    let has_utf8 = unsafe {
        let locale = libc::newlocale(LC_ALL_MASK, c"C.UTF-8".as_ptr(), std::ptr::null_mut());
        if !locale.is_null() {
            libc::freelocale(locale);
        }
        !locale.is_null()
    };
    if has_utf8 { "C.UTF-8" } else { "C" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_stays_inside_its_quotes() {
        assert_eq!(literal("plain"), "'plain'");
        assert_eq!(literal("it's"), "'it''s'");
        assert_eq!(literal(r"a\'b"), r"E'a\\''b'");
    }
}
