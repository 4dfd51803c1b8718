//! `rdsign completions`: prints a script for a shell. It is generated from the declarations that
//! parse the command line, so it cannot miss a flag.

use std::process::ExitCode;

use clap::{Args, Command};
use clap_complete::Shell;

use crate::failure::Failure;
use crate::output;

#[derive(Args)]
#[command(after_help = HELP)]
pub(crate) struct CompletionsArgs {
    /// The shell to complete in
    shell: Shell,
}

const HELP: &str = "\
Example:
  rdsign completions bash > /etc/bash_completion.d/rdsign";

pub(crate) fn run(args: CompletionsArgs, mut command: Command) -> Result<ExitCode, Failure> {
    // Written to memory first: clap_complete panics if it cannot write.
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut command, "rdsign", &mut script);
    output::print([String::from_utf8_lossy(&script)])?;
    Ok(ExitCode::SUCCESS)
}
