//! The life of one client: its first message, its turn, the login, and the copying.

use std::io::ErrorKind;
use std::sync::Arc;
use std::time::Instant;

use rdsign::quoted;
use serde_json::Value;
use tokio::io::AsyncWriteExt;
use tokio::time::timeout;

use crate::cancel::{self, Keys};
use crate::dial::dial;
use crate::limits::{Limits, Rate};
use crate::listener::{Client, Connection};
use crate::log::{Level, Log};
use crate::login::{Ended, Ready, log_in};
use crate::relay::relay;
use crate::server::Server;
use crate::wire::{Cancel, First, Refusal, Startup, State, read_first};

/// What all sessions share.
pub(crate) struct Shared {
    pub(crate) server: Server,
    pub(crate) limits: Limits,
    pub(crate) rate: Rate,
    pub(crate) keys: Arc<Keys>,
    pub(crate) log: Log,
}

/// Serves a client to its end. If `is_full`, it can only cancel.
pub(crate) async fn serve(shared: &Shared, (mut client, name): Client, is_full: bool) {
    let first = timeout(shared.limits.startup_timeout, read_first(&mut client)).await;
    let problem = match first {
        Ok(Ok(Some(First::Startup(startup)))) => {
            let session = Session {
                shared,
                name,
                startup,
                since: Instant::now(),
            };
            return session.run(client, is_full).await;
        }
        Ok(Ok(Some(First::Cancel(request)))) => {
            return cancel(shared, &name, &request).await;
        }
        Ok(Ok(None)) => return,
        Ok(Err(error)) if error.kind() != ErrorKind::InvalidData => return,
        Ok(Err(error)) => error.to_string(),
        Err(_) => "the client's first message does not come".to_owned(),
    };
    let values = [("client", name.into()), ("message", problem.into())];
    shared.log.line(Level::Warning, "refused", &values);
}

async fn cancel(shared: &Shared, name: &str, request: &Cancel) {
    let address = shared.keys.find(request.key());
    let outcome = match address {
        // PostgreSQL does not tell the client either.
        None => Err("no open session has this key".to_owned()),
        Some(address) => {
            let limit = shared.limits.connect_timeout;
            cancel::forward(&shared.server, address, request, limit).await
        }
    };
    let mut values = vec![("client", Value::from(name))];
    let level = match outcome {
        Ok(()) => Level::Info,
        Err(problem) => {
            values.push(("message", problem.into()));
            Level::Warning
        }
    };
    shared.log.line(level, "cancel", &values);
}

struct Session<'a> {
    shared: &'a Shared,
    name: String,
    startup: Startup,
    since: Instant,
}

impl Session<'_> {
    async fn run(self, mut client: Box<dyn Connection>, is_full: bool) {
        match self.open(&mut client, is_full).await {
            Ok(ready) => self.copy(client, ready).await,
            Err(Ended::Refused(refusal)) => {
                self.refused(&refusal.message, refusal.id);
                let _ = client.write_all(&refusal.to_message()).await;
                let _ = client.shutdown().await;
            }
            Err(Ended::ByServer { message, id }) => {
                self.refused(&message, id);
                let _ = client.shutdown().await;
            }
            Err(Ended::Client(error)) => {
                self.refused(
                    &format!("the client hung up during the login: {error}"),
                    None,
                );
            }
        }
    }

    async fn open(&self, client: &mut Box<dyn Connection>, is_full: bool) -> Result<Ready, Ended> {
        let Shared { server, limits, .. } = self.shared;
        if is_full {
            let message = format!(
                "sorry, too many clients already: --max-connections is {}",
                limits.max_connections
            );
            return Err(Refusal::new(State::TooManyConnections, message).into());
        }
        let signer = match &self.startup.user {
            // The server refuses it: it names no user, or is of another protocol.
            None => None,
            Some(user) => Some(server.signer(user).ok_or_else(|| {
                let message = format!("user {} may not log in here", quoted(user));
                Refusal::new(State::InvalidAuthorization, message)
                    .hint(format!("This proxy signs tokens for {}.", server.users()))
            })?),
        };
        self.shared.rate.turn().await.map_err(|wait| {
            let message = format!(
                "too many logins at once: the next turn is in {} s",
                wait.as_secs()
            );
            Refusal::new(State::TooManyConnections, message)
                .hint("Use a pool that keeps its connections open.")
        })?;
        let dialed = dial(server, limits.connect_timeout).await?;
        let login = log_in(client, dialed, &self.startup, signer, &self.shared.keys);
        let Ok(ended) = timeout(limits.startup_timeout, login).await else {
            let message = "the server does not finish the login";
            return Err(Refusal::new(State::ConnectionFailure, message)
                .id("login-broken")
                .into());
        };
        ended
    }

    async fn copy(&self, mut client: Box<dyn Connection>, mut ready: Ready) {
        let took = u64::try_from(self.since.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.line(Level::Info, "login", [("ms", took.into())]);
        let rest = std::mem::take(&mut ready.rest);
        let (copied, ended) = relay(&mut client, &mut ready.server, &rest).await;
        let values = [
            ("seconds", self.since.elapsed().as_secs().into()),
            ("to_server", copied.to_server.into()),
            ("to_client", copied.to_client.into()),
        ];
        match ended {
            Ok(()) => self.line(Level::Info, "closed", values),
            Err(error) => {
                let broken = [("message", error.to_string().into())];
                self.line(Level::Info, "closed", values.into_iter().chain(broken));
            }
        }
    }

    fn refused(&self, message: &str, id: Option<&str>) {
        let id = id.map(|id| ("id", id.into()));
        let values = id.into_iter().chain([("message", message.into())]);
        self.line(Level::Warning, "refused", values);
    }

    fn line(
        &self,
        level: Level,
        event: &str,
        more: impl IntoIterator<Item = (&'static str, Value)>,
    ) {
        let mut values = vec![("client", Value::from(self.name.as_str()))];
        let names = [
            ("user", &self.startup.user),
            ("database", &self.startup.database),
        ];
        for (name, value) in names {
            values.extend(value.as_deref().map(|value| (name, value.into())));
        }
        values.extend(more);
        self.shared.log.line(level, event, &values);
    }
}
