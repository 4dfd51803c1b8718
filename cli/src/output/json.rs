//! What `--json` prints: one indented document and a newline. Its keys are a promise to the
//! programs that read it; keys may be added, none is renamed.

use std::fmt::Display;
use std::io;

/// Prints a `serde_json::Value`, or a document that the library has written.
pub(crate) fn print(document: &impl Display) -> io::Result<()> {
    // The alternate form of a Value is the indented one; text has no other.
    super::print([format!("{document:#}\n")])
}
