//! Writes the man pages and the completions that the packages of the command line contain:
//!
//! ```sh
//! cargo run -p rdsign-cli --example manual -- FOLDER
//! ```
//!
//! They go to `FOLDER/man` and `FOLDER/completions`. It is a program of its own, so that `rdsign` does not
//! contain what writes them, and so that packages for other systems get them too.

use std::error::Error;
use std::path::PathBuf;

use clap::Command;

fn main() -> Result<(), Box<dyn Error>> {
    let folder = std::env::args_os().nth(1).ok_or("usage: manual FOLDER")?;
    let folder = PathBuf::from(folder);
    let (man, completions) = (folder.join("man"), folder.join("completions"));
    std::fs::create_dir_all(&man)?;
    std::fs::create_dir_all(&completions)?;
    clap_mangen::generate_to(with_version(rdsign_cli::command()), &man)?;
    rdsign_cli::write_completions(&completions)?;
    Ok(())
}

/// Gives the commands the version that stands at the bottom of their pages.
fn with_version(command: Command) -> Command {
    let command = command.version(env!("CARGO_PKG_VERSION"));
    command.mut_subcommands(|subcommand| with_version(subcommand).disable_version_flag(true))
}
