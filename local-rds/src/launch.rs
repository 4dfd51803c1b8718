//! The life of a server from nothing to nothing: set up, run beside a command or until
//! interrupted, stop, clear away.

use std::ffi::OsString;
use std::fmt::Write as _;
use std::io::Write as _;
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{Child, Command, ExitCode, ExitStatus};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::account::Account;
use crate::cluster::DATA;
use crate::config::{self, Config};
use crate::environment::{Environment, quoted};
use crate::error::{Context, LocalError};
use crate::folder::Folder;
use crate::postgres::Postgres;
use crate::server::{LOG, Server, Start, free_port};
use crate::signals::{Signals, Wake};
use crate::{abandoned, certificate, cluster, default_config, folder, library};

/// How long a command that was told to stop has for it.
const COMMAND_STOPS: Duration = Duration::from_secs(5);
/// How often another free port is looked for, when someone took the one just found.
const PORTS_TRIED: u32 = 5;

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
    let outcome = match command.as_deref() {
        Some([program, arguments @ ..]) => {
            // Not eprintln, which panics where nobody reads any more.
            let _ = writeln!(std::io::stderr(), "{}", local.heading(started.elapsed()));
            local.run_beside(program, arguments, &signals)
        }
        _ => {
            let mut notice = local.heading(started.elapsed());
            notice.push_str(&local.how_to_connect());
            let mut stdout = std::io::stdout();
            // Whoever does not read it may still use the server.
            let _ = writeln!(stdout, "{notice}").and_then(|()| stdout.flush());
            local.run_until_stopped(&signals)
        }
    };
    local.server.stop(&signals);
    let removed = local.folder.remove();
    let code = outcome?;
    removed.map(|()| code)
}

/// A server that is ready, and what belongs to it. Dropped in this order.
struct Local {
    server: Server,
    folder: Folder,
    postgres: Postgres,
    config: Config,
    config_path: PathBuf,
    remark: Option<String>,
}

impl Local {
    fn set_up(options: &Options, signals: &Signals) -> Result<Self, LocalError> {
        for endpoint in &options.endpoints {
            config::endpoint(endpoint, 5432).map_err(LocalError::Endpoint)?;
        }
        library::find()?;
        let data = options.data.as_ref().map(|folder| folder.join(DATA));
        let postgres = Postgres::find(data.as_deref())?;
        let account = Account::choose(data.as_deref())?;
        let port = free_port(options.port)?;
        for parent in folder::temporary_parents() {
            abandoned::remove(&parent, &account);
        }
        let folder = match &options.data {
            Some(path) => Folder::kept(path, &account)?,
            None => Folder::temporary(&account)?,
        };
        let Configuration {
            path,
            added,
            remark,
        } = configuration(options, &folder, &account)?;
        let config = Config::read(&path, port, &added)?;
        let certificates = certificate::make(&config.server.endpoints)?;
        folder.write("ca.pem", 0o644, certificates.authority.as_bytes(), &account)?;
        folder.write(
            "server.pem",
            0o644,
            certificates.server.as_bytes(),
            &account,
        )?;
        folder.write(
            "server.key",
            0o600,
            certificates.server_key.as_bytes(),
            &account,
        )?;
        library::install(&folder, &account)?;
        let stopping = || format!("stopping the PostgreSQL in {}", folder.path(DATA).display());
        abandoned::stop_server_in(&folder.path(DATA)).context(stopping)?;
        let (password, durable) = (&config.postgres_password, options.data.is_some());
        cluster::make(&folder, &account, &postgres, password, durable, signals)?;
        folder.write(LOG, 0o644, b"", &account)?;
        let start = Start {
            folder: &folder,
            account: &account,
            postgres: &postgres,
            config: &path,
            endpoints: &added,
            signals,
        };
        let server = start_on_a_free_port(&start, options.port, port)?;
        Ok(Self {
            // The port may be another than the one looked for first.
            config: Config::read(&path, server.port(), &added)?,
            server,
            folder,
            postgres,
            config_path: path,
            remark,
        })
    }

    fn environment(&self) -> Environment {
        Environment::new(
            &self.config,
            &self.config_path,
            self.server.port(),
            &self.folder.path("ca.pem"),
            &self.folder.path(LOG),
        )
    }

    fn heading(&self, took: Duration) -> String {
        let mut text = format!(
            "rdsign local: PostgreSQL {} on 127.0.0.1:{}, ready in {:.1} s",
            self.postgres.version(),
            self.server.port(),
            took.as_secs_f64(),
        );
        let log = self.folder.path(LOG);
        let _ = write!(
            text,
            "\nrdsign local: why a login was refused: {}",
            log.display()
        );
        if let Some(remark) = &self.remark {
            let _ = write!(text, "\nrdsign local: {remark}");
        }
        text
    }

