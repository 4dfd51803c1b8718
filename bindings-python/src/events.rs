//! Writes core's events to the logger `rdsign` of Python's logging.
//!
//! Importing logging takes milliseconds, so nothing is written unless the program has imported it, and
//! set up a handler. Nothing that a handler raises changes the outcome of a call.

use pyo3::exceptions::PyKeyboardInterrupt;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use rdsign::Event;

use crate::credentials::keeping_raised;

const INFO: u8 = 20;
const WARNING: u8 = 30;

/// The endpoint and the user of a signer, for its log records.
pub(crate) struct Log {
    pub(crate) hostname: String,
    pub(crate) username: String,
}

impl Log {
    /// Core calls this without the interpreter's lock, or with it if the fetch needed no wait.
    pub(crate) fn write(&self, event: &Event) {
        // Attaching fails while the interpreter shuts down.
        let _ = Python::try_attach(|py| {
            let Err(error) = keeping_raised(|| self.try_write(py, event)) else {
                return;
            };
            // Ctrl-C is not the handler's error: let it interrupt the caller, too.
            if error.is_instance_of::<PyKeyboardInterrupt>(py) && interrupt(py).is_ok() {
                return;
            }
            error.write_unraisable(py, None);
        });
    }

    fn try_write(&self, py: Python<'_>, event: &Event) -> PyResult<()> {
        let modules = py.import("sys")?.getattr("modules")?;
        let Ok(logging) = modules.get_item("logging") else {
            return Ok(());
        };
        // Another thread may be importing it.
        let Some(get_logger) = logging.getattr_opt("getLogger")? else {
            return Ok(());
        };
        let logger = get_logger.call1(("rdsign",))?;
        let level = if event.kind.is_warning() {
            WARNING
        } else {
            INFO
        };
        // Without a handler, logging prints warnings to standard error.
        let is_listening = logger.call_method1("isEnabledFor", (level,))?.is_truthy()?
            && logger.call_method0("hasHandlers")?.is_truthy()?;
        if !is_listening {
            return Ok(());
        }
        let options = PyDict::new(py);
        let extra = PyDict::new(py);
        extra.set_item("rdsign", self.fields(py, event)?)?;
        options.set_item("extra", extra)?;
        let text = event.to_string();
        logger.call_method("log", (level, text), Some(&options))?;
        Ok(())
    }

    fn fields<'py>(&self, py: Python<'py>, event: &Event) -> PyResult<Bound<'py, PyDict>> {
        let error = event.error.as_ref();
        let fields = PyDict::new(py);
        fields.set_item("event", event.kind.as_str())?;
        fields.set_item("hostname", &self.hostname)?;
        fields.set_item("username", &self.username)?;
        fields.set_item("source", event.source)?;
        fields.set_item("seconds", event.took.as_secs_f64())?;
        // A datetime ends with the year 9999.
        let expires_at = event.expires_at.map(|end| end.into_pyobject(py));
        fields.set_item("expires_at", expires_at.and_then(Result::ok))?;
        fields.set_item("code", error.map(|error| error.code().as_str()))?;
        fields.set_item("message", error.map(rdsign::Error::message))?;
        Ok(fields)
    }
}

fn interrupt(py: Python<'_>) -> PyResult<()> {
    py.import("_thread")?.call_method0("interrupt_main")?;
    Ok(())
}
