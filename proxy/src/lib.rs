//! IAM logins to RDS for programs that cannot ask for a token.
//!
//! A proxy listens on this machine and speaks PostgreSQL's protocol. For each client it connects to
//! the server over TLS, verifies the server's name and certificate, and answers the request for a
//! password with a new token. After the login it only copies bytes. No token goes to a client, and
//! none leaves this process before the server is verified.
//!
//! `session` is the life of one client, and `shared` what those of an endpoint share. `wire` has the
//! messages that the proxy reads and writes, `rate` says when a login may start, `dial` connects to the
//! server, `login` logs in, `relay` copies, and `cancel` finds the session that a request to cancel is
//! for. `listener` decides who may connect, and `clients` what they must prove. `health` tells how it
//! goes. `running` has all that is open, and changes it for a new configuration.

mod cancel;
mod clients;
mod descriptors;
mod dial;
mod health;
mod limits;
mod listener;
mod log;
mod login;
mod manager;
mod metrics;
mod rate;
mod relay;
mod running;
mod serve;
mod server;
mod session;
mod shared;
mod signals;
mod wire;

use std::sync::{Mutex, MutexGuard, PoisonError};

pub use clients::{ClientFiles, Clients, password_line};
pub use health::Health;
pub use limits::Limits;
pub use listener::Listen;
pub use log::{Format, Level, Log};
pub use metrics::{Counters, Metrics};
pub use serve::{Checked, Config, Endpoint, Proxy, Reload};
pub use server::{Dial, Server, Users};

/// Locks a value. The panic of another session is no reason to stop.
fn locked<T>(value: &Mutex<T>) -> MutexGuard<'_, T> {
    value.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Why a proxy cannot start.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// An option is invalid; the text names it and says what is accepted.
    #[error("{0}")]
    Usage(String),
    /// Anything else.
    #[error("{0}")]
    Other(String),
}
