//! The commands. Each has a file or folder with its own flags, its help and what it does. Rules and
//! messages come from the library; a command turns its results into text, JSON and an exit status.

mod aws_cli;
pub(crate) mod ca_bundle;
pub(crate) mod completions;
pub(crate) mod credentials;
pub(crate) mod doctor;
pub(crate) mod exec;
pub(crate) mod generate_db_auth_token;
pub(crate) mod generate_db_connect_auth_token;
pub(crate) mod inspect;
pub(crate) mod local;
pub(crate) mod pgpass;
pub(crate) mod policy;
pub(crate) mod proxy;
pub(crate) mod token;
