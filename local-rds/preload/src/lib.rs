//! The library that PostgreSQL is started with. It accepts the tokens that RDS would accept, and makes
//! roles work as on RDS.
//!
//! It is loaded twice over: as one of `shared_preload_libraries`, so that PostgreSQL does not start
//! without it, and with LD_PRELOAD, for the `dlopen` in [`roles`]. If the user has no name, initdb gets it
//! with LD_PRELOAD, too, for the `getpwuid` in [`user`]. One copy serves PostgreSQL 14 to
//! 18, however it was built: PostgreSQL's functions are looked up by name, and [`postgres::port`]
//! knows the one structure that differs.
//!
//! # How it fails closed
//!
//! - PostgreSQL ends if it cannot load the library, and [`_PG_init`] ends it if anything is missing.
//! - The login rules that let members of rds_iam in, for [`login`] to ask them, are in a file that
//!   only [`_PG_init`] names. Those in the data folder refuse everyone, so somebody who starts
//!   PostgreSQL by hand does not open it.
//! - No panic leaves the library, because the crash of one backend ends all other sessions.

#![expect(
    unsafe_code,
    reason = "functions that PostgreSQL calls, and calls of its own functions"
)]

mod login;
mod postgres;
mod roles;
#[cfg(not(test))]
mod user;

use std::io::Write;
use std::panic::{Location, catch_unwind};

use rdsign_local::login::{INTERNAL, RULES_FILE};

use postgres::{Level, Problem, magic};

/// Returns what PostgreSQL compares with itself before it loads the library.
#[unsafe(no_mangle)]
pub extern "C" fn Pg_magic_func() -> *const magic::Magic {
    magic::magic()
}

/// Called once by PostgreSQL, when it has loaded the library and before it accepts connections.
///
/// # Safety
/// Must be called by PostgreSQL.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn _PG_init() {
    log_only_the_location_of_panics();
    let attached = catch_unwind(|| {
        let postgres = postgres::attach()?;
        roles::attach(postgres)?;
        login::attach(postgres);
        Ok(postgres)
    });
    let problem = match attached {
        Ok(Ok(postgres)) => {
            // SAFETY: PostgreSQL is starting, and the arguments are C strings.
            unsafe { postgres.set_start_option(c"hba_file", RULES_FILE) };
            return;
        }
        Ok(Err(problem)) => problem,
        Err(_) => Problem::Panic,
    };
    let message = problem.message();
    if let Some(postgres) = postgres::functions() {
        // SAFETY: PostgreSQL is starting; the error ends it, and no value here needs a destructor.
        unsafe { postgres.raise(Level::Fatal, *b"XX000", message, None) };
    }
    let _ = std::io::stderr().write_all(&[message.to_bytes(), b"\n"].concat());
    std::process::exit(1);
}

/// Makes a panic log only its location, because its message might quote a token.
fn log_only_the_location_of_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic
            .location()
            .map(Location::to_string)
            .unwrap_or_default();
        let line = format!("rdsign: refused ({INTERNAL}): a bug in rdsign, {place}\n");
        let _ = std::io::stderr().write_all(line.as_bytes());
    }));
}
