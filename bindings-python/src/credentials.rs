//! Credentials from the caller's function.
//!
//! Core calls the provider on the thread that asks for a token, one thread at a time and without the
//! interpreter's lock. The provider acquires the lock. `rdsign/_credentials.py` converts the values
//! that a function may return.

use std::cell::RefCell;
use std::error::Error;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use pyo3::exceptions::{PyException, PyTimeoutError};
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;
use rdsign::timestamp::from_unix_seconds;
use rdsign::{Credentials, ErrorCode};

use crate::arguments::text;
use crate::errors::exception;

/// Runs `work`, during which another signer's function may raise, without losing what this thread's
/// function raised.
pub(crate) fn keeping_raised<T>(work: impl FnOnce() -> T) -> T {
    let kept = RAISED.take();
    let result = work();
    RAISED.set(kept);
    result
}

thread_local! {
    /// The exception of this thread's call. Core keeps only its text.
    static RAISED: RefCell<Option<PyErr>> = const { RefCell::new(None) };
}

/// The caller's function. Core and the Python object share the reference, so that the garbage
/// collector can break a cycle between an object and the signer that it provides keys for.
pub(crate) struct Provider(Mutex<Option<Py<PyAny>>>);

impl Provider {
    /// Adapts a value of `credentials=`. `bound` limits the wait for botocore. Raises TypeError for a
    /// value of another type.
    pub(crate) fn new(given: &Bound<'_, PyAny>, bound: Duration) -> PyResult<Arc<Self>> {
        let module = PyModule::import(given.py(), "rdsign._credentials")?;
        let function = module.call_method1("provider", (given, bound.as_secs_f64()))?;
        Ok(Arc::new(Self(Mutex::new(Some(function.unbind())))))
    }

    /// Calls the function. Core calls this.
    pub(crate) fn credentials(&self) -> Result<Credentials, Box<dyn Error + Send + Sync>> {
        let shutting_down = "the Python interpreter is shutting down";
        Python::try_attach(|py| {
            let function = {
                let held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
                held.as_ref().map(|function| function.clone_ref(py))
            };
            let function = function.ok_or(shutting_down)?;
            keys(function.bind(py)).map_err(|error| {
                let text = described(py, &error);
                let timed_out = error.is_instance_of::<PyTimeoutError>(py);
                RAISED.set(Some(error));
                if timed_out {
                    io::Error::new(io::ErrorKind::TimedOut, text).into()
                } else {
                    text.into()
                }
            })
        })
        .unwrap_or_else(|| Err(shutting_down.into()))
    }

    pub(crate) fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        // The lock is never held while Python code, and so the garbage collector, may run.
        match self.0.try_lock() {
            Ok(function) => visit.call(&*function),
            Err(_) => Ok(()),
        }
    }

    pub(crate) fn clear(&self) {
        let function = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        drop(function);
    }
}

/// Converts core's result. An exception that the function raised becomes the cause of the error. One
/// that `except Exception` does not catch (KeyboardInterrupt, SystemExit) is raised unchanged.
pub(crate) fn raised_by<T>(py: Python<'_>, outcome: Result<T, rdsign::Error>) -> PyResult<T> {
    let raised = RAISED.take();
    if let Some(raised) = &raised
        && !raised.is_instance_of::<PyException>(py)
    {
        return Err(raised.clone_ref(py));
    }
    outcome.map_err(|error| {
        let exception = exception(py, &error);
        let is_its_own = matches!(
            error.code(),
            ErrorCode::CredentialsFailed | ErrorCode::CredentialsTimeout
        );
        if is_its_own && raised.is_some() {
            exception.set_cause(py, raised);
        }
        exception
    })
}

fn keys(function: &Bound<'_, PyAny>) -> PyResult<Credentials> {
    type Keys<'py> = (
        Bound<'py, PyAny>,
        Bound<'py, PyAny>,
        Option<Bound<'py, PyAny>>,
        Option<i64>,
    );
    let (access_key_id, secret_access_key, session_token, expires_at): Keys<'_> =
        function.call0()?.extract()?;
    let session_token = session_token.as_ref();
    Ok(Credentials::new(
        text("access_key_id", &access_key_id)?,
        text("secret_access_key", &secret_access_key)?,
        session_token
            .map(|given| text("session_token", given))
            .transpose()?,
        expires_at.and_then(from_unix_seconds),
        "python",
    ))
}

/// Formats an exception like the last line of a traceback.
fn described(py: Python<'_>, error: &PyErr) -> String {
    let name = error.get_type(py).name();
    let name = name.map_or_else(|_| "an exception".to_owned(), |name| name.to_string());
    match error.value(py).str() {
        Ok(text) if !text.is_empty().unwrap_or(true) => format!("{name}: {text}"),
        _ => name,
    }
}
