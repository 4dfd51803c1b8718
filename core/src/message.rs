//! Formats text for messages: quoted input and durations.
//!
//! Messages quote input with these functions, so that no control character reaches a terminal or a
//! log, and long input does not make a long message. Users put a token or a URL with a password
//! where a host name is expected, so [`quoted`] hides what may be a secret.

use std::ops::Range;
use std::time::Duration;

/// The maximum number of characters of input that a message quotes.
const SHOWN: usize = 100;

/// The parameters of a token that no message shows, in lower case. The access key ID may be a
/// secret, too: some callers swap it with the secret access key.
const SECRET_PARAMETERS: [&str; 3] = [
    "x-amz-credential",
    "x-amz-security-token",
    "x-amz-signature",
];

/// The fields of connection strings, URLs, assignments and JSON whose values are secrets, or the
/// ends of their names, in lower case.
const SECRET_FIELDS: [&str; 5] = [
    "password",
    "passwd",
    "pwd",
    "secret_access_key",
    "session_token",
];

/// Quotes and escapes input for a message. Hides what [`without_secrets`] hides, and truncates the
/// text to 100 characters.
pub fn quoted(text: &str) -> String {
    quoted_as_is(&without_secrets(text))
}

/// Like [`quoted`], but hides nothing, for the text of a policy: `*:jane@example.com` is the value
/// of a condition there, not a user name and a password.
pub(crate) fn quoted_as_is(text: &str) -> String {
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{:?}…", &text[..end]),
        None => format!("{text:?}"),
    }
}

/// Escapes input and truncates it to 100 characters, without quotes. Hides nothing.
pub fn shortened(text: &str) -> String {
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", text[..end].escape_debug()),
        None => text.escape_debug().to_string(),
    }
}

/// Replaces what may be a secret with `…`: the password of a URL or of `USER:PASSWORD@HOST`, and
/// everything after the name of a secret field or of a token's secret parameter. An `@` without a
/// `:` before it is not the end of a password.
pub fn without_secrets(text: &str) -> String {
    let cuts = [secret_parameter(text), secret_field(text)];
    let end = cuts.into_iter().flatten().min();
    let password = url_password(text);
    let mut shown = text.to_owned();
    // The later one first, so that the position of the other stays right.
    match (end, password) {
        (Some(end), Some(password)) if end >= password.end => {
            shown.replace_range(end.., "…");
            shown.replace_range(password, "…");
        }
        // It starts in the password, or before.
        (Some(end), password) => {
            let start = password.map_or(end, |password| password.start.min(end));
            shown.replace_range(start.., "…");
        }
        (None, Some(password)) => shown.replace_range(password, "…"),
        (None, None) => {}
    }
    shown
}

/// Returns whether a text contains a secret parameter of a token.
pub(crate) fn has_secret_parameter(text: &str) -> bool {
    secret_parameter(text).is_some()
}

/// Returns the end of the name of the first secret parameter of a token.
fn secret_parameter(text: &str) -> Option<usize> {
    let text = text.to_ascii_lowercase();
    let ends = SECRET_PARAMETERS.iter().filter_map(|name| {
        let start = text.find(name)?;
        Some(start + name.len())
    });
    ends.min()
}

/// Returns where the value of the first secret field starts.
fn secret_field(text: &str) -> Option<usize> {
    let text = text.to_ascii_lowercase();
    let is_between = |c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '\\');
    let starts = SECRET_FIELDS.iter().flat_map(|name| {
        let ends = text.match_indices(name).map(|(at, name)| at + name.len());
        ends.filter_map(|end| {
            let behind = text[end..].trim_start_matches(is_between);
            behind
                .starts_with(['=', ':'])
                .then(|| text.len() - behind.len() + 1)
        })
    });
    starts.min()
}

