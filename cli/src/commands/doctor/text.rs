//! Formats the report as text: a line for each step, with suggestions below it. Symbols and colours
//! depend on the locale and the terminal.

use super::entry::{Entry, Outcome};
use super::report::Report;
use crate::args::variable;
use crate::output::terminal::{self, WIDTH, wrap};

const NAME_WIDTH: usize = 11;
const INDENT: usize = 2 + NAME_WIDTH + 1;

pub(super) fn of(report: &Report, style: &Style) -> String {
    let mut text = String::new();
    for entry in report.entries() {
        push_entry(&mut text, entry, style);
    }
    text.push_str(&match report.first_failure() {
        None => match report.warnings().as_slice() {
            [] => "All checks passed.\n".to_owned(),
            steps => format!("No check failed. Warnings: {}.\n", steps.join(", ")),
        },
        Some(step) => format!(
            "Failed: {}. Exit status: {}.\n",
            step.as_str(),
            step.exit_status()
        ),
    });
    text
}

fn push_entry(text: &mut String, entry: &Entry, style: &Style) {
    let says = match entry.outcome {
        Outcome::Skipped => format!("skipped: {}", entry.says),
        _ => entry.says.clone(),
    };
    text.push_str(&format!(
        "{} {:<NAME_WIDTH$} {}\n",
        style.mark(entry.outcome),
        entry.step.as_str(),
        wrap(&style.dots(&says), INDENT, WIDTH)
    ));
    if let Some(copy) = &entry.copy {
        text.push_str(&format!("    {copy}\n"));
    }
    for next in &entry.next {
        let next = wrap(&style.dots(next), INDENT + 2, WIDTH);
        text.push_str(&format!("{:INDENT$}{} {next}\n", "", style.arrow()));
    }
}

/// What the terminal can show.
pub(super) struct Style {
    terminal: terminal::Style,
    unicode: bool,
}

impl Style {
    pub(super) fn of_stdout() -> Self {
        let locale = ["LC_ALL", "LC_CTYPE", "LANG"]
            .into_iter()
            .find_map(variable);
        let locale = locale.unwrap_or_default().to_ascii_uppercase();
        Self {
            terminal: terminal::Style::of_stdout(),
            unicode: locale.contains("UTF-8") || locale.contains("UTF8"),
        }
    }

    fn mark(&self, outcome: Outcome) -> String {
        let [tick, cross] = if self.unicode {
            ["✓", "✗"]
        } else {
            ["+", "x"]
        };
        match outcome {
            Outcome::Fine => self.terminal.green(tick),
            Outcome::Failed => self.terminal.red(cross),
            Outcome::Warning => self.terminal.yellow("!"),
            Outcome::Skipped => "-".to_owned(),
        }
    }

    fn arrow(&self) -> &'static str {
        if self.unicode { "→" } else { ">" }
    }

    /// Replaces `…` if the locale may not have it.
    fn dots(&self, text: &str) -> String {
        match self.unicode {
            true => text.to_owned(),
            false => text.replace('…', "..."),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::entry::Step;
    use super::super::finding::Finding;
    use super::*;

    const PLAIN: Style = Style {
        terminal: terminal::Style::new(false),
        unicode: false,
    };

    #[test]
    fn lines_are_wrapped_at_80_columns() {
        let mut report = Report::default();
        let long = "word ".repeat(60);
        report.add(Entry::failed(Step::Tls, Finding::NoTls, long.trim()).next(long.trim()));
        let text = of(&report, &PLAIN);
        assert!(text.lines().count() > 8, "{text}");
        assert!(
            text.lines().all(|line| line.chars().count() <= 80),
            "{text}"
        );
        assert_eq!(text.matches("word").count(), 120);
        assert!(text.is_ascii(), "{text}");
    }

    #[test]
    fn plain_style_has_neither_colours_nor_symbols() {
        let mut report = Report::default();
        report.add(Entry::fine(Step::Tcp, "yes"));
        let colourful = Style {
            terminal: terminal::Style::new(true),
            unicode: true,
        };
        let start = "\x1b[32m✓\x1b[0m tcp         yes\n";
        assert!(of(&report, &colourful).starts_with(start));
        assert!(of(&report, &PLAIN).starts_with("+ tcp         yes\n"));
    }
}
