//! Credentials from a function of the caller's.
//!
//! Core calls it from whichever thread asks for a token, one at a time and without the
//! interpreter's lock, which is taken here. What Python's shapes of keys mean is decided in
//! `rdsign/_credentials.py`.

use std::cell::RefCell;
use std::error::Error;
use std::sync::{Arc, Mutex, PoisonError};

use pyo3::exceptions::PyException;
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;
use rdsign::timestamp::from_unix_seconds;
use rdsign::{Credentials, ErrorCode};

use crate::arguments::text;
use crate::errors::exception;

thread_local! {
    /// What the function raised in this thread's call, which core keeps as text alone.
    static RAISED: RefCell<Option<PyErr>> = const { RefCell::new(None) };
}

/// A function of the caller's. The reference to it is shared, so that the garbage collector can
/// see it, and drop it where an object and its own signer hold each other.
pub(crate) struct Provider(Mutex<Option<Py<PyAny>>>);

impl Provider {
    /// Adapts what is given as `credentials=`.
    pub(crate) fn new(given: &Bound<'_, PyAny>) -> PyResult<Arc<Self>> {
        let module = PyModule::import(given.py(), "rdsign._credentials")?;
        let function = module.call_method1("provider", (given,))?;
        Ok(Arc::new(Self(Mutex::new(Some(function.unbind())))))
    }

    /// What core asks for keys.
    pub(crate) fn credentials(&self) -> Result<Credentials, Box<dyn Error + Send + Sync>> {
        let ended = "the Python interpreter is ending";
        Python::try_attach(|py| {
            let function = {
                let held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
                held.as_ref().map(|function| function.clone_ref(py))
            };
            let function = function.ok_or(ended)?;
            keys(function.bind(py)).map_err(|error| {
                let text = described(py, &error);
                RAISED.set(Some(error));
                text.into()
            })
        })
        .unwrap_or_else(|| Err(ended.into()))
    }

    pub(crate) fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        // Nobody holds it for long, and never while the garbage collector may run.
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

/// Core's outcome as Python's: what the function raised is the cause of the error, and what no
/// program catches by chance (KeyboardInterrupt, SystemExit) is raised itself.
pub(crate) fn raised_by<T>(py: Python<'_>, outcome: Result<T, rdsign::Error>) -> PyResult<T> {
    let raised = RAISED.take();
    if let Some(raised) = &raised
        && !raised.is_instance_of::<PyException>(py)
    {
        return Err(raised.clone_ref(py));
    }
    outcome.map_err(|error| {
        let exception = exception(py, &error);
        if error.code() == ErrorCode::CredentialsFailed && raised.is_some() {
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

/// As the last line of a traceback.
fn described(py: Python<'_>, error: &PyErr) -> String {
    let name = error.get_type(py).name();
    let name = name.map_or_else(|_| "an exception".to_owned(), |name| name.to_string());
    match error.value(py).str() {
        Ok(text) if !text.is_empty().unwrap_or(true) => format!("{name}: {text}"),
        _ => name,
    }
}
