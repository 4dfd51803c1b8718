//! Parses the lines of a configuration file by the rules of the AWS CLI.
//!
//! The rules are those of Python's `configparser`: an indented line continues the setting above it,
//! `#` and `;` start a comment only at the start of a line, and `:` works like `=`. The CLI rejects
//! a whole file for one invalid line. Here the line invalidates only its own section, so an unused
//! profile does no harm.

use std::collections::HashMap;

use zeroize::Zeroizing;

/// A file's sections in order, and the invalid lines above the first one.
#[derive(Debug, Default)]
pub(super) struct Ini {
    pub(super) sections: Vec<Section>,
    /// The section whose settings apply to every other section.
    pub(super) defaults: Option<Section>,
    pub(super) stray: Vec<Problem>,
}

/// A section. If it appears more than once, its parts are merged.
#[derive(Debug)]
pub(in crate::credentials) struct Section {
    pub(super) name: String,
    pub(super) settings: Vec<Setting>,
    pub(super) problems: Vec<Problem>,
}

/// A setting: its name in lower case and its value, which may be a secret.
#[derive(Clone)]
pub(in crate::credentials) struct Setting {
    pub(super) name: String,
    pub(super) value: Zeroizing<String>,
    pub(super) line: usize,
}

/// A line that cannot be read. The reason never quotes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::credentials) struct Problem {
    pub(super) line: usize,
    pub(super) reason: String,
}

/// The name of [`Ini::defaults`].
const DEFAULTS: &str = "DEFAULT";

impl Section {
    pub(super) fn setting(&self, name: &str) -> Option<&Setting> {
        self.settings.iter().find(|setting| setting.name == name)
    }
}

impl std::fmt::Debug for Setting {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} (line {})", self.name, self.line)
    }
}

impl Ini {
    pub(super) fn parse(text: &str) -> Self {
        let mut reader = Reader::default();
        for (number, line) in lines(text).enumerate() {
            reader.read(number + 1, line);
        }
        let mut ini = reader.ini;
        for section in &mut ini.sections {
            for setting in &mut section.settings {
                let end = setting.value.trim_end().len();
                setting.value.truncate(end);
            }
        }
        let defaults = ini.sections.iter().position(|s| s.name == DEFAULTS);
        ini.defaults = defaults.map(|at| ini.sections.remove(at));
        ini
    }
}

#[derive(Default)]
struct Reader {
    ini: Ini,
    /// Where the sections are, by name. Searching the list would take too long in a large file.
    places: HashMap<String, usize>,
    /// The lines of the settings, by section and name.
    lines: HashMap<(usize, String), usize>,
    /// The current section.
    section: Option<usize>,
    /// The setting that an indented line continues.
    setting: Option<usize>,
    indent: usize,
}

impl Reader {
    fn read(&mut self, number: usize, line: &str) {
        let text = line.trim();
        if text.is_empty() {
            self.continue_with("");
            return;
        }
        if text.starts_with(['#', ';']) {
            return;
        }
        let indent = line.chars().take_while(|c| c.is_whitespace()).count();
        if indent > self.indent && self.continue_with(text) {
            return;
        }
        self.indent = indent;
        self.setting = None;
        if text.starts_with('[') {
            self.start_section(number, text);
        } else {
            self.start_setting(number, text);
        }
    }

    fn continue_with(&mut self, text: &str) -> bool {
        let (Some(section), Some(setting)) = (self.section, self.setting) else {
            return false;
        };
        let value = &mut self.ini.sections[section].settings[setting].value;
        value.push('\n');
        value.push_str(text);
        true
    }

    fn start_section(&mut self, number: usize, text: &str) {
        // Text after the last `]` is ignored.
        let Some(name) = text[1..].rfind(']').map(|end| &text[1..=end]) else {
            return self.problem(number, "`]` is missing");
        };
        if name.is_empty() {
            return self.problem(number, "the section has no name");
        }
        let known = self.places.get(name).copied();
        let at = known.unwrap_or_else(|| {
            self.ini.sections.push(Section {
                name: name.to_owned(),
                settings: Vec::new(),
                problems: Vec::new(),
            });
            let at = self.ini.sections.len() - 1;
            self.places.insert(name.to_owned(), at);
            at
        });
        self.section = Some(at);
        if known.is_some() && name != DEFAULTS {
            self.problem(number, "the section appears a second time");
        }
    }

    fn start_setting(&mut self, number: usize, text: &str) {
        let Some(at) = text.find(['=', ':']) else {
            return self.problem(number, "neither a setting (name = value) nor a comment");
        };
        let name = text[..at].trim_end().to_lowercase();
        if name.is_empty() {
            return self.problem(number, "the name before the value is missing");
        }
        if text.contains(char::REPLACEMENT_CHARACTER) {
            return self.problem(number, "has a character that is not UTF-8");
        }
        let Some(section) = self.section else {
            return self.problem(number, "a setting above the first section");
        };
        if let Some(first) = self.lines.get(&(section, name.clone())) {
            let reason = format!("{name} is set a second time, first in line {first}");
            return self.problem(number, &reason);
        }
        self.lines.insert((section, name.clone()), number);
        let settings = &mut self.ini.sections[section].settings;
        settings.push(Setting {
            name,
            value: Zeroizing::new(text[at + 1..].trim().to_owned()),
            line: number,
        });
        self.setting = Some(settings.len() - 1);
    }

