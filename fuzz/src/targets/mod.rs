//! The bodies of the targets.

mod aws;
mod c_options;
mod hostname;
mod libpq;
mod local_config;
mod policy;
mod token;
mod verify;

pub(crate) use aws::{aws_files, aws_logins};
pub(crate) use c_options::c_options;
pub(crate) use hostname::hostname;
pub(crate) use libpq::{libpq_arguments, libpq_strings};
pub(crate) use local_config::local_config;
pub(crate) use policy::policy;
pub(crate) use token::{inspect, parse};
pub(crate) use verify::verify;

/// Returns the first line of an input and the rest.
fn first_line(text: &str) -> (&str, &str) {
    text.split_once('\n').unwrap_or((text, ""))
}
