//! Makes PostgreSQL's data folder, with the roles and the rules of login that RDS has.
//!
//! The roles are made in single-user mode: at no moment is there a socket through which someone
//! else on the machine could log in as the superuser, and the running server has none either.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::account::Account;
use crate::error::{Context, LocalError, LogTail};
use crate::folder::Folder;
use crate::postgres::Postgres;
use crate::signals::{Signals, Wake};

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

/// The server is private to this machine, and except for `fsync` in a kept folder nothing in it
/// is worth the time that durability takes.
const SETTINGS: &str = "\
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
max_connections = 300
shared_buffers = '32MB'
dynamic_shared_memory_type = mmap  # leaves nothing outside this folder
password_encryption = 'scram-sha-256'
ssl = on
ssl_cert_file = '../server.pem'
ssl_key_file = '../server.key'
wal_level = minimal
max_wal_senders = 0
synchronous_commit = off
log_destination = 'stderr'
logging_collector = off
log_line_prefix = '%m [%p] '
timezone = 'UTC'
log_timezone = 'UTC'
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

/// Makes the data folder, unless it is there already.
pub(crate) fn make(
    folder: &Folder,
    account: &Account,
    postgres: &Postgres,
    password: &str,
    durable: bool,
    signals: &Signals,
) -> Result<(), LocalError> {
    let (unfinished, data) = (folder.path(UNFINISHED), folder.path(DATA));
    if data.exists() {
        return write(&data.join("pg_hba.conf"), RULES);
    }
    let log = folder.write(LOG, 0o644, b"", account)?;
    if unfinished.exists() {
        let removing = || format!("removing {}", unfinished.display());
        std::fs::remove_dir_all(&unfinished).context(removing)?;
    }
    let step = |name, command: &mut Command, input: &str| {
        run(
            name,
            command.current_dir(folder.path("")),
            input,
            &log,
            signals,
        )
    };
    let mut initdb = account.command(postgres.program("initdb"));
    initdb.arg("-D").arg(&unfinished);
    initdb.args([
        "-U",
        "rdsadmin",
        "-A",
        "trust",
        "-E",
        "UTF8",
        "--no-sync",
        "--no-instructions",
    ]);
    initdb.arg(format!("--locale={}", locale()));
    step("initdb", &mut initdb, "")?;

    let settings = match durable {
        true => SETTINGS.to_owned(),
        false => format!("{SETTINGS}fsync = off\nfull_page_writes = off\n"),
    };
    write(&unfinished.join("postgresql.conf"), &settings)?;
    write(&unfinished.join("pg_hba.conf"), RULES)?;

    let mut single = account.command(postgres.program("postgres"));
    single.args(["--single", "-D"]).arg(&unfinished);
    // A statement that fails is not logged: it may have the password in it.
    single.args([
        "-c",
        "exit_on_error=on",
        "-c",
        "log_min_error_statement=panic",
    ]);
    single.args(["-c", "fsync=off", "postgres"]);
    step(
        "making the roles",
        &mut single,
        &ROLES.replace("{password}", &literal(password)),
    )?;
    std::fs::rename(&unfinished, &data).context(|| format!("making {}", data.display()))
}

/// Runs one step to its end, with `input` as its standard input.
fn run(
    step: &'static str,
    command: &mut Command,
    input: &str,
    log: &Path,
    signals: &Signals,
) -> Result<(), LocalError> {
    let open = || std::fs::OpenOptions::new().append(true).open(log);
    let output = open().context(|| format!("opening {}", log.display()))?;
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(output);
    signals.restore_in(command, Signal::SIGKILL, true);
    let mut child = command.spawn().context(|| format!("starting {step}"))?;
    if let Some(mut stdin) = child.stdin.take() {
        // One that ends early closes it; how it ended says more than that does.
        let _ = stdin.write_all(input.as_bytes());
    }
    let status = loop {
        if let Some(status) = child.try_wait().context(|| format!("waiting for {step}"))? {
            break status;
        }
        if let Wake::Stop { signal, .. } = signals.wait(None)? {
            // Its session is its process group, so its own children go with it.
            let group = i32::try_from(child.id()).unwrap_or(i32::MAX);
            let _ = kill(Pid::from_raw(-group), Signal::SIGKILL);
            let _ = child.wait();
            return Err(LocalError::Interrupted(signal as i32));
        }
    };
    if status.success() {
        return Ok(());
    }
    Err(LocalError::Setup {
        step,
        status: status.to_string(),
        tail: LogTail::of(log),
    })
}

/// Overwrites a file that initdb has made, and so leaves it with its owner.
fn write(path: &Path, content: &str) -> Result<(), LocalError> {
    std::fs::write(path, content).context(|| format!("writing {}", path.display()))
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
