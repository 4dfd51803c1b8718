//! Rejects a second interpreter in the same process, such as those of mod_wsgi and
//! `concurrent.interpreters`.
//!
//! PyO3 keeps some objects, such as the classes, once per process. Interpreters must not share
//! objects: it would seem to work, and could crash at any time.

#![expect(unsafe_code, reason = "calls CPython's C API")]

use std::sync::atomic::{AtomicI64, Ordering};

use pyo3::exceptions::PyImportError;
use pyo3::ffi;
use pyo3::prelude::*;

/// Raises ImportError if another interpreter has imported the module. Each interpreter calls it once.
pub(crate) fn claim(_py: Python<'_>) -> PyResult<()> {
    const NONE: i64 = -1;
    static OWNER: AtomicI64 = AtomicI64::new(NONE);
    // SAFETY: `_py` proves that this thread is attached to an interpreter: the one returned.
    let id = unsafe { ffi::PyInterpreterState_GetID(ffi::PyInterpreterState_Get()) };
    match OWNER.compare_exchange(NONE, id, Ordering::SeqCst, Ordering::SeqCst) {
        Err(owner) if owner != id => Err(PyImportError::new_err(
            "rdsign does not support subinterpreters: another interpreter of this process has \
             already imported it; run one interpreter in each process (mod_wsgi: \
             WSGIApplicationGroup %{GLOBAL})",
        )),
        _ => Ok(()),
    }
}
