//! The flags that several commands share: the endpoint and user to sign for, the address to dial,
//! and the source of credentials. A flag overrides libpq's variable,
//! and so does the service that PGSERVICE names. Flags that only one command
//! has are in that command's file.

mod dial;
pub(crate) mod service;
mod source;
mod target;
pub(crate) mod usage;

pub(crate) use dial::DialArgs;
pub(crate) use service::variable;
pub(crate) use source::SourceArgs;
pub(crate) use target::TargetArgs;
