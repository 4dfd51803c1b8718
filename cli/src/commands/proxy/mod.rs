//! `rdsign proxy`: a local endpoint for programs that cannot ask for a token. `flags` has the settings,
//! `file` reads those of `--config`, and `config` turns both into the options of the library
//! `rdsign-proxy`, which does everything else.

mod config;
mod file;
mod flags;
mod password;

use std::io::{Write, sink, stderr, stdout};
use std::process::ExitCode;
use std::sync::Arc;

use rdsign_proxy::{Format, Log, Metrics, Proxy, Reload};

use crate::failure::Failure;
use config::Read;
use flags::{Action, LogFormat, Settings};

pub(crate) use flags::ProxyArgs;

pub(crate) fn run(args: ProxyArgs) -> Result<ExitCode, Failure> {
    match args.action {
        Some(Action::Check(settings)) => check(*settings),
        Some(Action::Password(args)) => password::run(&args),
        None => serve(args.settings),
    }
}

fn serve(settings: Settings) -> Result<ExitCode, Failure> {
    let read = Read::new(&settings)?;
    let format = read.process.log_format;
    let log = start(format, stderr())?;
    let metrics = Metrics::default();
    let proxy = Proxy {
        config: read.config(&log, &metrics)?,
        reload: settings.config.is_some().then(|| {
            let (log, metrics) = (log.clone(), metrics.clone());
            let reload: Reload = Arc::new(move || {
                let read = Read::new(&settings)?;
                if read.process.log_format != format {
                    let problem = "log_format: changed; accepted: a restart".to_owned();
                    return Err(read.locate(Failure::Usage(problem)).into());
                }
                Ok(read.config(&log, &metrics)?)
            });
            reload
        }),
        metrics,
        log,
    };
    proxy.serve().map_err(failure)?;
    Ok(ExitCode::SUCCESS)
}

fn check(settings: Settings) -> Result<ExitCode, Failure> {
    let read = Read::new(&settings)?;
    // The output says all of it.
    let log = start(read.process.log_format, sink())?;
    let metrics = Metrics::default();
    let proxy = Proxy {
        config: read.config(&log, &metrics)?,
        reload: None,
        metrics,
        log,
    };
    let mut status = ExitCode::SUCCESS;
    for checked in proxy
        .check(&read.process.health_database)
        .map_err(failure)?
    {
        let name = checked
            .name
            .map(|name| format!("{name}: "))
            .unwrap_or_default();
        let (server, user) = (checked.server, checked.user);
        let line = match checked.outcome {
            Ok(()) => format!("{name}logged in to {server} as {user}"),
            Err((message, id)) => {
                status = ExitCode::FAILURE;
                let id = id.map(|id| format!(" ({id})")).unwrap_or_default();
                let message = in_one_line(&message);
                format!("{name}cannot log in to {server} as {user}: {message}{id}")
            }
        };
        writeln!(stdout(), "{}", rdsign::without_secrets(&line))?;
    }
    Ok(status)
}

/// Escapes the control characters of a server's message, as the log does.
fn in_one_line(message: &str) -> String {
    let escaped = |c: char| match c.is_control() {
        true => c.escape_debug().to_string(),
        false => c.to_string(),
    };
    message.chars().map(escaped).collect()
}

fn start(format: LogFormat, output: impl Write + Send + 'static) -> Result<Log, Failure> {
    let format = match format {
        LogFormat::Text => Format::Text,
        LogFormat::Json => Format::Json,
    };
    Log::start(format, output)
        .map_err(|error| Failure::Other(format!("the log cannot be started: {error}")))
}

fn failure(error: rdsign_proxy::Error) -> Failure {
    match error {
        rdsign_proxy::Error::Usage(problem) => Failure::Usage(problem),
        rdsign_proxy::Error::Other(problem) => Failure::Other(problem),
    }
}
