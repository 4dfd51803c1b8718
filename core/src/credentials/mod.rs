//! Finds the keys that sign tokens, and caches them.
//!
//! A Signer chooses its source when it is made, from its options alone. It fetches keys for the
//! first token, and again shortly before they expire. Given keys and the environment need no file
//! and no network; only the other sources do.

pub(crate) mod cache;
#[cfg(feature = "chain")]
mod chain;
mod environment;
#[cfg(feature = "chain")]
mod events;
#[cfg(feature = "chain")]
mod files;
mod flight;
mod load;
mod options;
mod source;
mod timing;
mod walk;
#[cfg(not(feature = "chain"))]
mod without_chain;

#[cfg(feature = "fuzz")]
#[doc(hidden)]
pub use chain::fuzz;
#[cfg(feature = "chain")]
pub(crate) use chain::{cannot_start, region_of_profile};
pub(crate) use environment::region_of_environment;
pub use environment::variable as environment_variable;
#[cfg(feature = "chain")]
pub use events::{Event, EventKind};
#[cfg(feature = "chain")]
pub(crate) use events::{Listener, Teller};
#[cfg(feature = "chain")]
pub use files::profile_names;
pub(crate) use options::SourceOptions;
pub use source::{Found, ProviderResult, Tried, key_problem};
pub(crate) use source::{Patience, RegionHint, Source};
pub use walk::{Visit, VisitResult, Walk};
#[cfg(not(feature = "chain"))]
pub(crate) use without_chain::{Listener, Teller, region_of_profile};