    fn how_to_connect(&self) -> String {
        format!(
            "\n\n{}\n\
             Log in with a token:      PGPASSWORD=\"$(rdsign token)\" psql\n\
             Log in with a password:   PGUSER=postgres PGPASSWORD={} psql\n\
             Access keys and policies: {} (read at every login: edit it and try again)\n\
             Stop:                     Ctrl-C",
            self.environment().exports(),
            quoted(&self.config.postgres_password),
            quoted(&self.config_path.to_string_lossy()),
        )
    }

    fn run_until_stopped(&mut self, signals: &Signals) -> Result<ExitCode, LocalError> {
        loop {
            self.server.check()?;
            if let Wake::Stop { .. } = signals.wait(None)? {
                return Ok(ExitCode::SUCCESS);
            }
        }
    }

    fn run_beside(
        &mut self,
        program: &OsString,
        arguments: &[OsString],
        signals: &Signals,
    ) -> Result<ExitCode, LocalError> {
        let mut command = Command::new(program);
        command.args(arguments);
        self.environment().apply(&mut command);
        signals.restore_in(&mut command, Signal::SIGTERM, false);
        let mut child = command.spawn().map_err(|source| LocalError::Command {
            command: PathBuf::from(program),
            source,
        })?;
        let mut limit = None;
        loop {
            if let Some(status) = child
                .try_wait()
                .context(|| "waiting for the command".to_owned())?
            {
                return Ok(exit_code(status));
            }
            if let Err(error) = self.server.check() {
                stop_command(&mut child, signals);
                return Err(error);
            }
            match signals.wait(limit)? {
                Wake::Stop {
                    signal,
                    from_terminal,
                } => {
                    if !from_terminal {
                        send(&child, signal);
                    }
                    // A command may go on after SIGINT, as psql does: it stops a query with it.
                    if signal != Signal::SIGINT {
                        limit = Some(COMMAND_STOPS);
                    }
                }
                Wake::Timeout => send(&child, Signal::SIGKILL),
                Wake::Child => {}
            }
        }
    }
}

/// Which configuration the server has.
struct Configuration {
    path: PathBuf,
    /// Endpoints that are not in the file.
    added: Vec<String>,
    remark: Option<String>,
}

fn configuration(
    options: &Options,
    folder: &Folder,
    account: &Account,
) -> Result<Configuration, LocalError> {
    let own = folder.path("config.toml");
    let added = options.endpoints.clone();
    let mut remark = None;
    let path = match &options.config {
        Some(given) => {
            let given =
                std::path::absolute(given).context(|| format!("finding {}", given.display()))?;
            // Said first, since what cannot be read by anyone is no case for a copy.
            let content =
                std::fs::read(&given).context(|| format!("reading {}", given.display()))?;
            if account.can("-r", &given) {
                given
            } else {
                let copy = folder.write("config-copy.toml", 0o644, &content, account)?;
                remark = Some(format!(
                    "{} cannot be read by the user {}, whom PostgreSQL runs as; a copy is used, so \
                     edit that one: {}",
                    given.display(),
                    account.name(),
                    copy.display(),
                ));
                copy
            }
        }
        None if own.exists() => own,
        None => {
            let text = default_config::text(&options.endpoints)?;
            let path = folder.write("config.toml", 0o644, text.as_bytes(), account)?;
            return Ok(Configuration {
                path,
                added: Vec::new(),
                remark,
            });
        }
    };
    Ok(Configuration {
        path,
        added,
        remark,
    })
}

fn start_on_a_free_port(
    start: &Start<'_>,
    wanted: Option<u16>,
    first: u16,
) -> Result<Server, LocalError> {
    let mut port = first;
    for _ in 1..PORTS_TRIED {
        match start.start(port) {
            Err(LocalError::Port(..)) if wanted.is_none_or(|port| port == 0) => {
                port = free_port(None)?;
            }
            other => return other,
        }
    }
    start.start(port)
}

fn send(child: &Child, signal: Signal) {
    if let Ok(id) = i32::try_from(child.id()) {
        let _ = kill(Pid::from_raw(id), signal);
    }
}

/// For a command whose server is gone.
fn stop_command(child: &mut Child, signals: &Signals) {
    send(child, Signal::SIGTERM);
    let start = Instant::now();
    while matches!(child.try_wait(), Ok(None)) {
        let Some(left) = COMMAND_STOPS.checked_sub(start.elapsed()) else {
            send(child, Signal::SIGKILL);
            let _ = child.wait();
            return;
        };
        let _ = signals.wait(Some(left));
    }
}

/// As shells have it: 128 and the number of the signal that ended the process.
fn exit_code(status: ExitStatus) -> ExitCode {
    let number = status
        .code()
        .or_else(|| status.signal().map(|signal| 128 + signal));
    ExitCode::from(
        number
            .and_then(|number| u8::try_from(number).ok())
            .unwrap_or(1),
    )
}
