//! Reads fields of a JSON object that contains keys. Errors never quote a value, which may be a
//! secret.

use serde_json::{Map, Value};

/// Removes and returns a string field. `null` counts as missing.
pub(super) fn text(fields: &mut Map<String, Value>, field: &str) -> Result<Option<String>, String> {
    let kind = match fields.remove(field) {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::String(text)) => return Ok(Some(text)),
        Some(Value::Bool(_)) => "a boolean",
        Some(Value::Number(_)) => "a number",
        Some(Value::Array(_)) => "a list",
        Some(Value::Object(_)) => "an object",
    };
    Err(format!("{field}: {kind}; accepted: a string"))
}

/// Removes and returns a string field that must be present.
pub(super) fn required(fields: &mut Map<String, Value>, field: &str) -> Result<String, String> {
    text(fields, field)?.ok_or_else(|| missing(field))
}

/// Removes and returns a string field that must be present and not empty.
pub(super) fn filled(fields: &mut Map<String, Value>, field: &str) -> Result<String, String> {
    let text = text(fields, field)?.filter(|text| !text.is_empty());
    text.ok_or_else(|| missing(field))
}

fn missing(field: &str) -> String {
    format!("{field}: missing; accepted: a string")
}
