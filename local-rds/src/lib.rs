//! A local RDS: a throwaway PostgreSQL that checks IAM database authentication tokens as RDS does,
//! with the TLS, the roles and the login rules of RDS.
//!
//! [`run`] sets it up, runs it and cleans up; [`serve`] does so for a program that controls it.
//! PostgreSQL is started with a preloaded library, the crate `rdsign-local-preload`, which uses
//! [`login`] to decide about each token. The library is a file next to the program that calls
//! [`run`]; it is never linked to the program.
//!
//! The modules build on each other in this order: `process`, `folder`, [`config`], [`login`],
//! `postgres`, `setup`, `control`, `launch`.
//! [`testing`] is for other programs: it starts `rdsign local` and talks to its `control`.

pub mod config;
mod control;
mod environment;
mod error;
mod folder;
mod launch;
pub mod login;
mod postgres;
mod process;
mod setup;
pub mod testing;

pub use error::{LocalError, LogTail};
pub use launch::{Options, run, serve};
pub use rdsign::timestamp;
