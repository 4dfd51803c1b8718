//! Reads and checks what libpq reads: service files, connection strings, and the arguments of
//! PostgreSQL's programs. All of them can name another server than the one that a token is signed
//! for, so whoever passes a token to libpq must check them first.

mod arguments;
mod check;
mod keywords;
mod programs;
mod service;

pub use arguments::check_arguments;
pub use check::{check_connection_string, check_host};
pub use service::{Setting, SslMode, service};
