//! The commands, one file or folder each: the flags that only it has, its help, and what it does.
//! The rules and the messages are the library's; a command turns its answers into text, JSON and
//! an exit status.

pub(crate) mod ca_bundle;
pub(crate) mod completions;
pub(crate) mod credentials;
pub(crate) mod doctor;
pub(crate) mod exec;
pub(crate) mod inspect;
pub(crate) mod local;
pub(crate) mod pgpass;
pub(crate) mod policy;
pub(crate) mod token;
