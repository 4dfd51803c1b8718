//! Runs the files of `--init` as postgres, in the database of PGDATABASE, with psql.
//!
//! psql names the file and the line of an error, and it reads what pg_dump writes. It runs as the
//! user of this process, who can read the files.

use std::path::PathBuf;
use std::process::Command;

use super::find::Postgres;
use super::server::CHECK_INTERVAL;
use crate::environment::Environment;
use crate::error::{Context, LocalError};
use crate::folder::{Folder, trust};
use crate::login::variables::INIT_SETTING;
use crate::process::run_as::RunAs;
use crate::process::setup_step;
use crate::process::signals::Signals;

/// Checks that every file can be read, before the server is started. A pipe is not opened: whoever writes to
/// it would lose what this process does not read.
pub(crate) fn check(files: &[PathBuf]) -> Result<(), LocalError> {
    for file in files {
        let reading = || format!("--init: reading {}", file.display());
        if std::fs::metadata(file).context(reading)?.is_file() {
            std::fs::File::open(file).context(reading)?;
        }
        trust::check_named_file(file, &RunAs::this())?;
    }
    Ok(())
}

const LOG: &str = "init.log";
/// What the server says if `postgres` is in rds_iam.
const NEEDS_TOKEN: &str = "PAM authentication failed for user \"postgres\"";

/// Runs `files` in order, and stops at the first error.
pub(crate) fn run(
    files: &[PathBuf],
    postgres: &Postgres,
    environment: &Environment,
    password: &str,
    folder: &Folder,
    signals: &Signals,
    mut check_server: impl FnMut() -> Result<(), LocalError>,
) -> Result<(), LocalError> {
    if files.is_empty() {
        return Ok(());
    }
    folder.write(LOG, 0o600, b"")?;
    for file in files {
        let installed = postgres.program("psql");
        let psql = match installed.is_file() {
            true => installed,
            false => PathBuf::from("psql"), // some packages have the server without it
        };
        let mut command = Command::new(psql);
        environment.apply(&mut command);
        command
            .env("PGUSER", "postgres")
            .env("PGPASSWORD", password)
            .env("PGOPTIONS", options());
        command.args(["--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", "--file"]);
        command.arg(file);
        let log = folder.append(LOG)?;
        let check = &mut check_server;
        setup_step::run(
            "psql",
            &mut command,
            "",
            log,
            signals,
            CHECK_INTERVAL,
            check,
        )
        .map_err(|error| match error {
            LocalError::Setup { tail, .. } if tail.says(NEEDS_TOKEN) => LocalError::InitNeedsToken,
            LocalError::Setup { tail, .. } => LocalError::Init(tail),
            other => other,
        })?;
    }
    Ok(())
}

/// Returns the user's own options and the setting that marks a session of `--init`.
fn options() -> String {
    let own = std::env::var("PGOPTIONS").unwrap_or_default();
    format!("{own} -c {}=on", INIT_SETTING.to_string_lossy())
}
