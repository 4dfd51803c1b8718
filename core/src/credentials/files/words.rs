//! Splits a section's name into words, as a shell does.
//!
//! `[profile 'FOO BAR']` names the profile `FOO BAR`: the AWS CLI writes such names in quotes, and
//! ignores a section with three bare words.

/// Splits a text into words. Returns `None` if a quote or an escape is not finished.
pub(super) fn split(text: &str) -> Option<Vec<String>> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut characters = text.chars();
    while let Some(c) = characters.next() {
        match c {
            ' ' | '\t' | '\r' | '\n' => words.extend(word.take()),
            '\'' => {
                let word = word.get_or_insert_default();
                loop {
                    match characters.next()? {
                        '\'' => break,
                        c => word.push(c),
                    }
                }
            }
            '"' => {
                let word = word.get_or_insert_default();
                loop {
                    match characters.next()? {
                        '"' => break,
                        '\\' => match characters.next()? {
                            c @ ('"' | '\\') => word.push(c),
                            c => word.extend(['\\', c]),
                        },
                        c => word.push(c),
                    }
                }
            }
            '\\' => word.get_or_insert_default().push(characters.next()?),
            c => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    Some(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_split_as_by_a_shell() {
        for (text, words) in [
            ("profile dev", Some(vec!["profile", "dev"])),
            ("profile\t 'FOO BAR' ", Some(vec!["profile", "FOO BAR"])),
            (
                r#"profile "a \"b\" \c""#,
                Some(vec!["profile", r#"a "b" \c"#]),
            ),
            (r"profile a\ b", Some(vec!["profile", "a b"])),
            ("profile a'b c'd", Some(vec!["profile", "ab cd"])),
            ("profile ''", Some(vec!["profile", ""])),
            ("profile équipe", Some(vec!["profile", "équipe"])),
            ("profile FOO BAR", Some(vec!["profile", "FOO", "BAR"])),
            ("profile 'open", None),
            ("profile \"open", None),
            ("profile \\", None),
        ] {
            let words = words.map(|words| words.into_iter().map(String::from).collect());
            assert_eq!(split(text), words, "{text:?}");
        }
    }
}
