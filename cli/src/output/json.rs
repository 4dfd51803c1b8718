//! Prints JSON for `--json`: one indented document and a newline. Programs rely on the keys: keys
//! may be added, but never renamed or removed.

use std::fmt::Display;
use std::io;

/// Prints a `serde_json::Value`, or JSON text from the library.
pub(crate) fn print(document: &impl Display) -> io::Result<()> {
    // `#` indents a Value, and has no effect on text.
    super::print([format!("{document:#}\n")])
}
