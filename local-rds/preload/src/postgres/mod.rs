//! What the library uses of PostgreSQL: its functions and variables, looked up by name, and the few
//! structures whose layout it knows.

mod functions;
pub(crate) mod magic;
pub(crate) mod port;

pub(crate) use functions::{
    BOOTSTRAP_SUPERUSER, Functions, Level, Problem, ProcessUtility, RoleId, attach, functions,
};
