//! What several commands parse alike: the endpoint and user to sign for, the address to connect
//! to, and the source of credentials. A flag wins over libpq's variable. The flags of a single
//! command are in that command's own file.

mod dial;
mod source;
mod target;

pub(crate) use dial::DialArgs;
pub(crate) use rdsign::credentials::environment_variable as variable;
pub(crate) use source::SourceArgs;
pub(crate) use target::TargetArgs;
