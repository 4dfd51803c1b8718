//! Converts Python's arguments to core's types.
//!
//! A wrong type raises a `TypeError` that names the option. A value of the right type goes to core,
//! even if it is invalid, because core has the messages and the order of the checks. Only a datetime
//! without a time zone is rejected here: core has no type for it.

use std::time::Duration;

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDateTime, PyDelta, PyDeltaAccess, PyFloat, PyInt, PyString, PyTzInfo};
use rdsign::{ErrorCode, Number};

use crate::errors::invalid_request;

/// Converts a str. A lone surrogate becomes U+FFFD, which core rejects in every field.
pub(crate) fn text(name: &str, given: &Bound<'_, PyAny>) -> PyResult<String> {
    match given.cast::<PyString>() {
        Ok(text) => Ok(text.to_string_lossy().into_owned()),
        Err(_) => Err(wrong_type(name, given, "a str")),
    }
}

/// Converts an integer of any size. Rejects `True` and `False`, although bool is a subclass of int.
pub(crate) fn integer(name: &str, given: &Bound<'_, PyAny>) -> PyResult<Number> {
    if given.is_instance_of::<PyBool>() || !given.hasattr("__index__")? {
        return Err(wrong_type(name, given, "an int"));
    }
    if let Ok(integer) = given.extract::<i64>() {
        return Ok(integer.into());
    }
    let integer = given.call_method0("__index__")?;
    // Python raises ValueError for the text of an integer with thousands of digits.
    let text = match integer.str() {
        Ok(text) => text.to_string(),
        Err(_) => format!("an integer of {} bits", integer.call_method0("bit_length")?),
    };
    Ok(Number::other(text))
}

/// Converts a number of seconds. A negative number or NaN becomes zero, which core rejects.
pub(crate) fn seconds(name: &str, given: &Bound<'_, PyAny>) -> PyResult<Duration> {
    /// Seconds: 30,000 years. Adding this to a time does not overflow.
    const LONGEST: f64 = 1e12;
    let is_number = given.is_instance_of::<PyInt>() || given.is_instance_of::<PyFloat>();
    if given.is_instance_of::<PyBool>() || !is_number {
        return Err(wrong_type(name, given, "a number of seconds"));
    }
    // Needed for integers that are too large for a float.
    let below_zero = || given.lt(0).map(|below| if below { -1.0 } else { LONGEST });
    let seconds = given.extract::<f64>().or_else(|_| below_zero())?;
    let duration = Duration::try_from_secs_f64(seconds.clamp(-1.0, LONGEST));
    Ok(duration.unwrap_or(Duration::ZERO))
}

/// Converts an aware datetime to seconds since 1970. Drops fractions of a second.
pub(crate) fn unix_seconds(name: &str, given: &Bound<'_, PyAny>) -> PyResult<i64> {
    let py = given.py();
    let moment = given
        .cast::<PyDateTime>()
        .map_err(|_| wrong_type(name, given, "an aware datetime"))?;
    if moment.call_method0("utcoffset")?.is_none() {
        return Err(invalid_request(
            py,
            ErrorCode::InvalidSigningTime,
            "signing time: has no time zone; accepted: an aware datetime, such as \
             datetime.now(timezone.utc)",
        ));
    }
    let utc = PyTzInfo::utc(py)?.to_owned();
    let epoch = PyDateTime::new(py, 1970, 1, 1, 0, 0, 0, 0, Some(&utc))?;
    // timestamp() returns a float, which rounds the end of the year 9999 up.
    let since = moment.sub(epoch)?.cast_into::<PyDelta>()?;
    Ok(i64::from(since.get_days()) * 86_400 + i64::from(since.get_seconds()))
}

fn wrong_type(name: &str, given: &Bound<'_, PyAny>, accepted: &str) -> PyErr {
    let given = given
        .get_type()
        .name()
        .map_or_else(|_| "another type".to_owned(), |name| name.to_string());
    PyTypeError::new_err(format!("{name}: has type {given}; accepted: {accepted}"))
}
