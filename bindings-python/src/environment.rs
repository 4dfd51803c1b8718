//! Tells whether the environment has changed, for the cache of `rdsign.generate_db_auth_token`.

use std::collections::hash_map::RandomState;
use std::env::vars_os;
use std::hash::BuildHasher;
use std::sync::LazyLock;

use pyo3::prelude::*;

/// Returns a hash of HOME and the AWS_* variables, which credentials and the region may come from.
#[pyfunction]
pub(crate) fn aws_environment() -> u64 {
    static HASHER: LazyLock<RandomState> = LazyLock::new(RandomState::new);
    vars_os()
        .filter(|(name, _)| name == "HOME" || name.as_encoded_bytes().starts_with(b"AWS_"))
        // A sum, because the order of the variables does not matter.
        .fold(0, |sum, variable| {
            sum.wrapping_add(HASHER.hash_one(variable))
        })
}
