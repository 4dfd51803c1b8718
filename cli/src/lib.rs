//! The command line: reads flags and the environment, calls the library, and maps its errors to
//! `rdsign: CODE: message` and an exit status. Rules and messages come from the library.
//!
//! It is a library for two programs: `rdsign`, and the example that writes man pages and completions.
//!
//! `args` has the flags that several commands share, `commands` has the commands, and `output`
//! writes text, JSON and help.

mod args;
mod ca_bundle;
mod commands;
mod failure;
mod output;
mod system;

use std::path::Path;
use std::process::ExitCode;

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};

use failure::Failure;

#[global_allocator]
static ALLOCATOR: rdsign::WipingAllocator = rdsign::WipingAllocator;

/// IAM database authentication for Amazon RDS and Aurora DSQL: tokens, and a local RDS to try them on.
#[derive(Parser)]
#[command(name = "rdsign", version, after_help = HELP)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

const HELP: &str = "\
Exit status: 0 for success, 2 for invalid input, 1 for every other failure.
Errors go to standard error as `rdsign: CODE: message`.";

#[derive(Subcommand)]
enum Command {
    /// Print a token to log in with
    Token(commands::token::TokenArgs),
    /// Print a token, with the AWS CLI's name and flags
    GenerateDbAuthToken(commands::generate_db_auth_token::GenerateDbAuthTokenArgs),
    /// Print a token for a role of Aurora DSQL, with the AWS CLI's name and flags
    GenerateDbConnectAuthToken(
        commands::generate_db_connect_auth_token::GenerateDbConnectAuthTokenArgs,
    ),
    /// Print a token for the role admin of Aurora DSQL, with the AWS CLI's name and flags
    GenerateDbConnectAdminAuthToken(
        commands::generate_db_connect_auth_token::GenerateDbConnectAuthTokenArgs,
    ),
    /// Run a program with a token as its password
    Exec(commands::exec::ExecArgs),
    /// Print a token as a line of libpq's password file
    Pgpass(commands::pgpass::PgpassArgs),
    /// Let programs that cannot ask for a token log in: a local endpoint without a password
    Proxy(Box<commands::proxy::ProxyArgs>),
    /// Log in step by step, and report which step fails and what to do
    Doctor(Box<commands::doctor::DoctorArgs>),
    /// Print the certificate authorities of RDS, for verify-full
    CaBundle(commands::ca_bundle::CaBundleArgs),
    /// Show which credentials are used, and why the sources before them had none
    Credentials(commands::credentials::CredentialsArgs),
    /// Take a token apart, and report what is wrong with it
    Inspect(commands::inspect::InspectArgs),
    /// Print the IAM policy that lets a database user log in, or check one
    Policy(commands::policy::PolicyArgs),
    /// Run RDS on this machine: a throwaway PostgreSQL that checks tokens
    Local(commands::local::LocalArgs),
    /// Print completions for a shell
    Completions(commands::completions::CompletionsArgs),
}

/// Returns the declarations of all commands. The man pages are made of them.
#[must_use]
pub fn command() -> clap::Command {
    with_negative_numbers(Cli::command())
}

/// Makes `-1` the value of the flag before it, whose error then names the flag and what is accepted.
fn with_negative_numbers(command: clap::Command) -> clap::Command {
    command
        .mut_args(
            |flag| match flag.get_action().takes_values() && !flag.is_positional() {
                true => flag.allow_negative_numbers(true),
                false => flag,
            },
        )
        .mut_subcommands(with_negative_numbers)
}

/// Writes the script for each shell to a folder that exists, with the name that the shell looks for.
///
/// # Errors
///
/// If a file cannot be written.
pub fn write_completions(folder: &Path) -> std::io::Result<()> {
    commands::completions::write_all(folder, &command())
}

/// Runs the command line of this process.
#[must_use]
pub fn main() -> ExitCode {
    let parsed = output::help::formatted(command())
        .try_get_matches()
        .and_then(|matches| Cli::from_arg_matches(&matches));
    let cli = match parsed {
        Ok(cli) => cli,
        Err(error) => return failure::report_usage(&error, &command()),
    };
    let outcome = match cli.command {
        Command::Token(args) => commands::token::run(args),
        Command::GenerateDbAuthToken(args) => commands::generate_db_auth_token::run(args),
        Command::GenerateDbConnectAuthToken(args) => {
            commands::generate_db_connect_auth_token::run(args, false)
        }
        Command::GenerateDbConnectAdminAuthToken(args) => {
            commands::generate_db_connect_auth_token::run(args, true)
        }
        Command::Exec(args) => commands::exec::run(args),
        Command::Pgpass(args) => commands::pgpass::run(args),
        Command::Proxy(args) => commands::proxy::run(*args),
        Command::Doctor(args) => commands::doctor::run(*args),
        Command::CaBundle(args) => commands::ca_bundle::run(args),
        Command::Credentials(args) => commands::credentials::run(args),
        Command::Inspect(args) => commands::inspect::run(args),
        Command::Policy(args) => commands::policy::run(args),
        Command::Local(args) => commands::local::run(args),
        Command::Completions(args) => commands::completions::run(args, command()),
    };
    outcome.unwrap_or_else(Failure::report)
}
