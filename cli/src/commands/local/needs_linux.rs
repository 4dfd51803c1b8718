//! Refuses on other systems than Linux.

use std::io::Write;
use std::process::ExitCode;

use super::LocalArgs;
use crate::failure::Failure;

pub(crate) fn run(args: LocalArgs) -> Result<ExitCode, Failure> {
    let problem = "local: needs Linux; run it in a container, such as one of the image postgres:17, \
                   together with the program that logs in";
    if args.json {
        let line = serde_json::json!({"event": "failed", "kind": "needs-linux", "message": problem, "status": 1});
        // Standard error says it too.
        let _ = writeln!(std::io::stdout(), "{line}");
    }
    Err(Failure::Other(problem.to_owned()))
}
