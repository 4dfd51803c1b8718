//! PostgreSQL itself: finds its programs, creates the database, starts and stops the server.
//!
//! Also provides what the server needs to start: its TLS certificate and the preloaded library.

mod cache;
pub(crate) mod certificate;
pub(crate) mod find;
pub(crate) mod init_files;
pub(crate) mod initdb;
pub(crate) mod log;
mod packed;
mod places;
pub(crate) mod preload_library;
mod prepared;
mod rds;
mod search;
pub(crate) mod server;
mod version;
mod zonky;
