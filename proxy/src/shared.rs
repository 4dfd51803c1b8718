//! What the sessions of an endpoint share, and the logins of its clients and of the proxy itself.

use std::sync::Arc;
use std::time::Instant;

use rdsign::Signer;
use tokio::io::{AsyncWrite, sink};
use tokio::time::timeout;

use crate::cancel::Keys;
use crate::clients::Clients;
use crate::dial::dial;
use crate::health::State;
use crate::limits::Limits;
use crate::log::Log;
use crate::login::{Ended, Ready, log_in};
use crate::metrics::{Counters, Outcome};
use crate::rate::Rate;
use crate::server::Server;
use crate::wire::{Refusal, Startup, State as SqlState};

/// What the sessions of an endpoint share. A new configuration makes a new one for new sessions.
pub(crate) struct Shared {
    /// The endpoint's name, if it has one.
    pub(crate) name: Option<String>,
    pub(crate) server: Arc<Server>,
    pub(crate) clients: Clients,
    /// The other users that may use the socket.
    pub(crate) allowed_users: Vec<u32>,
    pub(crate) limits: Limits,
    pub(crate) rate: Arc<Rate>,
    pub(crate) keys: Arc<Keys>,
    pub(crate) log: Log,
    pub(crate) metrics: Counters,
    pub(crate) state: State,
}

impl Shared {
    /// Waits until a login may start.
    pub(crate) async fn turn(&self) -> Result<(), Refusal> {
        self.rate.turn().await.map_err(|wait| {
            let message = format!(
                "too many logins at once: the next turn is in {} s",
                wait.as_secs()
            );
            Refusal::new(SqlState::TooManyConnections, message)
                .hint("Use a pool that keeps its connections open.")
        })
    }

    /// Connects to the server and logs in.
    pub(crate) async fn log_in(
        &self,
        client: &mut (impl AsyncWrite + Unpin),
        startup: &Startup,
        signer: Option<&Signer>,
    ) -> Result<Ready, Ended> {
        let Self { server, limits, .. } = self;
        let dialed = dial(server, limits.connect_timeout).await?;
        let login = log_in(client, dialed, startup, signer, server, &self.keys);
        let Ok(ended) = timeout(limits.startup_timeout, login).await else {
            let message = "the server does not finish the login";
            return Err(Refusal::new(SqlState::ConnectionFailure, message)
                .id("login-broken")
                .into());
        };
        ended
    }

    pub(crate) fn logged_in(&self, since: Instant) {
        self.state.logged_in();
        self.metrics.login(Outcome::Ok(since.elapsed()));
    }

    /// Logs in as a client of the first user would, and ends the session.
    ///
    /// # Errors
    /// The message, and doctor's ID.
    pub(crate) async fn log_in_itself(
        &self,
        database: &str,
    ) -> Result<(), (String, Option<&'static str>)> {
        let since = Instant::now();
        let signer = self.server.first();
        let ended = async {
            let startup = Startup::new(signer.username(), database).map_err(Ended::Client)?;
            self.turn().await?;
            self.log_in(&mut sink(), &startup, Some(signer)).await
        };
        let ended = ended.await;
        let (message, id, outcome) = match ended {
            Ok(mut ready) => {
                self.logged_in(since);
                // The session is of no more use, so it does not matter if it breaks.
                let _ = timeout(self.limits.connect_timeout, ready.end()).await;
                return Ok(());
            }
            Err(Ended::Refused(refusal)) => {
                (refusal.message, refusal.id, Outcome::Refused(refusal.id))
            }
            Err(Ended::ByServer { message, id }) => (message, id, Outcome::RefusedByServer(id)),
            Err(Ended::Client(error)) => (error.to_string(), None, Outcome::ClientGone),
            Err(Ended::NoPassword) => ("no password".to_owned(), None, Outcome::ClientGone),
        };
        self.metrics.login(outcome);
        Err((message, id))
    }
}
