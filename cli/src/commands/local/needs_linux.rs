//! Refuses on other systems than Linux.

use std::process::ExitCode;

use super::LocalArgs;
use crate::failure::Failure;

pub(crate) fn run(_: LocalArgs) -> Result<ExitCode, Failure> {
    let problem = "local: needs Linux; run it in a container, such as one of the image postgres:17, \
                   together with the program that logs in";
    Err(Failure::Other(problem.to_owned()))
}
