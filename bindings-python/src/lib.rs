//! The native half of the Python package `rdsign`: it converts arguments, calls core and converts
//! the result.
//!
//! Rules, defaults and messages about values are in core, so that every language has the same ones.
//! Calls that may wait release the interpreter's lock, which other threads and the caller's function
//! for credentials need.

mod arguments;
mod credentials;
mod environment;
mod errors;
mod events;
mod interpreter;
mod libpq;
mod signer;
mod token;

#[global_allocator]
static ALLOCATOR: rdsign::WipingAllocator = rdsign::WipingAllocator;

#[cfg(Py_GIL_DISABLED)]
compile_error!(
    "rdsign does not support free-threaded Python (python3.13t, python3.14t): use a build of \
     Python with the global interpreter lock"
);

/// The native half of the package rdsign. Import `rdsign` instead.
#[pyo3::pymodule]
mod _rdsign {
    use pyo3::prelude::*;

    #[pymodule_export]
    use crate::environment::aws_environment;
    #[pymodule_export]
    use crate::libpq::{
        check_arguments, check_connection_string, check_setting, libpq_service, quoted,
    };
    #[pymodule_export]
    use crate::signer::Signer;
    #[pymodule_export]
    use crate::token::Token;

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        module.add("__version__", env!("CARGO_PKG_VERSION"))?;
        crate::interpreter::claim(module.py())
    }
}
