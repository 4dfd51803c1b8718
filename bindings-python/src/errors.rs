//! Converts core's errors to Python's exceptions, and panics to core's errors.
//!
//! The exception classes are defined in Python, where a class with two bases needs one line.

use std::panic::{AssertUnwindSafe, catch_unwind};

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyType;
use rdsign::{Error, ErrorCode, ErrorKind};

/// Runs core's part of a call. A panic becomes an INTERNAL error.
pub(crate) fn caught<T>(body: impl FnOnce() -> Result<T, Error>) -> Result<T, Error> {
    // Unwind safe: core replaces its state as a whole, so a panic cannot leave it half changed.
    catch_unwind(AssertUnwindSafe(body)).unwrap_or_else(|_| Err(Error::from_panic()))
}

/// Makes the exception for core's error.
pub(crate) fn exception(py: Python<'_>, error: &Error) -> PyErr {
    let class = match error.code().kind() {
        ErrorKind::Request => "InvalidRequestError",
        ErrorKind::Credentials => "CredentialsError",
        ErrorKind::Internal => "Error",
    };
    raised(py, class, error.code(), error.message())
}

/// Makes the exception for a value that core's types cannot express.
pub(crate) fn invalid_request(py: Python<'_>, code: ErrorCode, message: &str) -> PyErr {
    raised(py, "InvalidRequestError", code, message)
}

fn raised(py: Python<'_>, class: &str, code: ErrorCode, message: &str) -> PyErr {
    static MODULE: PyOnceLock<Py<PyModule>> = PyOnceLock::new();
    let build = || {
        let module = MODULE.get_or_try_init(py, || {
            PyModule::import(py, intern!(py, "rdsign._errors")).map(Bound::unbind)
        })?;
        let class = module.bind(py).getattr(class)?.cast_into::<PyType>()?;
        class.call1((message, code.as_str()))
    };
    build().map_or_else(|failure| failure, PyErr::from_value)
}
