//! Checks a command of psql, such as `psql -c '\connect app'`. `\connect` sends the same password
//! to the server that it names.
//!
//! Source: <https://www.postgresql.org/docs/current/app-psql.html#APP-PSQL-META-COMMAND-CONNECT>

/// Returns whether a command surely keeps to the server.
pub(super) fn keeps_the_server(command: &str) -> bool {
    let command = command.trim_start();
    let rest = ["\\connect", "\\c"]
        .iter()
        .find_map(|name| command.strip_prefix(name));
    match rest {
        Some(rest) if rest.is_empty() || rest.starts_with(char::is_whitespace) => {
            // DATABASE USER, and nothing that could be a connection string.
            words(rest).is_some_and(|words| {
                words.len() <= 2 && words.iter().all(|word| !word.contains(['=', ':']))
            })
        }
        // `\c` that ends with a backslash, or another command.
        Some(rest) => !rest.starts_with('\\'),
        None => true,
    }
}

/// Splits the words of a command as psql does. `None` if psql could read them otherwise: it
/// replaces `:variables`, backquotes and escapes.
fn words(text: &str) -> Option<Vec<String>> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    for c in text.chars() {
        match (quote, c) {
            (Some(end), c) if c == end => quote = None,
            (Some('\''), '\\') | (None, '\\' | '`' | ':') => return None,
            (Some(_), c) => word.get_or_insert_default().push(c),
            (None, '\'' | '"') => {
                word.get_or_insert_default();
                quote = Some(c);
            }
            (None, c) if c.is_whitespace() => words.extend(word.take()),
            (None, c) => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    quote.is_none().then_some(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_connect_to_the_same_server_passes() {
        for command in [
            "select 'host=x'",
            "-- host = x",
            "\\c",
            "\\c app",
            "\\connect app iam_user",
            "\\conninfo",
            "\\copy t from 'host=x'",
            "\\c \"my db\" iam_user",
            "\\c 'my db' 'a b'",
            "\\c \"a\"\" b\" u",
        ] {
            assert!(keeps_the_server(command), "{command}");
        }
        for command in [
            "\\c app iam_user other",
            "\\c - - other",
            "\\c \"host=other\"",
            "\\c 'host=other'",
            "\\connect postgres://other/app",
            "\\c :DB",
            "\\c `echo host=other`",
            "\\c 'host\\075other'",
            "\\c \"app",
            "\\c host\"=\"other",
            " \\c a b other",
            "\\c\\c",
            "\\c app\\c a b c",
        ] {
            assert!(!keeps_the_server(command), "{command}");
        }
    }
}
