//! Refuses a second interpreter in one process, as mod_wsgi and `concurrent.interpreters` make them.
//!
//! What PyO3 keeps once in a process (the classes, for one) would be shared by interpreters that may
//! share nothing: that would seem to work, and crash some day.

#![expect(unsafe_code, reason = "calls CPython's C API")]

use std::sync::atomic::{AtomicI64, Ordering};

use pyo3::exceptions::PyImportError;
use pyo3::ffi;
use pyo3::prelude::*;

/// Is called once in each interpreter that imports the module.
pub(crate) fn claim(_py: Python<'_>) -> PyResult<()> {
    const NONE: i64 = -1;
    static OWNER: AtomicI64 = AtomicI64::new(NONE);
    // SAFETY: `_py` says that this thread is attached to an interpreter, which is the one returned.
    let id = unsafe { ffi::PyInterpreterState_GetID(ffi::PyInterpreterState_Get()) };
    match OWNER.compare_exchange(NONE, id, Ordering::SeqCst, Ordering::SeqCst) {
        Err(owner) if owner != id => Err(PyImportError::new_err(
            "rdsign does not support subinterpreters: another interpreter of this process has \
             imported it before; run one interpreter in each process (mod_wsgi: \
             WSGIApplicationGroup %{GLOBAL})",
        )),
        _ => Ok(()),
    }
}
