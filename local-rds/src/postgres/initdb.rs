//! Creates PostgreSQL's data folder with initdb, with the roles and login rules of RDS.
//!
//! The roles are created in single-user mode, without a socket. So there is never a socket through
//! which another user of the machine could log in as the superuser.

use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use super::find::Postgres;
use super::server::CHECK_INTERVAL;
use crate::error::{Context, LocalError};
use crate::folder::{DATA, Folder, regular};
use crate::process::setup_step;
use crate::process::signals::Signals;

/// The name of the data folder until it is complete.
const UNFINISHED: &str = "data.new";
const LOG: &str = "setup.log";
/// The name of the file in the data folder that contains the [`setup`] it was created with.
const SETUP_MARK: &str = "rdsign-local.setup";

/// The name of the file with [`RULES`].
const RULES_FILE: &str = "rules.conf";
/// The login rules of RDS, in the same order: a member of rds_iam needs a token and TLS. The preloaded
/// library asks for the token, and only that library names this file to PostgreSQL. No rule allows a
/// login without a password or token, or through a Unix socket. The superuser cannot log in at all,
/// even if somebody made it a member of rds_iam.
const RULES: &str = "\
# TYPE    DATABASE USER     ADDRESS METHOD
host      all      rdsadmin all     reject
hostssl   all      +rds_iam all     trust
hostnossl all      +rds_iam all     reject
host      all      all      all     md5
";

/// The login rules in the data folder, for somebody who starts PostgreSQL by hand.
const NO_LOGINS: &str = "\
# rdsign local has its own rules. Without it, nobody can log in.
local all all reject
host  all all all reject
";

/// Reachable from this machine only, and large enough for many clients at once.
const SETTINGS: &str = "\
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
max_connections = 300
shared_buffers = 32MB
dynamic_shared_memory_type = mmap  # leaves nothing outside this folder
password_encryption = 'scram-sha-256'
ssl = on
ssl_cert_file = '../server.pem'
ssl_key_file = '../server.key'
wal_level = logical
max_wal_senders = 10
max_replication_slots = 10
log_destination = 'stderr'
logging_collector = off
log_line_prefix = '%m [%p] '
timezone = 'UTC'
log_timezone = 'UTC'
";

/// Durability costs time, and a folder that is removed with the server does not need it.
const TEMPORARY_SETTINGS: &str = "\
fsync = off
full_page_writes = off
synchronous_commit = off
";

/// One statement per line, because single-user mode reads lines.
///
/// The superuser is called rdsadmin, as on RDS. If it were postgres, pg_has_role would report that
/// postgres is a member of every role. It may replicate as a member of rds_replication; the preloaded
/// library gives other members that attribute.
///
/// iam_user may create tables and databases, so that migrations and test suites run. A session
/// cannot leave its database, so testdb copies the schema's privilege from the database postgres.
/// Up to version 14, postgres would not own the schema, and could not revoke the privilege.
const ROLES: &str = "\
CREATE ROLE rds_superuser;
CREATE ROLE rds_replication;
CREATE ROLE rds_iam;
CREATE ROLE rds_password;
GRANT {predefined}pg_monitor, pg_signal_backend, rds_password, rds_replication TO rds_superuser WITH ADMIN OPTION;
CREATE ROLE postgres LOGIN CREATEDB CREATEROLE REPLICATION PASSWORD {password} IN ROLE rds_superuser;
CREATE ROLE iam_user LOGIN CREATEDB IN ROLE rds_iam;
CREATE ROLE testuser LOGIN IN ROLE rds_iam;
ALTER SCHEMA public OWNER TO pg_database_owner;
GRANT CREATE ON SCHEMA public TO iam_user;
CREATE DATABASE testdb TEMPLATE postgres OWNER postgres;
GRANT CREATE ON DATABASE testdb TO iam_user;
REVOKE CREATE ON SCHEMA public FROM iam_user;
ALTER DATABASE postgres OWNER TO postgres;
";

/// From this version on, a role needs ADMIN OPTION to grant another. The preloaded library's module
/// `roles` explains what follows from that.
const ROLES_CHANGED_IN: u32 = 16;
/// What rds_superuser also has since then.
const PREDEFINED: &str = "pg_read_all_data, pg_write_all_data, pg_checkpoint, \
    pg_use_reserved_connections, pg_create_subscription, ";

