//! Runs a proxy from its start to its last session.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Builder;
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

use crate::clients::Clients;
use crate::health::{Endpoint, Health, State};
use crate::limits::{Limits, Rate};
use crate::listener::{Listen, Listener};
use crate::log::{Level, Log};
use crate::metrics::Metrics;
use crate::server::Server;
use crate::session::{self, Shared};
use crate::signals::Stop;
use crate::{Error, cancel, descriptors};

/// Clients beyond the limit that are told so, or cancel, at once. The others are hung up on.
const TOLD: usize = 100;

/// A proxy that can be started.
#[derive(Debug)]
pub struct Proxy {
    /// Where logins go, and as whom.
    pub server: Server,
    /// Where clients connect.
    pub listen: Vec<Listen>,
    /// What clients must prove.
    pub clients: Clients,
    /// How much it does at once, and for how long.
    pub limits: Limits,
    /// Where it tells how it is, if anywhere.
    pub health: Option<Health>,
    /// What counts.
    pub metrics: Metrics,
    /// Where events are written.
    pub log: Log,
}

impl Proxy {
    /// Serves clients until SIGTERM or SIGINT. Then it stops listening, waits for the sessions up to
    /// [`Limits::drain`], or up to a second signal, and closes those that are left. `health` answers up
    /// to the end.
    ///
    /// # Errors
    /// [`Error::Usage`] if it may not listen where it should, and [`Error::Other`] if it cannot.
    pub fn serve(self) -> Result<(), Error> {
        let log = self.log.clone();
        let runtime = Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| failed("start", &error))?;
        let served = runtime.block_on(self.run());
        // Closes all connections. A look-up of a name that hangs in the C library is not waited for.
        runtime.shutdown_background();
        log.flush();
        served
    }

    async fn run(self) -> Result<(), Error> {
        let mut stop = Stop::new().map_err(|error| failed("wait for signals", &error))?;
        let listeners: Result<Vec<_>, _> = self
            .listen
            .iter()
            .map(|listen| Listener::open(listen, &self.clients))
            .collect();
        let listeners = listeners?;
        let endpoint = self.health.map(Endpoint::open).transpose()?;
        let Self { log, limits, .. } = self;
        let (all, drain) = (limits.max_connections, limits.drain);
        descriptors::allow(all, &log);
        let sessions = Arc::new(Semaphore::new(all as usize));
        let shared = Arc::new(Shared {
            rate: Rate::new(limits.max_logins_per_second),
            keys: Arc::new(cancel::Keys::default()),
            log: log.clone(),
            metrics: self.metrics,
            state: State::default(),
            server: self.server,
            clients: self.clients,
            limits,
        });
        let mut accepting = Vec::new();
        for listener in listeners {
            let values = [
                ("address", listener.name().into()),
                ("server", shared.server.shown().into()),
                ("users", shared.server.users().into()),
            ];
            log.line(Level::Info, "listening", &values);
            accepting.push(accept(listener, shared.clone(), sessions.clone()));
        }
        if let Some(endpoint) = endpoint {
            let values = [("address", endpoint.address().to_string().into())];
            log.line(Level::Info, "health", &values);
            tokio::spawn(endpoint.serve(shared.clone()));
        }
        stop.wait().await;
        shared.state.stop();
        for task in accepting {
            task.abort();
            let _ = task.await;
        }
        let open = all as usize - sessions.available_permits();
        log.line(Level::Info, "stopping", &[("sessions", open.into())]);
        let drained = async {
            let ended = sessions.acquire_many(all);
            let mut both = (std::pin::pin!(ended), std::pin::pin!(stop.wait()));
            std::future::poll_fn(|cx| {
                let ended = both.0.as_mut().poll(cx).is_ready();
                match ended || both.1.as_mut().poll(cx).is_ready() {
                    true => std::task::Poll::Ready(()),
                    false => std::task::Poll::Pending,
                }
            })
            .await;
        };
        let _ = timeout(drain, drained).await;
        let left = all as usize - sessions.available_permits();
        log.line(Level::Info, "stopped", &[("closed_sessions", left.into())]);
        Ok(())
    }
}

fn failed(what: &str, error: &io::Error) -> Error {
    Error::Other(format!("the proxy cannot {what}: {error}"))
}

fn accept(listener: Listener, shared: Arc<Shared>, sessions: Arc<Semaphore>) -> JoinHandle<()> {
    let told = Arc::new(Semaphore::new(TOLD));
    tokio::spawn(async move {
        loop {
            let client = match listener.accept().await {
                Ok(Some(client)) => client,
                Ok(None) => {
                    let values = [("message", "the client is another user".into())];
                    shared.log.line(Level::Warning, "refused", &values);
                    continue;
                }
                Err(error) => {
                    let values = [("message", error.to_string().into())];
                    shared.log.line(Level::Warning, "accept", &values);
                    // The usual reason is that no file descriptor is free.
                    sleep(Duration::from_millis(100)).await;
                    continue;
                }
            };
            let shared = shared.clone();
            let (permit, is_full) = match sessions.clone().try_acquire_owned() {
                Ok(permit) => (permit, false),
                Err(_) => match told.clone().try_acquire_owned() {
                    Ok(permit) => (permit, true),
                    Err(_) => continue,
                },
            };
            tokio::spawn(async move {
                session::serve(&shared, client, is_full).await;
                drop(permit);
            });
        }
    })
}
