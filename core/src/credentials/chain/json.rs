//! Fields of a JSON object that holds keys. A value is never shown: a wrong one may be a secret.

use serde_json::{Map, Value};

/// A field that is a text, or null, which is as good as none.
pub(super) fn text(fields: &mut Map<String, Value>, field: &str) -> Result<Option<String>, String> {
    let kind = match fields.remove(field) {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::String(text)) => return Ok(Some(text)),
        Some(Value::Bool(_)) => "a boolean",
        Some(Value::Number(_)) => "a number",
        Some(Value::Array(_)) => "a list",
        Some(Value::Object(_)) => "an object",
    };
    Err(format!("{field}: {kind}; accepted: a text"))
}

/// A field that must be there.
pub(super) fn required(fields: &mut Map<String, Value>, field: &str) -> Result<String, String> {
    text(fields, field)?.ok_or_else(|| format!("{field}: missing; accepted: a text"))
}
