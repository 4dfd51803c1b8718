//! The messages of PostgreSQL's protocol that a proxy reads or writes itself.
//! <https://www.postgresql.org/docs/current/protocol.html>

mod refusal;
mod server_messages;
mod startup;

pub(crate) use refusal::{Refusal, State, with_hint};
pub(crate) use server_messages::ServerMessages;
pub(crate) use startup::{Answered, Cancel, Encryption, First, Startup, read_first};
