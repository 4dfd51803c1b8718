//! What a running proxy has open, and how a new configuration changes it. Listeners that stay are never
//! closed, so no client is refused meanwhile; open sessions keep what they began with.

use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::task::JoinHandle;
use tokio::time::sleep;

use crate::health::{self, Health, Watched};
use crate::limits::{Sessions, TOLD};
use crate::listener::{Listen, Listener};
use crate::log::{Level, Log};
use crate::metrics::Metrics;
use crate::rate::Rate;
use crate::serve::Config;
use crate::shared::Shared;
use crate::wire::{Refusal, State};
use crate::{Error, cancel, descriptors, locked, session};

/// The endpoint of the moment, for the next client of a listener.
type Current = Arc<Mutex<Arc<Shared>>>;

pub(crate) struct Running {
    log: Log,
    metrics: Metrics,
    sessions: Arc<Sessions>,
    /// Clients beyond the limit, which are told so, or cancel.
    told: Arc<Sessions>,
    keys: Arc<cancel::Keys>,
    open: Vec<Open>,
    watched: Arc<Watched>,
    health: Option<(Arc<Mutex<Health>>, JoinHandle<()>)>,
    drain: Duration,
}

struct Open {
    listen: Listen,
    name: String,
    current: Current,
    task: JoinHandle<()>,
}

impl Open {
    /// Whether an endpoint's listener is this one. A free port belongs to the endpoint's name.
    fn is(&self, listen: &Listen, name: &Option<String>) -> bool {
        let is_free_port = matches!(listen, Listen::Tcp(address) if address.port() == 0);
        self.listen == *listen && (!is_free_port || locked(&self.current).name == *name)
    }
}

impl Running {
    pub(crate) fn new(log: Log, metrics: Metrics) -> Self {
        Self {
            sessions: Arc::default(),
            told: Arc::default(),
            keys: Arc::default(),
            open: Vec::new(),
            watched: Arc::new(Watched::new(metrics.clone())),
            health: None,
            drain: Duration::ZERO,
            log,
            metrics,
        }
    }

    pub(crate) fn sessions(&self) -> Arc<Sessions> {
        self.sessions.clone()
    }

    /// Does what a configuration says from now on.
    ///
    /// # Errors
    /// Why it cannot. Then nothing has changed.
    pub(crate) async fn apply(&mut self, mut config: Config) -> Result<(), Error> {
        let mut new = Vec::new();
        for endpoint in &config.endpoints {
            let allowed = &endpoint.allowed_users;
            for listen in &endpoint.listen {
                if self.open.iter().any(|open| open.is(listen, &endpoint.name)) {
                    listen.check(allowed, &endpoint.clients)?;
                } else {
                    new.push(Listener::open(listen, allowed, &endpoint.clients)?);
                }
            }
        }
        let old = self
            .health
            .as_ref()
            .map(|(health, _)| locked(health).address);
        let health = match &config.health {
            Some(health) if old != Some(health.address) => {
                Some(health::Answers::open(health.clone())?)
            }
            _ => None,
        };
        for endpoint in &config.endpoints {
            for listen in &endpoint.listen {
                listen.fit(&endpoint.allowed_users)?;
            }
        }

        descriptors::allow(config.limits.max_connections, &self.log);
        self.drain = config.limits.drain;
        let listens: Vec<_> = config
            .endpoints
            .iter_mut()
            .map(|one| std::mem::take(&mut one.listen))
            .collect();
        let settings = config.health.clone();
        let endpoints = self.shared(config);
        let mut old = std::mem::take(&mut self.open);
        let mut new = new.into_iter();
        for (listens, shared) in listens.into_iter().zip(&endpoints) {
            for listen in listens {
                let stays = old.iter().position(|open| open.is(&listen, &shared.name));
                if let Some(place) = stays {
                    let open = old.swap_remove(place);
                    *locked(&open.current) = shared.clone();
                    self.open.push(open);
                } else if let Some(listener) = new.next() {
                    let places = (self.sessions.clone(), self.told.clone());
                    self.open
                        .push(start(listen, listener, shared.clone(), places));
                }
            }
        }
        for closed in old {
            end(closed.task).await;
            let mut values = vec![("address", closed.name.into())];
            let mut level = Level::Info;
            if Listen::inherited().is_ok_and(|all| all.contains(&closed.listen)) {
                let message = "the socket of systemd stays open: clients wait until an endpoint listens \
                               there again";
                values.push(("message", message.into()));
                level = Level::Warning;
            }
            let log = &locked(&closed.current).log;
            log.line(level, "not-listening", &values);
        }
        *locked(&self.watched.endpoints) = endpoints;
        self.watch(settings, health).await;
        Ok(())
    }