/// Up to version 15, a role with CREATEROLE may grant every role that is not a superuser. The
/// members of these roles read and write files and run programs of this machine, so they become
/// superusers themselves. Nobody can log in as them, and members do not inherit the attribute.
const UNGRANTABLE: &str = "\
UPDATE pg_authid SET rolsuper = true WHERE rolname IN \
('pg_read_server_files', 'pg_write_server_files', 'pg_execute_server_program');
";

/// Creates the data folder. If it exists, only its login rules are written again, and the password
/// of `postgres` is set.
pub(crate) fn run(
    folder: &Folder,
    postgres: &Postgres,
    password: &str,
    durable: bool,
    signals: &Signals,
) -> Result<(), LocalError> {
    let (unfinished, data) = (folder.path(UNFINISHED), folder.path(DATA));
    folder.write(LOG, 0o644, b"")?;
    folder.write(RULES_FILE, 0o600, RULES.as_bytes())?;
    let password = literal(password);
    if data.exists() {
        check_setup(folder, &data)?;
        write(folder, &data.join("pg_hba.conf"), NO_LOGINS)?;
        let sql = format!("ALTER ROLE postgres PASSWORD {password};\n");
        let step = "setting the password of postgres";
        let options = ["template1"]; // nobody can drop it
        return run_as_superuser(folder, postgres, &data, step, &sql, &options, signals);
    }
    if unfinished.exists() {
        let removed = folder
            .run_as()
            .as_owner(|| std::fs::remove_dir_all(&unfinished));
        removed.context(|| format!("removing {}", unfinished.display()))?;
    }
    let mut initdb = folder.run_as().command(postgres.program("initdb"));
    initdb.current_dir(folder.path(""));
    initdb.arg("-D").arg(&unfinished);
    initdb.args(["--username=rdsadmin", "--auth=reject", "--encoding=UTF8"]);
    initdb
        .args(["--no-sync", "--no-instructions"])
        .arg(format!("--locale={}", locale()));
    let log = folder.append(LOG)?;
    let check = || Ok(());
    setup_step::run(
        "initdb",
        &mut initdb,
        "",
        log,
        signals,
        CHECK_INTERVAL,
        check,
    )?;

    let more = if durable { "" } else { TEMPORARY_SETTINGS };
    let settings = format!("{SETTINGS}{more}");
    write(folder, &unfinished.join("postgresql.conf"), &settings)?;
    write(folder, &unfinished.join("pg_hba.conf"), NO_LOGINS)?;
    write(folder, &unfinished.join(SETUP_MARK), &setup())?;

    let is_new = postgres.version().major >= ROLES_CHANGED_IN;
    let (predefined, ungrantable) = if is_new {
        (PREDEFINED, "")
    } else {
        ("", UNGRANTABLE)
    };
    let roles = ROLES.replace("{predefined}", predefined);
    let roles = roles.replace("{password}", &password) + ungrantable;
    let (step, options) = ("creating the roles", ["-c", "fsync=off", "postgres"]);
    run_as_superuser(
        folder,
        postgres,
        &unfinished,
        step,
        &roles,
        &options,
        signals,
    )?;
    let renamed = folder
        .run_as()
        .as_owner(|| std::fs::rename(&unfinished, &data));
    renamed.context(|| format!("creating {}", data.display()))
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
    single.args(["--single", "-D"]).arg(data);
    // A failed statement is not logged, because it may contain the password.
    single.args(["-c", "exit_on_error=on"]);
    single.args(["-c", "log_min_error_statement=panic"]);
    single.args(options);
    let (log, check) = (folder.append(LOG)?, || Ok(()));
    setup_step::run(step, &mut single, sql, log, signals, CHECK_INTERVAL, check)
}

/// The roles and settings of a new data folder, as a text to compare.
fn setup() -> String {
    [ROLES, PREDEFINED, UNGRANTABLE, SETTINGS].concat()
}

/// Checks that a data folder has the roles and settings of this version: those of another could
/// let a role do what this version prevents.
fn check_setup(folder: &Folder, data: &Path) -> Result<(), LocalError> {
    let read = || regular::read(&data.join(SETUP_MARK));
    match folder.run_as().as_owner(read) {
        Ok(text) if text == setup() => Ok(()),
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
