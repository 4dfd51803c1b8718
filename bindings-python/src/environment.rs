//! Tells whether the environment has changed, for the cache of `rdsign.generate_db_auth_token`.

use std::collections::hash_map::RandomState;
use std::env::vars_os;
use std::ffi::OsStr;
use std::hash::BuildHasher;
use std::sync::LazyLock;

use pyo3::prelude::*;

/// Returns a hash of HOME, on Windows USERPROFILE, and the AWS_* variables, which credentials and the
/// region may come from.
#[pyfunction]
pub(crate) fn aws_environment() -> u64 {
    static HASHER: LazyLock<RandomState> = LazyLock::new(RandomState::new);
    vars_os()
        .filter(|(name, _)| is_used(name))
        // A sum, because the order of the variables does not matter.
        .fold(0, |sum, variable| {
            sum.wrapping_add(HASHER.hash_one(variable))
        })
}

/// On Windows, the names have no case. On other systems, a name too many does no harm.
fn is_used(name: &OsStr) -> bool {
    let is_home = ["HOME", "USERPROFILE"]
        .iter()
        .any(|home| name.eq_ignore_ascii_case(home));
    let start = name.as_encoded_bytes().get(..4);
    is_home || start.is_some_and(|start| start.eq_ignore_ascii_case(b"AWS_"))
}
