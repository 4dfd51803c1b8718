//! Runs processes: as which user, with which signals, and how they are stopped.
//!
//! Every process here is started, watched and stopped by its id. Nothing in this folder knows what
//! a token or a configuration is.

pub(crate) mod command;
pub(crate) mod orphan;
pub(crate) mod run_as;
pub(crate) mod setup_step;
pub(crate) mod signals;
