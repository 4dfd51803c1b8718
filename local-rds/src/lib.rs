//! RDS on this machine: a throwaway PostgreSQL that checks IAM database authentication tokens as
//! RDS does, with its TLS, its roles and its rules of login.
//!
//! [`run`] sets it up, runs it and clears it away. The crate `rdsign-local-preload` is the library
//! that PostgreSQL is started with; it shares [`config`] and [`decision`] and is found beside the
//! program that calls [`run`], never linked to it.

mod abandoned;
mod account;
mod beside;
mod certificate;
mod cluster;
pub mod config;
pub mod decision;
mod default_config;
mod environment;
mod error;
mod folder;
mod launch;
mod library;
mod postgres;
pub mod roles;
mod server;
mod setup;
mod signals;
mod step;

pub use error::{LocalError, LogTail};
pub use launch::{Options, run};
pub use rdsign::timestamp;
