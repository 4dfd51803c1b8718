//! Parses connection strings, such as `host=x dbname='a b'`, exactly as libpq's `conninfo_parse`
//! does. Another reading of a quote or a backslash would check another host than libpq dials.
//!
//! Source: <https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNSTRING-KEYWORD-VALUE>

use std::collections::BTreeMap;

/// libpq's keywords, and the last value of each, which counts.
pub(super) type Settings = BTreeMap<String, String>;

/// Parses a connection string. The error does not repeat it, because it may contain a password.
pub(super) fn parse(text: &str) -> Result<Settings, &'static str> {
    let mut settings = Settings::new();
    let mut rest = text.trim_start_matches(is_blank);
    while !rest.is_empty() {
        let end = rest.find(|c| c == '=' || is_blank(c)).unwrap_or(rest.len());
        let (keyword, after) = rest.split_at(end);
        let Some(after) = after.trim_start_matches(is_blank).strip_prefix('=') else {
            return Err("`=` is missing after a keyword; accepted: KEYWORD=VALUE …");
        };
        let (value, after) = value(after.trim_start_matches(is_blank))?;
        settings.insert(keyword.to_owned(), value);
        rest = after.trim_start_matches(is_blank);
    }
    Ok(settings)
}

/// Returns the value at the start of a text, and what follows it. A quoted value ends at the quote,
/// another at a blank. A backslash makes the next character part of the value in both.
fn value(text: &str) -> Result<(String, &str), &'static str> {
    let (quoted, text) = match text.strip_prefix('\'') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let mut value = String::new();
    let mut characters = text.char_indices();
    while let Some((at, c)) = characters.next() {
        match c {
            '\\' => value.extend(characters.next().map(|(_, next)| next)),
            '\'' if quoted => return Ok((value, &text[at + 1..])),
            _ if !quoted && is_blank(c) => return Ok((value, &text[at..])),
            _ => value.push(c),
        }
    }
    if quoted {
        return Err("a quoted value does not end; accepted: KEYWORD='VALUE' …");
    }
    Ok((value, ""))
}

/// C's `isspace`.
fn is_blank(c: char) -> bool {
    matches!(c, ' ' | '\t'..='\r')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_string_is_parsed_as_libpq_parses_it() {
        for (text, expected) in [
            ("", ""),
            ("host=x", "host=x"),
            (" host = x\tport\n=\n5", "host=x|port=5"),
            ("host='x ,y' port=1", "host=x ,y|port=1"),
            ("host=x',y port=1", "host=x',y|port=1"),
            ("host='a'port=1", "host=a|port=1"),
            ("host=a\\ b port=1", "host=a b|port=1"),
            ("host='a\\'b\\\\' port=1", "host=a'b\\|port=1"),
            ("host=a\\", "host=a"),
            ("host=a host=b", "host=b"),
            ("host= port=1", "host=port=1"),
            ("host=", "host="),
            ("host='' port=1", "host=|port=1"),
            ("=x", "=x"),
            ("HOST=x", "HOST=x"),
            ("host=à\u{a0}b", "host=à\u{a0}b"),
        ] {
            let settings = parse(text).unwrap();
            let read: Vec<_> = settings.iter().map(|(k, v)| format!("{k}={v}")).collect();
            assert_eq!(read.join("|"), expected, "{text}");
        }
        for text in [
            "host",
            "host x",
            "host='x",
            "host='x\\'",
            "a=b c",
            "'host'=x y",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
