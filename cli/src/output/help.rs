//! The text below a command's options: prose that is wrapped to the terminal, and examples that
//! are not.
//!
//! clap wraps all of `after_help`, which breaks a long line of an example, so that it fails when
//! it is pasted. The text is therefore laid out here, and clap gets it as a part of the command's
//! template, which it prints unchanged.

use clap::Command;

use super::terminal::wrap;

/// Longer lines of prose are hard to read, however wide the terminal is.
const WIDEST: usize = 100;

/// Where there is no terminal, and no COLUMNS.
const USUAL: usize = 80;

/// clap's own template, down to where `after_help` starts. In what follows, a brace is printed as
/// it is unless it encloses one of clap's tags.
const TEMPLATE: &str = "{about-with-newline}\n{usage-heading} {usage}\n\n{all-args}\n\n";

/// The same command with its help, and that of its subcommands, laid out for the terminal.
pub(crate) fn laid_out(command: Command) -> Command {
    for_width(command, terminal_width().min(WIDEST))
}

/// The width that clap finds: the terminal's, else COLUMNS.
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

/// A line that starts with a space is an example or a table's row, and stays as it is. The others
/// are prose: those that follow each other are one paragraph.
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
    use clap::CommandFactory;

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
    fn examples_are_shown_as_they_are_written_at_any_width() {
        for width in [20, 60, 80, 100] {
            check_examples(&for_width(crate::Cli::command(), width));
        }
    }

    #[test]
    fn prose_is_one_paragraph_until_a_blank_line_or_an_example() {
        let text = "one\ntwo three\n  an   example\n\nfour\nfive";
        let laid_out = "one two\nthree\n  an   example\n\nfour\nfive";
        assert_eq!(reflowed(text, 8), laid_out);
    }
}
