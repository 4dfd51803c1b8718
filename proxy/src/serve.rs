//! Runs a proxy from its start to its last session.

use std::future::poll_fn;
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;

use tokio::runtime::{Builder, Runtime};
use tokio::task::{JoinSet, spawn_blocking};
use tokio::time::timeout;

use crate::clients::Clients;
use crate::health::Health;
use crate::limits::Limits;
use crate::listener::Listen;
use crate::log::{Level, Log};
use crate::metrics::Metrics;
use crate::running::Running;
use crate::server::Server;
use crate::signals::{Signal, Signals};
use crate::{Error, manager};

/// Where clients connect, and where their logins go.
#[derive(Debug)]
pub struct Endpoint {
    /// What the log and the metrics call it, if anything: letters, digits, `-` and `_`.
    pub name: Option<String>,
    /// Where logins go, and as whom.
    pub server: Server,
    /// Where clients connect.
    pub listen: Vec<Listen>,
    /// What clients must prove.
    pub clients: Clients,
    /// The IDs of the other users of this machine that may use a Unix socket.
    pub allowed_users: Vec<u32>,
}

/// What a proxy does.
#[derive(Debug)]
pub struct Config {
    /// At least one.
    pub endpoints: Vec<Endpoint>,
    /// How much it does at once, and for how long.
    pub limits: Limits,
    /// Where it tells how it is, if anywhere.
    pub health: Option<Health>,
}

/// Reads the configuration again. Returns what is wrong with it otherwise.
pub type Reload = Arc<dyn Fn() -> Result<Config, String> + Send + Sync>;

/// A proxy that can be started.
pub struct Proxy {
    /// What it does until SIGHUP.
    pub config: Config,
    /// Returns what it does from then on. Without it, SIGHUP ends the process, as a terminal that is
    /// closed wants.
    pub reload: Option<Reload>,
    /// What counts.
    pub metrics: Metrics,
    /// Where events are written.
    pub log: Log,
}

/// How the login of [`Proxy::check`] went.
#[derive(Debug)]
pub struct Checked {
    /// The name of the endpoint, if it has one.
    pub name: Option<String>,
    /// The dialed address.
    pub server: String,
    /// The user that logged in.
    pub user: String,
    /// Why the login failed: the message, and doctor's ID.
    pub outcome: Result<(), (String, Option<&'static str>)>,
}

impl Proxy {
    /// Serves clients until SIGTERM or SIGINT. Then it stops listening, waits for the sessions up to
    /// [`Limits::drain`], or up to a second signal, and closes those that are left. `health` answers up
    /// to the end. SIGHUP reads the configuration again; open sessions go on as they are.
    ///
    /// # Errors
    /// [`Error::Usage`] if it may not listen where it should, and [`Error::Other`] if it cannot.
    pub fn serve(self) -> Result<(), Error> {
        let log = self.log.clone();
        let runtime = runtime()?;
        let served = runtime.block_on(self.run());
        // Closes all connections. A look-up of a name that hangs in the C library is not waited for.
        runtime.shutdown_background();
        log.flush();
        served
    }

    /// Logs in once to each endpoint, as its first user. Listens nowhere.
    ///
    /// # Errors
    /// [`Error::Other`] if it cannot begin.
    pub fn check(self, database: &str) -> Result<Vec<Checked>, Error> {
        let runtime = runtime()?;
        let checked = runtime.block_on(async {
            let running = Running::new(self.log, self.metrics);
            let mut logins = JoinSet::new();
            let endpoints = running.shared(self.config);
            for (place, endpoint) in endpoints.into_iter().enumerate() {
                let database = database.to_owned();
                logins.spawn(async move {
                    let outcome = endpoint.log_in_itself(&database).await;
                    let checked = Checked {
                        name: endpoint.name.clone(),
                        server: endpoint.server.shown(),
                        user: endpoint.server.first().username().to_owned(),
                        outcome,
                    };
                    (place, checked)
                });
            }
            let mut all: Vec<_> = logins.join_all().await;
            all.sort_unstable_by_key(|(place, _)| *place);
            all.into_iter().map(|(_, checked)| checked).collect()
        });
        runtime.shutdown_background();
        Ok(checked)
    }

    async fn run(self) -> Result<(), Error> {
        let mut signals = Signals::new(self.reload.is_some())
            .map_err(|error| failed("wait for signals", &error))?;
        let log = self.log.clone();
        let listens = self.config.endpoints.iter().flat_map(|one| &one.listen);
        // Only now: systemd's sockets stay open while a new configuration leaves them out.
        Listen::check_inherited(&listens.collect::<Vec<_>>())?;
        let mut running = Running::new(self.log, self.metrics);
        running.apply(self.config).await?;
        manager::ready();
        while let (Signal::Reload, Some(reload)) = (signals.wait().await, self.reload.clone()) {
            manager::reloading();
            // A file may never end, as that of a pipe.
            let config = first(spawn_blocking(move || reload()), signals.stop());
            let Some(config) = config.await else {
                break;
            };
            let applied = match config {
                Err(_) => Err("reading it panicked".to_owned()),
                Ok(Err(problem)) => Err(problem),
                Ok(Ok(config)) => {
                    let applied = running.apply(config).await;
                    applied.map_err(|error| error.to_string())
                }
            };
            match applied {
                Ok(()) => log.line(Level::Info, "reloaded", &[]),
                Err(problem) => {
                    let message = format!("the old configuration stays: {problem}");
                    log.line(
                        Level::Warning,
                        "not-reloaded",
                        &[("message", message.into())],
                    );
                }
            }
            manager::ready();
        }
        manager::stopping();
        let drain = running.stop().await;
        let sessions = running.sessions();
        log.line(
            Level::Info,
            "stopping",
            &[("sessions", sessions.open().into())],
        );
        let _ = timeout(drain, first(sessions.ended(), signals.stop())).await;
        let left = sessions.open();
        log.line(Level::Info, "stopped", &[("closed_sessions", left.into())]);
        Ok(())
    }
}

/// Returns what a future returns, or `None` if `stop` ends before.
async fn first<T>(future: impl Future<Output = T>, stop: impl Future<Output = ()>) -> Option<T> {
    let (mut future, mut stop) = (pin!(future), pin!(stop));
    poll_fn(|cx| match future.as_mut().poll(cx) {
        Poll::Ready(value) => Poll::Ready(Some(value)),
        Poll::Pending => stop.as_mut().poll(cx).map(|()| None),
    })
    .await
}

fn runtime() -> Result<Runtime, Error> {
    let runtime = Builder::new_current_thread().enable_all().build();
    runtime.map_err(|error| failed("start", &error))
}

fn failed(what: &str, error: &io::Error) -> Error {
    Error::Other(format!("the proxy cannot {what}: {error}"))
}
