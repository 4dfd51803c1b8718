//! `rdsign proxy password`: prints a line for `--password-file`. The password comes from the terminal
//! or standard input, because the arguments of a program are visible to others.

use std::ffi::OsString;
use std::io::{self, BufRead, IsTerminal, Write};
use std::process::ExitCode;

use clap::Args;
use rdsign_proxy::password_line;

use super::failure;
use crate::failure::Failure;

/// PostgreSQL reads no longer password (`PG_MAX_AUTH_TOKEN_LENGTH`).
const LONGEST: u64 = 65_535;

#[derive(Args)]
#[command(after_help = HELP)]
pub(crate) struct PasswordArgs {
    /// Database user that clients log in as with this password
    #[arg(long, value_name = "USER")]
    username: String,

    /// A password that was given here by mistake: an error about it must not show it
    #[arg(value_name = "PASSWORD", hide = true)]
    argument: Vec<OsString>,
}

const HELP: &str = "\
The password is asked for on the terminal, or read as the first line of
standard input. The printed line does not contain it, but keys to check it.

Example:
  (umask 077; rdsign proxy password --username iam_user >> passwords)";

pub(crate) fn run(args: &PasswordArgs) -> Result<ExitCode, Failure> {
    if !args.argument.is_empty() {
        let problem = "password: given as an argument, which others can see; accepted: on the terminal \
                       or as standard input";
        return Err(Failure::Usage(problem.to_owned()));
    }
    let password = match io::stdin().is_terminal() {
        true => from_terminal()?,
        false => from(io::stdin().lock())?,
    };
    let line = password_line(&args.username, &password).map_err(failure)?;
    writeln!(io::stdout(), "{line}")?;
    Ok(ExitCode::SUCCESS)
}

fn from_terminal() -> Result<Vec<u8>, Failure> {
    #[cfg(unix)]
    restore_echo_at_signals().map_err(|error| unreadable(&error))?;
    let ask = |prompt| {
        let answer = rpassword::prompt_password(prompt);
        answer.map_err(|error| unreadable(&error))
    };
    let password = ask("Password: ")?;
    if password != ask("Again: ")? {
        let problem = "password: differs the second time; accepted: the same twice";
        return Err(Failure::Usage(problem.to_owned()));
    }
    Ok(password.into_bytes())
}

/// Gives the terminal its echo back if a signal ends this program, which the prompt does not.
#[cfg(unix)]
fn restore_echo_at_signals() -> io::Result<()> {
    use rustix::termios::{OptionalActions, tcgetattr, tcsetattr};
    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
    use signal_hook::low_level::{emulate_default_handler, register};

    let modes = tcgetattr(io::stdin())?;
    for signal in [SIGHUP, SIGINT, SIGTERM] {
        let modes = modes.clone();
        let restore = move || {
            // SAFETY: standard input stays open, and is only borrowed.
            #[expect(unsafe_code, reason = "a signal handler takes no lock")]
            let terminal = unsafe { std::os::fd::BorrowedFd::borrow_raw(0) };
            let _ = tcsetattr(terminal, OptionalActions::Now, &modes);
            let _ = emulate_default_handler(signal);
        };
        // SAFETY: both calls are system calls without locks or memory of their own.
        #[expect(unsafe_code, reason = "a signal handler may do little")]
        let registered = unsafe { register(signal, restore) };
        registered?;
    }
    Ok(())
}

/// Reads a line. Its end is no part of the password.
fn from(input: impl BufRead) -> Result<Vec<u8>, Failure> {
    let mut line = Vec::new();
    let read = input.take(LONGEST + 2).read_until(b'\n', &mut line);
    read.map_err(|error| unreadable(&error))?;
    if line.ends_with(b"\n") {
        line.pop();
        line.pop_if(|last| *last == b'\r');
    }
    if line.len() as u64 > LONGEST {
        let problem = format!("password: too long; accepted: at most {LONGEST} bytes");
        return Err(Failure::Usage(problem));
    }
    Ok(line)
}

fn unreadable(error: &io::Error) -> Failure {
    Failure::Other(format!("the password cannot be read: {error}"))
}
