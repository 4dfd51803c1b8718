//! Parses connection URIs, such as `postgresql://user@host:port/dbname?sslmode=…`, as libpq's
//! `conninfo_uri_parse` does. libpq splits them first and decodes `%XX` afterwards.
//!
//! Refuses more than libpq does: lists of hosts, and an `@` that could belong to a password.
//!
//! Source: <https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNSTRING-URIS>

use super::conninfo::Settings;

/// Parses what follows the scheme. The error does not repeat it, because it may contain a password.
pub(super) fn parse(rest: &str) -> Result<Settings, &'static str> {
    let mut settings = Settings::new();
    // As for libpq: the user ends at the first @ before any slash, even after a question mark.
    let before_slash = rest.split('/').next().unwrap_or_default();
    let rest = match before_slash.split_once('@') {
        Some((user_and_password, _)) => {
            let (user, password) = user_and_password
                .split_once(':')
                .unwrap_or((user_and_password, ""));
            insert(&mut settings, "user", user)?;
            insert(&mut settings, "password", password)?;
            &rest[user_and_password.len() + 1..]
        }
        None => rest,
    };
    let (before_query, query) = rest.split_once('?').unwrap_or((rest, ""));
    let (authority, dbname) = before_query.split_once('/').unwrap_or((before_query, ""));
    // Otherwise, a message about the host could show the end of a password.
    if before_query.contains('@') {
        return Err("`@` after the user; accepted: %40 in a password and in a name");
    }
    if authority.contains(',') {
        return Err("a list of hosts; accepted: one host");
    }
    let (host, port) = host_and_port(authority)?;
    insert(&mut settings, "host", host)?;
    insert(&mut settings, "port", port)?;
    insert(&mut settings, "dbname", dbname)?;
    for parameter in query.split('&').filter(|parameter| !parameter.is_empty()) {
        match parameter.split_once('=') {
            Some((keyword, value)) if !value.contains('=') => {
                settings.insert(decoded(keyword)?, decoded(value)?);
            }
            _ => return Err("not a parameter after `?`; accepted: KEYWORD=VALUE&…"),
        }
    }
    Ok(settings)
}

/// Splits an authority. An IPv6 address is in brackets.
fn host_and_port(authority: &str) -> Result<(&str, &str), &'static str> {
    let Some(rest) = authority.strip_prefix('[') else {
        return Ok(authority.split_once(':').unwrap_or((authority, "")));
    };
    match rest.split_once(']') {
        Some((host, "")) if !host.is_empty() => Ok((host, "")),
        Some((host, after)) if !host.is_empty() && after.starts_with(':') => {
            Ok((host, &after[1..]))
        }
        _ => Err("not an address in brackets; accepted: [ADDRESS] or [ADDRESS]:PORT"),
    }
}

/// libpq ignores an empty part before the question mark.
fn insert(settings: &mut Settings, keyword: &str, value: &str) -> Result<(), &'static str> {
    if !value.is_empty() {
        settings.insert(keyword.to_owned(), decoded(value)?);
    }
    Ok(())
}

/// Replaces `%XX`. Ignores blanks at both ends, as PostgreSQL 18 does.
fn decoded(text: &str) -> Result<String, &'static str> {
    const INVALID: &str = "not two hexadecimal digits after `%`; accepted: %25 for `%`";
    let mut bytes = Vec::new();
    let mut rest = text.trim_matches(' ').bytes();
    while let Some(byte) = rest.next() {
        let byte = if byte == b'%' {
            let mut digit = || char::from(rest.next()?).to_digit(16);
            let (high, low) = (digit().ok_or(INVALID)?, digit().ok_or(INVALID)?);
            (high * 16 + low) as u8
        } else {
            byte
        };
        bytes.push(byte);
    }
    match String::from_utf8(bytes) {
        Ok(decoded) if !decoded.contains('\0') => Ok(decoded),
        _ => Err("not text after decoding `%`; accepted: UTF-8 without NUL"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uri_is_parsed_as_libpq_parses_it() {
        for (text, expected) in [
            ("", ""),
            ("/app", "dbname=app"),
            ("h", "host=h"),
            ("h:5/a%20b", "dbname=a b|host=h|port=5"),
            ("u:p%40@h", "host=h|password=p@|user=u"),
            ("u@/app", "dbname=app|user=u"),
            ("[::1]:5/", "host=::1|port=5"),
            ("[::1]", "host=::1"),
            (
                "h:5?a@other/app",
                "dbname=app|host=other|password=5?a|user=h",
            ),
            ("h?host=o", "host=o"),
            ("h/?%68ost=o&host=p", "host=p"),
            ("h%2Co", "host=h,o"),
            ("%2Ftmp/app", "dbname=app|host=/tmp"),
            ("/app?host=", "dbname=app|host="),
            ("h? sslmode =disable ", "host=h|sslmode=disable"),
        ] {
            let settings = parse(text).unwrap();
            let read: Vec<_> = settings.iter().map(|(k, v)| format!("{k}={v}")).collect();
            assert_eq!(read.join("|"), expected, "{text}");
        }
        for text in [
            "h,o",
            "h:1,o:2",
            "h:1,o",
            "[::1],o",
            "[::1",
            "[]",
            "[::1]x",
            "u:pa@ss@h",
            "u:a@b:c@h",
            "u:a@b/c@h",
            "h/?a",
            "h/?a=b=c",
            "h%",
            "h%4",
            "h%zz",
            "h%00",
            "h%ff",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
