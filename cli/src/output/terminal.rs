//! Text for people: line breaks, and colours if a terminal can show them.

use std::io::{self, IsTerminal};

use crate::args::variable;

/// The widest line of a report, in characters.
pub(crate) const WIDTH: usize = 80;

/// Whether to write escape sequences for colours.
#[derive(Clone, Copy)]
pub(crate) struct Style {
    colours: bool,
}

impl Style {
    /// For standard output: no colours in a pipe or a file, with NO_COLOR set
    /// (<https://no-color.org>), or on a terminal without colours.
    pub(crate) fn of_stdout() -> Self {
        let is_wanted = variable("NO_COLOR").is_none();
        let is_dumb = variable("TERM").is_some_and(|term| term == "dumb");
        Self {
            colours: io::stdout().is_terminal() && is_wanted && !is_dumb,
        }
    }

    #[cfg(test)]
    pub(crate) const fn new(colours: bool) -> Self {
        Self { colours }
    }

    pub(crate) fn red(self, text: &str) -> String {
        self.paint("1;31", text)
    }

    pub(crate) fn yellow(self, text: &str) -> String {
        self.paint("1;33", text)
    }

    pub(crate) fn green(self, text: &str) -> String {
        self.paint("32", text)
    }

    fn paint(self, code: &str, text: &str) -> String {
        match self.colours {
            true => format!("\x1b[{code}m{text}\x1b[0m"),
            false => text.to_owned(),
        }
    }
}

/// Breaks text between words. The caller prints the first line at column `indent`; the other lines
/// are indented to it. A word that is longer than a line gets its own line.
pub(crate) fn wrap(text: &str, indent: usize, width: usize) -> String {
    let mut wrapped = String::with_capacity(text.len());
    let mut column = indent;
    for (index, word) in text.split(' ').enumerate() {
        let length = word.chars().count();
        if index > 0 && column + 1 + length > width {
            wrapped.push_str(&format!("\n{:indent$}", ""));
            column = indent;
        } else if index > 0 {
            wrapped.push(' ');
            column += 1;
        }
        wrapped.push_str(word);
        column += length;
    }
    wrapped
}

#[cfg(test)]
mod tests {
    use super::wrap;

    #[test]
    fn lines_break_between_words_and_long_words_stay_whole() {
        assert_eq!(wrap("one two three", 0, 7), "one two\nthree");
        assert_eq!(wrap("one two six", 2, 7), "one\n  two\n  six");
        assert_eq!(
            wrap("a much-too-long-word b", 0, 8),
            "a\nmuch-too-long-word\nb"
        );
        assert_eq!(wrap("…… ……", 0, 5), "…… ……");
    }
}
