//! Formats the help text below a command's options. Prose is wrapped to the terminal; examples are
//! not.
//!
//! clap wraps all of `after_help`, and an example with a broken line fails when it is pasted. So
//! this module formats the text and puts it into the command's template, which clap prints
//! unchanged.

use clap::Command;

use super::terminal::wrap;

/// Longer lines of prose are hard to read, even on a wide terminal.
const WIDEST: usize = 100;

/// The width without a terminal and without COLUMNS.
const USUAL: usize = 80;

/// The part of clap's default template before `after_help`. In the text that is appended, clap
/// replaces only its own tags; other braces are printed unchanged.
const TEMPLATE: &str = "{about-with-newline}\n{usage-heading} {usage}\n\n{all-args}\n\n";

/// Formats the help of the command and its subcommands for the terminal.
pub(crate) fn formatted(command: Command) -> Command {
    for_width(command, terminal_width().min(WIDEST))
}

/// The width that clap uses for the options: the terminal's, else COLUMNS.
fn terminal_width() -> usize {
    let columns = || {
        let columns = crate::args::variable("COLUMNS")?.parse().ok()?;
        (columns > 0).then_some(columns)
    };
    let terminal = terminal_size::terminal_size().map(|(width, _)| width.0.into());
    terminal.or_else(columns).unwrap_or(USUAL)
}

fn for_width(command: Command, width: usize) -> Command {
    let command = command
        .term_width(width)
        .mut_subcommands(|subcommand| for_width(subcommand, width));
    match command.get_after_help().map(ToString::to_string) {
        Some(text) => command.help_template(format!("{TEMPLATE}{}", reflowed(&text, width))),
        None => command,
    }
}

/// Keeps lines that start with a space: examples and rows of tables. Other lines are prose, and
/// adjacent ones form a paragraph.
fn reflowed(text: &str, width: usize) -> String {
    let is_prose = |line: &str| !line.is_empty() && !line.starts_with(' ');
    let lines: Vec<&str> = text.lines().collect();
    let parts = lines.chunk_by(|one, next| is_prose(one) && is_prose(next));
    let parts = parts.map(|part| match is_prose(part[0]) {
        true => wrap(&part.join(" "), 0, width),
        false => part.concat(),
    });
    parts.collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_examples(command: &Command) {
        let help = command.clone().render_long_help().to_string();
        let text = command.get_after_help().map(ToString::to_string);
        for line in text.iter().flat_map(|text| text.lines()) {
            let is_kept = help.lines().any(|shown| shown == line);
            assert!(is_kept || !line.starts_with(' '), "{line}\n{help}");
        }
        command.get_subcommands().for_each(check_examples);
    }

    #[test]
    fn examples_are_unchanged_at_any_width() {
        for width in [20, 60, 80, 100] {
            check_examples(&for_width(crate::command(), width));
        }
    }

    #[test]
    fn a_paragraph_ends_at_a_blank_line_or_an_example() {
        let text = "one\ntwo three\n  an   example\n\nfour\nfive";
        let formatted = "one two\nthree\n  an   example\n\nfour\nfive";
        assert_eq!(reflowed(text, 8), formatted);
    }
}
