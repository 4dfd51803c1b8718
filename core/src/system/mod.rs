//! What differs between Unix and Windows: paths, files and programs of the user.
//!
//! Each module has the forms for both systems next to each other, with the same functions, so the
//! rest of the crate knows no system. Two more differences are in `credentials/chain/`: the stack
//! of a thread, and forks.

#[cfg(feature = "chain")]
pub(crate) mod files;
#[cfg(feature = "chain")]
pub(crate) mod limits;
pub(crate) mod paths;
#[cfg(feature = "chain")]
pub(crate) mod programs;
