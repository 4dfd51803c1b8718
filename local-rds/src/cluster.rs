//! Makes PostgreSQL's data folder, with the roles and the rules of login that RDS has.
//!
//! The roles are made in single-user mode: at no moment is there a socket through which someone
//! else on the machine could log in as the superuser, and the running server has none either.

use std::path::Path;

use crate::error::{Context, LocalError};
use crate::folder::Folder;
use crate::postgres::Postgres;
use crate::signals::Signals;
use crate::step;

/// The name of the data folder, when it is complete.
pub(crate) const DATA: &str = "data";
/// Its name until then.
const UNFINISHED: &str = "data.new";
const LOG: &str = "setup.log";

/// RDS's rules of login, in RDS's order: who is in rds_iam brings a token, and brings it over TLS.
/// No rule lets anyone in without a password or a token, or through a local socket.
const RULES: &str = "\
# TYPE    DATABASE USER     ADDRESS METHOD
hostssl   all      +rds_iam all     pam pamservice=rdsign
hostnossl all      +rds_iam all     reject
host      all      all      all     md5
";

/// Private to this machine, and with room for many clients at once.
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
wal_level = minimal
max_wal_senders = 0
log_destination = 'stderr'
logging_collector = off
log_line_prefix = '%m [%p] '
timezone = 'UTC'
log_timezone = 'UTC'
";

/// Nothing in a folder that goes with the server is worth the time that durability takes.
const SETTINGS_OF_A_TEMPORARY_ONE: &str = "\
fsync = off
full_page_writes = off
synchronous_commit = off
";

/// One statement a line, as single-user mode reads them.
///
/// The superuser is called rdsadmin, as on RDS: were it postgres, then pg_has_role would say that
/// postgres is a member of every role.
const ROLES: &str = "\
CREATE ROLE rds_superuser;
CREATE ROLE rds_iam;
CREATE ROLE rds_password;
CREATE ROLE rds_replication;
GRANT pg_monitor, pg_signal_backend, rds_password, rds_replication TO rds_superuser WITH ADMIN OPTION;
CREATE ROLE postgres LOGIN CREATEDB CREATEROLE PASSWORD {password} IN ROLE rds_superuser;
CREATE ROLE iam_user LOGIN IN ROLE rds_iam;
CREATE ROLE testuser LOGIN IN ROLE rds_iam;
ALTER DATABASE postgres OWNER TO postgres;
CREATE DATABASE testdb OWNER postgres;
";

/// Makes the data folder, unless it is there already; then only the rules are written anew.
pub(crate) fn make(
    folder: &Folder,
    postgres: &Postgres,
    password: &str,
    durable: bool,
    signals: &Signals,
) -> Result<(), LocalError> {
    let (unfinished, data) = (folder.path(UNFINISHED), folder.path(DATA));
    if data.exists() {
        return write(folder, &data.join("pg_hba.conf"), RULES);
    }
    let log = folder.write(LOG, 0o644, b"")?;
    if unfinished.exists() {
        let removed = folder
            .account()
            .as_owner(|| std::fs::remove_dir_all(&unfinished));
        removed.context(|| format!("removing {}", unfinished.display()))?;
    }
    let command = |program| {
        let mut command = folder.account().command(postgres.program(program));
        command.current_dir(folder.path(""));
        command
    };
    let mut initdb = command("initdb");
    initdb.arg("-D").arg(&unfinished);
    initdb.args(["--username=rdsadmin", "--auth=trust", "--encoding=UTF8"]);
    initdb
        .args(["--no-sync", "--no-instructions"])
        .arg(format!("--locale={}", locale()));
    step::run("initdb", &mut initdb, "", &log, signals)?;

    let more = if durable {
        ""
    } else {
        SETTINGS_OF_A_TEMPORARY_ONE
    };
    write(
        folder,
        &unfinished.join("postgresql.conf"),
        &format!("{SETTINGS}{more}"),
    )?;
    write(folder, &unfinished.join("pg_hba.conf"), RULES)?;

    let mut single = command("postgres");
    single.args(["--single", "-D"]).arg(&unfinished);
    // A statement that fails is not logged: it may have the password in it.
    single.args([
        "-c",
        "exit_on_error=on",
        "-c",
        "log_min_error_statement=panic",
    ]);
    single.args(["-c", "fsync=off", "postgres"]);
    let roles = ROLES.replace("{password}", &literal(password));
    step::run("making the roles", &mut single, &roles, &log, signals)?;
    let renamed = folder
        .account()
        .as_owner(|| std::fs::rename(&unfinished, &data));
    renamed.context(|| format!("making {}", data.display()))
}

/// Overwrites a file that initdb has made.
fn write(folder: &Folder, path: &Path, content: &str) -> Result<(), LocalError> {
    let written = folder.account().as_owner(|| std::fs::write(path, content));
    written.context(|| format!("writing {}", path.display()))
}

/// A string of SQL.
fn literal(text: &str) -> String {
    let text = text.replace('\'', "''");
    match text.contains('\\') {
        true => format!("E'{}'", text.replace('\\', "\\\\")),
        false => format!("'{text}'"),
    }
}

/// C.UTF-8, or C on a machine that has no such locale.
fn locale() -> &'static str {
    // SAFETY: the name is a C string, and what newlocale returns is freed once, if it is one.
    let has_utf8 = unsafe {
        let locale = libc::newlocale(libc::LC_ALL_MASK, c"C.UTF-8".as_ptr(), std::ptr::null_mut());
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