    fn problem(&mut self, line: usize, reason: &str) {
        let reason = reason.to_owned();
        match self.section {
            Some(section) => &mut self.ini.sections[section].problems,
            None => &mut self.ini.stray,
        }
        .push(Problem { line, reason });
    }
}

/// Splits a text into lines, which may end with LF, CR LF or CR.
fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.split('\n').flat_map(|line| {
        let line = line.strip_suffix('\r').unwrap_or(line);
        line.split('\r')
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<(String, Vec<(String, String)>)> {
        let sections = Ini::parse(text).sections.into_iter();
        let settings = |section: Section| {
            let settings = section.settings.into_iter();
            settings.map(|s| (s.name, s.value.to_string())).collect()
        };
        sections.map(|s| (s.name.clone(), settings(s))).collect()
    }

    fn one(text: &str) -> Vec<(String, String)> {
        let mut sections = read(text);
        assert_eq!(sections.len(), 1, "{sections:?}");
        sections.remove(0).1
    }

    fn problems(text: &str) -> Vec<(usize, String)> {
        let ini = Ini::parse(text);
        let mut problems = ini.stray;
        problems.extend(ini.sections.into_iter().flat_map(|s| s.problems));
        problems.into_iter().map(|p| (p.line, p.reason)).collect()
    }

    #[test]
    fn spacing_comments_and_line_endings_do_not_matter() {
        let expected = vec![
            ("a".to_owned(), "1".to_owned()),
            ("b".to_owned(), "2".to_owned()),
        ];
        for text in [
            "[x]\na=1\nb = 2",
            "[x]\na: 1\nb :2\n",
            "[x]\r\na = 1\r\nb = 2\r\n",
            "[x]\ra = 1\rb = 2",
            "[x] /* y */\n  a = 1\n  b = 2",
            "[x]\n\t# c = 3\n\n;d\nA = 1 \n  # e\nB =  2\n",
            "  [x]\na = 1\nb = 2",
        ] {
            assert_eq!(one(text), expected, "{text:?}");
            assert_eq!(problems(text), [], "{text:?}");
        }
    }

    #[test]
    fn the_first_delimiter_counts() {
        let expected = [
            ("arn", "aws:iam::1:role/x"),
            ("a", "b:c=d"),
            ("e", "f # g ; h"),
        ];
        let found = one("[x]\narn:aws:iam::1:role/x\na = b:c=d\ne = f # g ; h\n");
        let found: Vec<_> = found.iter().map(|(a, b)| (&**a, &**b)).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn an_indented_line_continues_the_setting_above() {
        let text = "[x]\ns3 =\n  a = 1\n\n  # no\n  b = 2\nc = 3\n  4\n\n";
        let expected = [("s3", "\na = 1\n\nb = 2"), ("c", "3\n4")];
        let found = one(text);
        let found: Vec<_> = found.iter().map(|(a, b)| (&**a, &**b)).collect();
        assert_eq!(found, expected);
        assert_eq!(one("[x]\n    a = 1\n  b = 2\n").len(), 2);
    }

    #[test]
    fn an_invalid_line_invalidates_only_its_own_section() {
        let text = "[a]\nx = 1\nodd\n[b]\ny = 2\n";
        let ini = Ini::parse(text);
        assert_eq!(ini.sections[0].problems[0].line, 3);
        assert!(ini.sections[1].problems.is_empty());
        assert_eq!(ini.sections[0].settings.len(), 1);
    }

    #[test]
    fn an_invalid_line_is_named_by_its_number_and_not_quoted() {
        for (text, line, words) in [
            ("[a]\nSECRET", 2, "neither"),
            ("[a]\n= SECRET", 2, "name"),
            ("[a\nSECRET = 1", 1, "`]`"),
            ("[]\n", 1, "no name"),
            ("SECRET = 1\n[a]", 1, "first section"),
            ("[a]\nx = 1\nX = SECRET", 3, "first in line 2"),
            ("[a]\nx = 1\n[b]\n[a]\ny = 2", 4, "second time"),
            ("[a]\nx = SECRET\u{fffd}", 2, "UTF-8"),
        ] {
            let (found, reason) = problems(text).remove(0);
            assert_eq!(found, line, "{text:?}");
            assert!(reason.contains(words), "{text:?}: {reason}");
            assert!(!reason.contains("SECRET"), "{reason}");
        }
    }

    #[test]
    fn the_section_default_in_capitals_is_kept_once() {
        let ini = Ini::parse("[DEFAULT]\na = 1\nb = 2\n[x]\nb = 3\n[y]\n");
        let names: Vec<_> = ini.sections.iter().map(|s| s.name.as_str()).collect();
        assert_eq!(names, ["x", "y"]);
        // Copies for each section would need memory without a bound.
        assert_eq!(ini.sections[1].settings.len(), 0);
        let defaults = ini.defaults.unwrap();
        assert_eq!(*defaults.setting("a").unwrap().value, "1");
    }
}
