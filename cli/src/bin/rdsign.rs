//! The command `rdsign`. What it does is in the library next to it.

use std::process::ExitCode;

fn main() -> ExitCode {
    rdsign_cli::main()
}
