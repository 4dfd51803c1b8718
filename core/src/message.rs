//! Formats text for messages: quoted input and durations.
//!
//! Messages quote input with these functions, so that no control character reaches a terminal or a
//! log, and long input does not make a long message.

use std::time::Duration;

/// The maximum number of characters of input that a message quotes.
const SHOWN: usize = 100;

/// Quotes and escapes input for a message. Truncates it to 100 characters.
pub fn quoted(text: &str) -> String {
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{:?}…", &text[..end]),
        None => format!("{text:?}"),
    }
}

/// Like [`quoted`], but without the quotes, for a number.
pub(crate) fn shortened(text: &str) -> String {
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", text[..end].escape_debug()),
        None => text.escape_debug().to_string(),
    }
}

/// Formats a duration in at most two units: `45 s`, `14 min 3 s`, `3 h 12 min`, `2 d 4 h`.
/// Drops smaller units.
pub fn spoken(duration: Duration) -> String {
    let seconds = duration.as_secs();
    let of = |large: u64, large_unit: &str, small: u64, small_unit: &str| match small {
        0 => format!("{large} {large_unit}"),
        _ => format!("{large} {large_unit} {small} {small_unit}"),
    };
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3_600 => of(seconds / 60, "min", seconds % 60, "s"),
        3_600..86_400 => of(seconds / 3_600, "h", seconds / 60 % 60, "min"),
        _ => of(seconds / 86_400, "d", seconds / 3_600 % 24, "h"),
    }
}
