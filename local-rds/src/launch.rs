//! The life of a server: set up, run beside a command or until interrupted, stop, clear away.

use std::ffi::OsString;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, ExitCode};
use std::time::Instant;

use crate::beside;
use crate::error::LocalError;
use crate::server::Server;
use crate::setup::Local;
use crate::signals::{Signals, Wake};

/// How the server is set up. The default is a temporary one on a free port.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// The port on 127.0.0.1 to listen on. `None` or 0: a free one.
    pub port: Option<u16>,
    /// The configuration file, which is used in place where the server can read it. `None`: the
    /// one in [`data`](Self::data), or a new one with access keys of its own.
    pub config: Option<PathBuf>,
    /// A folder that is kept after the stop and used again by the next start. `None`: a temporary
    /// one.
    pub data: Option<PathBuf>,
    /// Endpoints that tokens are signed for, as `host` or `host:port`. A new configuration has
    /// these in place of its own; to one that is there already they are added, in front.
    pub endpoints: Vec<String>,
}

/// Sets the server up and runs it until `command` ends, whose exit status is returned (128 and
/// the signal's number if one ended it), or without a command until SIGINT, SIGTERM or SIGHUP.
///
/// To be called by the process's only thread, which is also the one that lives as long as the
/// process: it takes over the process's signals, and both the server and `command` are told to
/// stop when the thread ends.
///
/// # Errors
/// [`LocalError`]; by then the server has been stopped and its temporary folder removed.
pub fn run(options: Options, command: Option<Vec<OsString>>) -> Result<ExitCode, LocalError> {
    let started = Instant::now();
    let signals = Signals::take()?;
    let mut local = Local::set_up(&options, &signals)?;
    let mut notice = local.heading(started.elapsed());
    let outcome = match command.as_deref() {
        Some([program, arguments @ ..]) => {
            // Not eprintln, which panics where nobody reads any more.
            let _ = writeln!(std::io::stderr(), "{notice}");
            let mut command = Command::new(program);
            command.args(arguments);
            local.environment().apply(&mut command);
            beside::run(command, &mut local.server, &signals)
        }
        _ => {
            notice.push_str(&local.how_to_connect());
            let mut stdout = std::io::stdout();
            // Whoever does not read it may still use the server.
            let _ = writeln!(stdout, "{notice}").and_then(|()| stdout.flush());
            run_until_stopped(&mut local.server, &signals)
        }
    };
    local.server.stop(&signals);
    let removed = local.folder.remove();
    let code = outcome?;
    removed.map(|()| code)
}

fn run_until_stopped(server: &mut Server, signals: &Signals) -> Result<ExitCode, LocalError> {
    loop {
        server.check()?;
        if let Wake::Stop { .. } = signals.wait(None)? {
            return Ok(ExitCode::SUCCESS);
        }
    }
}
