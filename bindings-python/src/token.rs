//! A token in Python. Only `value` shows its text.
//!
//! A token in an f-string or a log line does not reveal the password, and an object that contains a
//! token cannot be pickled.

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyDateTime, PyString};
use rdsign::timestamp::format_rfc3339;

/// A signed token for one login. str(), repr() and format() do not show it: see `value`.
#[pyclass(module = "rdsign", frozen)]
pub(crate) struct Token(pub(crate) rdsign::Token);

#[pymethods]
impl Token {
    /// The text to pass to the driver as the password.
    #[getter]
    fn value<'py>(&self, py: Python<'py>) -> Bound<'py, PyString> {
        PyString::new(py, self.0.value())
    }

    /// When the server starts to reject the token, as an aware datetime in UTC.
    #[getter]
    fn expires_at<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDateTime>> {
        self.0.expires_at().into_pyobject(py)
    }

    fn __repr__(&self) -> String {
        let expires_at = format_rfc3339(self.0.expires_at());
        format!("<rdsign.Token, redacted, until {expires_at}>")
    }

    fn __format__(&self, _specification: &str) -> String {
        self.__repr__()
    }

    fn __reduce__(&self) -> PyResult<()> {
        Err(PyTypeError::new_err(
            "cannot pickle an rdsign.Token: it is a password",
        ))
    }
}
