//! Starts RDS on this machine.

use std::ffi::OsStr;
use std::io;
use std::path::Path;
use std::process::ExitCode;

use rdsign_local::LocalError;

use super::LocalArgs;
use crate::failure::{self, Failure};

/// ENOENT, which the system returns when it cannot find a program.
const NO_SUCH_FILE: i32 = 2;

/// Returns an error if no folder of PATH has this program, or if its path does not exist. Whether it
/// can be started shows when it is.
fn find(program: &OsStr) -> Result<(), LocalError> {
    let folders = std::env::var_os("PATH").unwrap_or_else(|| "/bin:/usr/bin".into());
    let is_found = match program.as_encoded_bytes().contains(&b'/') {
        true => Path::new(program).exists(),
        false => std::env::split_paths(&folders).any(|folder| folder.join(program).is_file()),
    };
    match is_found {
        true => Ok(()),
        false => Err(LocalError::Command {
            command: program.into(),
            source: io::Error::from_raw_os_error(NO_SUCH_FILE),
        }),
    }
}

pub(crate) fn run(args: LocalArgs) -> Result<ExitCode, Failure> {
    let options = rdsign_local::Options {
        port: args.port,
        config: args.config,
        data: args.data,
        endpoints: args.endpoint,
        postgres: args.postgres,
        version: args.postgres_version,
        init: args.init,
    };
    if args.json {
        return Ok(status(rdsign_local::serve(&options)));
    }
    let command = Some(args.command).filter(|command| !command.is_empty());
    // Setting up the server takes seconds, and a command that does not exist can be known before.
    let found = match &command {
        Some(words) => find(&words[0]),
        None => Ok(()),
    };
    Ok(status(
        found.and_then(|()| rdsign_local::run(&options, command)),
    ))
}

fn status(ended: Result<ExitCode, LocalError>) -> ExitCode {
    ended.unwrap_or_else(|error| {
        failure::complain(&error.to_string());
        ExitCode::from(error.exit_code())
    })
}
