//! Refuses on other systems than Linux.

use std::process::ExitCode;

use super::{LocalArgs, tell};
use crate::failure::Failure;

pub(crate) fn run(args: LocalArgs) -> Result<ExitCode, Failure> {
    let problem = "local: needs Linux; run it in a container, such as one of the image postgres:17, \
                   together with the program that logs in";
    if args.json {
        tell("needs-linux", problem, 1);
    }
    Err(Failure::Other(problem.to_owned()))
}
