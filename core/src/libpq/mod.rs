//! Reads and checks what libpq reads: service files, connection strings, and the arguments of
//! PostgreSQL's programs. All of them can name another server than the one that a token is signed
//! for, so whoever passes a token to libpq must check them first.

mod arguments;
mod check;
mod connect;
mod conninfo;
mod keywords;
mod programs;
mod service;
mod uri;

pub use arguments::check_arguments;
pub use check::{Login, check_connection_string, check_setting};
pub use keywords::{can_be_left_out, keyword_of, variable_of};
pub use service::{Setting, SslMode, service};
