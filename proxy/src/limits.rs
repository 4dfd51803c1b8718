//! How much a proxy does at once, and for how long.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::Notify;

use crate::locked;

/// The limits of a proxy.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Sessions at once, from 1. Default 1000.
    pub max_connections: u32,
    /// Logins that are started in a second, from 1. Default 150: RDS refuses logins above 200.
    /// <https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/UsingWithRDS.IAMDBAuth.html>
    pub max_logins_per_second: u32,
    /// How long a client may take for TLS, its first message and its password together, and then a
    /// server for a login. Default 60 s, PostgreSQL's `authentication_timeout`.
    pub startup_timeout: Duration,
    /// How long connecting to the server may take, with the name and TLS. Default 10 s.
    pub connect_timeout: Duration,
    /// How long sessions may go on after SIGTERM. Default 30 s.
    pub drain: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_connections: 1000,
            max_logins_per_second: 150,
            startup_timeout: Duration::from_secs(60),
            connect_timeout: Duration::from_secs(10),
            drain: Duration::from_secs(30),
        }
    }
}

/// Clients beyond the limit of sessions that are told so, or cancel, at once. The others are hung up on.
pub(crate) const TOLD: u32 = 100;

/// The open sessions. Their limit may change while they are open.
#[derive(Debug, Default)]
pub(crate) struct Sessions {
    open: Mutex<u32>,
    none: Notify,
}

impl Sessions {
    /// Returns a place, unless `limit` are taken.
    pub(crate) fn enter(self: &Arc<Self>, limit: u32) -> Option<Place> {
        let mut open = locked(&self.open);
        (*open < limit).then(|| {
            *open += 1;
            Place(self.clone())
        })
    }

    pub(crate) fn open(&self) -> u32 {
        *locked(&self.open)
    }

    /// Waits until none is open. No more may be opened meanwhile.
    pub(crate) async fn ended(&self) {
        while self.open() > 0 {
            self.none.notified().await;
        }
    }
}

/// The place of a session, until it is dropped.
pub(crate) struct Place(Arc<Sessions>);

impl Drop for Place {
    fn drop(&mut self) {
        let mut open = locked(&self.0.open);
        *open -= 1;
        if *open == 0 {
            self.0.none.notify_one();
        }
    }
}
