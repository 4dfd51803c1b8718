//! Runs a server: sets it up, waits until a command ends or an interrupt arrives, stops it and
//! removes its files. [`run`] says what the caller must take care of.

use std::ffi::OsString;
use std::io::{self, ErrorKind, Write};
use std::path::PathBuf;
use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

use serde_json::json;

use crate::control::{Abandoned, Control, Output, remove_socket};
use crate::environment;
use crate::error::{Context, LocalError};
use crate::postgres::server::{CHECK_INTERVAL, Server};
use crate::process::command;
use crate::process::signals::{Signals, Wake};
use crate::setup::Local;

/// How to set up the server. The default is a temporary server on a free port.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// The port on 127.0.0.1 to listen on. `None` or 0 means a free one.
    pub port: Option<u16>,
    /// The configuration file. If the server cannot read it, a copy is used. `None` means the one
    /// in [`data`](Self::data), or else a new one with its own access keys.
    pub config: Option<PathBuf>,
    /// A folder that is kept after the stop and can be used again. `None` means a temporary one.
    pub data: Option<PathBuf>,
    /// Endpoints that tokens are signed for, as `host` or `host:port`. They replace the default
    /// endpoint of a new configuration, and come before those of an existing one.
    pub endpoints: Vec<String>,
    /// The folder of PostgreSQL's programs, or the folder above it. `None` means the newest version in
    /// the usual places.
    pub postgres: Option<PathBuf>,
    /// The major version of PostgreSQL, 14 to 18. `None` means the newest that is found.
    pub version: Option<u32>,
    /// Files of SQL to run at every start, in order, as `postgres`, in the database of PGDATABASE.
    pub init: Vec<PathBuf>,
}

/// Sets the server up and runs it until `command` ends or, without a command, until SIGINT, SIGTERM
/// or SIGHUP. Returns the command's exit status: 128 plus the signal's number if one ended it.
///
/// Must be called from the process's only thread, and that thread must live as long as the process:
/// this function takes over the process's signals, and both the server and `command` are told to
/// stop when the thread ends.
///
/// # Errors
/// [`LocalError`]. By then the server has been stopped and its temporary folder removed.
pub fn run(options: &Options, command: Option<Vec<OsString>>) -> Result<ExitCode, LocalError> {
    let started = Instant::now();
    let signals = Signals::take()?;
    let mut local = Local::set_up(options, &signals)?;
    let mut notice = local.heading(started.elapsed());
    let outcome = match command.as_deref() {
        Some([program, arguments @ ..]) => {
            // Not eprintln, which panics if standard error is closed.
            let _ = writeln!(io::stderr(), "{notice}");
            let mut command = Command::new(program);
            command.args(arguments);
            local.environment().apply(&mut command);
            let check = || local.server.check();
            command::run(command, &signals, CHECK_INTERVAL, check)
        }
        _ => {
            notice = environment::commented(&notice);
            notice.push_str(&local.how_to_connect());
            match print(&notice) {
                // The server is useful even if nobody reads this.
                Err(error) if error.kind() != ErrorKind::BrokenPipe => {
                    Err(error).context(|| "cannot write the output".to_owned())
                }
                _ => run_until_stopped(&mut local.server, &signals),
            }
        }
    };
    local.server.stop(&signals);
    let removed = local.folder.remove();
    let code = outcome?;
    removed.map(|()| code)
}

/// Sets the server up for a program that controls it, as described in `docs/testing.md`: writes JSON lines to
/// standard output and reads requests from standard input, whose end stops the server, as do the signals of
/// [`run`]. Returns success if it was told to stop.
///
/// Must be called as [`run`].
///
/// # Errors
/// [`LocalError`], as of [`run`]. Standard output then says it too.
pub fn serve(options: &Options) -> Result<ExitCode, LocalError> {
    let signals = Signals::take()?;
    let set_up = Local::set_up(options, &signals);
    let output = Output::start(io::stdout()).context(|| "starting the output".to_owned())?;
    let mut is_ready = false;
    let ended = set_up.and_then(|local| watch(local, &signals, &output, &mut is_ready));
    output.answer(&match &ended {
        Ok(()) => json!({"event": "stopped", "status": 0}),
        Err(error) if is_ready => {
            json!({"event": "stopped", "status": error.exit_code(), "message": error.to_string()})
        }
        Err(error) => {
            let kind = match error.needs_postgres() {
                true => "no-postgres",
                false => "other",
            };
            let (status, message) = (error.exit_code(), error.to_string());
            json!({"event": "failed", "kind": kind, "message": message, "status": status})
        }
    });
    output.finish();
    ended.map(|()| ExitCode::SUCCESS)
}

/// How often the log is read for logins.
const TELL_INTERVAL: Duration = Duration::from_millis(50);

fn watch(
    mut local: Local,
    signals: &Signals,
    output: &Output,
    is_ready: &mut bool,
) -> Result<(), LocalError> {
    let started = Control::start(&local, output);
    let mut abandoned = Abandoned::new();
    *is_ready = started.is_ok();
    let outcome = match &started {
        Ok(control) => loop {
            control.tell(output, || local.server.bound_log());
            if let Err(error) = local.server.check_process() {
                break Err(error);
            }
            control.see_running();
            if control.is_stopping() || abandoned.check(control) {
                break Ok(());
            }
            match signals.wait(Some(TELL_INTERVAL)) {
                Ok(Wake::Stop { .. }) => break Ok(()),
                Ok(_) => {}
                Err(error) => break Err(error),
            }
        },
        Err(_) => Ok(()),
    };
    if let Ok(control) = &started {
        match &outcome {
            Ok(()) => control.stop(),
            Err(_) => control.end(),
        }
    }
    local.server.stop(signals);
    if let Ok(control) = &started {
        control.tell(output, || false);
    }
    remove_socket(&local.folder);
    let removed = local.folder.remove();
    started?;
    outcome?;
    removed
}

fn print(notice: &str) -> io::Result<()> {
    let mut stdout = io::stdout();
    writeln!(stdout, "{notice}")?;
    stdout.flush()
}

fn run_until_stopped(server: &mut Server, signals: &Signals) -> Result<ExitCode, LocalError> {
    loop {
        server.check()?;
        if let Wake::Stop { .. } = signals.wait(Some(CHECK_INTERVAL))? {
            return Ok(ExitCode::SUCCESS);
        }
    }
}