/// Returns where the password of a URL is. It reaches up to the last `@`: users do not encode an
/// `@` or a `/` in it.
fn url_password(text: &str) -> Option<Range<usize>> {
    // The session name of an assumed role is often an email address.
    if text.starts_with("arn:") {
        return None;
    }
    let end = text.rfind('@')?;
    let user = text.find("://").map_or(0, |scheme| scheme + "://".len());
    let start = user + text.get(user..end)?.find(':')? + 1;
    (start < end).then_some(start..end)
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

/// Formats a duration in seconds with one decimal, as in `5.5 s`. Formatting it as a float would add
/// the code for all floats to the smallest library: 2 % of its size.
pub(crate) fn seconds(duration: Duration) -> String {
    let tenths =
        duration.as_secs().saturating_mul(10) + u64::from((duration.subsec_millis() + 50) / 100);
    format!("{}.{} s", tenths / 10, tenths % 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_have_one_rounded_decimal() {
        for (milliseconds, shown) in [
            (0, "0.0 s"),
            (949, "0.9 s"),
            (950, "1.0 s"),
            (5500, "5.5 s"),
        ] {
            assert_eq!(seconds(Duration::from_millis(milliseconds)), shown);
        }
    }

    #[test]
    fn a_password_and_the_secrets_of_a_token_are_not_quoted() {
        for (text, shown) in [
            (
                "postgresql://admin:hunter2@mydb/app",
                "postgresql://admin:…@mydb/app",
            ),
            (
                "postgres://admin:hun/te@r2@mydb:5432/app",
                "postgres://admin:…@mydb:5432/app",
            ),
            ("postgresql://:hunter2@mydb", "postgresql://:…@mydb"),
            ("jdbc:postgresql://a:hunter2@b", "jdbc:postgresql://a:…@b"),
            (
                "postgresql://a:hunter2@b,c:hunter2@d/e",
                "postgresql://a:…@d/e",
            ),
            ("postgresql:/a:hunter2@b", "postgresql:…@b"),
            ("admin:hunter2@mydb", "admin:…@mydb"),
            ("admin:hunter2@", "admin:…@"),
            ("5432 password=hunter2", "5432 password=…"),
            ("host=a password = 'hunter2' port=1", "host=a password =…"),
            ("//mydb?sslPassword=hunter2&a=b", "//mydb?sslPassword=…"),
            ("Server=mydb;Pwd=hunter2;", "Server=mydb;Pwd=…"),
            (r#"{"password": "hunter2"}"#, r#"{"password":…"#),
            (
                "postgresql://a:hunter2@b?password=hunter2",
                "postgresql://a:…@b?password=…",
            ),
            ("postgres://a:hunterpwd:2@mydb", "postgres://a:…"),
            ("PGPASSWORD=hunter2", "PGPASSWORD=…"),
            (
                "aws_secret_access_key = hunter2",
                "aws_secret_access_key =…",
            ),
            ("X-Amz-Signature=hunter2", "X-Amz-Signature…"),
            (
                "a&x-amz-security-token%3Dhunter2",
                "a&x-amz-security-token…",
            ),
            (
                "X-Amz-Date=1&X-Amz-Credential=hunter2&X-Amz-Signature=hunter2",
                "X-Amz-Date=1&X-Amz-Credential…",
            ),
        ] {
            assert_eq!(without_secrets(text), shown);
            assert_eq!(quoted(text), format!("{shown:?}"));
        }
    }

    #[test]
    fn an_ordinary_wrong_value_is_quoted_in_full() {
        for text in [
            "",
            "Mydb.example.com:5432",
            "user@host",
            "user@host:5432",
            "jane@example.com@host:5432",
            "postgresql://mydb:5432/app",
            "postgresql://jane@mydb:5432/app",
            "[::1]:5432",
            "@:",
            ":@",
            "password",
            "password_host",
            "arn:aws:sts::123456789012:assumed-role/admin/jane@example.com",
            "a,b:5432,c",
            "ünï:cödé",
            "X-Amz-Date=20240826T220000Z",
        ] {
            assert_eq!(quoted(text), format!("{text:?}"));
        }
    }
}