    /// Answers at a new address, or with new settings, or no more.
    async fn watch(&mut self, settings: Option<Health>, opened: Option<health::Answers>) {
        match (settings, opened) {
            (Some(settings), Some(opened)) => {
                let values = [("address", opened.address().to_string().into())];
                self.log.line(Level::Info, "health", &values);
                let settings = Arc::new(Mutex::new(settings));
                let task = tokio::spawn(opened.serve(self.watched.clone(), settings.clone()));
                if let Some((_, old)) = self.health.replace((settings, task)) {
                    end(old).await;
                }
            }
            (Some(settings), None) => {
                if let Some((current, _)) = &self.health {
                    *locked(current) = settings;
                }
            }
            (None, _) => {
                if let Some((_, old)) = self.health.take() {
                    end(old).await;
                }
            }
        }
    }

    /// Returns what new sessions of each endpoint share. Endpoints of one server share its rate.
    pub(crate) fn shared(&self, config: Config) -> Vec<Arc<Shared>> {
        let mut all: Vec<Arc<Shared>> = locked(&self.watched.endpoints).clone();
        let old = all.len();
        for endpoint in config.endpoints {
            let per_second = config.limits.max_logins_per_second;
            let (hostname, port) = (&endpoint.server.hostname, endpoint.server.port);
            let same = all.iter().find(|one| {
                (&one.server.hostname, one.server.port) == (hostname, port)
                    && one.limits.max_logins_per_second == per_second
            });
            let rate = same.map(|one| one.rate.clone());
            all.push(Arc::new(Shared {
                log: self.log.of(endpoint.name.as_deref()),
                metrics: self.metrics.of(endpoint.name.as_deref()),
                rate: rate.unwrap_or_else(|| Arc::new(Rate::new(per_second))),
                name: endpoint.name,
                server: Arc::new(endpoint.server),
                clients: endpoint.clients,
                allowed_users: endpoint.allowed_users,
                limits: config.limits.clone(),
                keys: self.keys.clone(),
                state: health::State::default(),
            }));
        }
        all.split_off(old)
    }

    /// Stops listening. Returns how long sessions may go on.
    pub(crate) async fn stop(&mut self) -> Duration {
        self.watched.is_stopping.store(true, Relaxed);
        for open in self.open.drain(..) {
            end(open.task).await;
        }
        self.drain
    }
}

/// Ends a task that listens. Its listener is closed then.
async fn end(task: JoinHandle<()>) {
    task.abort();
    let _ = task.await;
}

/// For sessions, and for clients beyond their limit.
type Places = (Arc<Sessions>, Arc<Sessions>);

fn start(listen: Listen, listener: Listener, shared: Arc<Shared>, places: Places) -> Open {
    let name = listener.name();
    let values = [
        ("address", name.as_str().into()),
        ("server", shared.server.shown().into()),
        ("users", shared.server.users().into()),
    ];
    shared.log.line(Level::Info, "listening", &values);
    let current = Arc::new(Mutex::new(shared));
    let task = tokio::spawn(accept(listener, current.clone(), places));
    Open {
        listen,
        name,
        current,
        task,
    }
}

async fn accept(listener: Listener, current: Current, (sessions, told): Places) {
    loop {
        let client = listener.accept().await;
        let shared = locked(&current).clone();
        let client = match client {
            Ok(client) => client,
            Err(error) => {
                let values = [("message", error.to_string().into())];
                shared.log.line(Level::Warning, "accept", &values);
                // The usual reason is that no file descriptor is free.
                sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        let open = shared.metrics.open();
        if let Some(user) = client.other_user
            && !shared.allowed_users.contains(&user)
        {
            let message = format!("user {user} of this machine may not use this socket");
            let values = [
                ("client", client.name.into()),
                ("uid", user.into()),
                ("message", message.as_str().into()),
            ];
            shared.log.line(Level::Warning, "refused", &values);
            let refusal = Refusal::new(State::InvalidAuthorization, message)
                .hint(format!("--allow-uid {user} lets it in."))
                .to_message();
            let mut stream = client.stream.boxed();
            // So short a message needs no reader.
            tokio::spawn(async move { stream.write_all(&refusal).await });
            continue;
        }
        let place = sessions.enter(shared.limits.max_connections);
        let is_full = place.is_none();
        let Some(place) = place.or_else(|| told.enter(TOLD)) else {
            continue;
        };
        tokio::spawn(async move {
            session::serve(&shared, client, is_full).await;
            drop((place, open));
        });
    }
}
