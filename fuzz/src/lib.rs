//! What fuzzing checks: for each target a function that reads any bytes and panics if a promise does
//! not hold.
//!
//! `make fuzz` runs these functions under libFuzzer, which needs nightly Rust. The tests run the same
//! functions with inputs that proptest makes. Inputs are text in lines and tabs where a target has
//! several fields, so that seeds can be read and written by hand.

#![expect(clippy::unwrap_used, reason = "a panic is a finding")]

mod hidden;
mod real_libpq;
pub mod seeds;
mod targets;
#[cfg(test)]
mod tests;

/// Checks one input. Panics if a promise does not hold.
pub type Body = fn(&[u8]);

/// The names and bodies of all targets.
pub const TARGETS: [(&str, Body); 11] = [
    ("parse", targets::parse),
    ("inspect", targets::inspect),
    ("verify", targets::verify),
    ("policy", targets::policy),
    ("local_config", targets::local_config),
    ("aws_files", targets::aws_files),
    ("aws_logins", targets::aws_logins),
    ("hostname", targets::hostname),
    ("libpq_strings", targets::libpq_strings),
    ("libpq_arguments", targets::libpq_arguments),
    ("c_options", targets::c_options),
];

/// Checks one input of a target.
///
/// # Panics
/// If a promise does not hold, or if no target has this name.
pub fn check(target: &str, input: &[u8]) {
    let (_, body) = TARGETS.iter().find(|(name, _)| *name == target).unwrap();
    body(input);
}
