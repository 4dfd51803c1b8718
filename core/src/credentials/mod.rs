//! Where the keys that sign come from, and how long they are kept.
//!
//! A source is settled when a Signer is made, by its options alone; it is asked for keys
//! when the first token is, and again when those it gave are about to expire. Sources come lazily
//! in this order of cost: given keys, the environment, then everything that needs files or a
//! network.

pub(crate) mod cache;
#[cfg(feature = "chain")]
mod chain;
mod environment;
#[cfg(feature = "chain")]
mod files;
mod flight;
mod load;
mod options;
mod source;
#[cfg(not(feature = "chain"))]
mod without_chain;

#[cfg(feature = "chain")]
pub(crate) use chain::region_of_profile;
pub(crate) use environment::region_of_environment;
pub use environment::variable as environment_variable;
pub(crate) use options::SourceOptions;
pub use source::{Found, ProviderResult, Tried, key_problem};
pub(crate) use source::{RegionHint, Source};
#[cfg(not(feature = "chain"))]
pub(crate) use without_chain::region_of_profile;
