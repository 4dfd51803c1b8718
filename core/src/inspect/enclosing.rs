//! Finds a token inside other text: a connection URL, an assignment, JSON, base64 or another token.
//!
//! A token is found by its query: `?` and the name of a known parameter, and a host name before it.
//! What surrounds a token may be a secret, so no text here repeats it.

use zeroize::Zeroizing;

use super::finding::{Finding, FindingId};
use super::wrapping::{QUOTES, copied, has_parameters, is_blank};
use crate::received::{PARAMETERS, percent_decoded};

/// What ends a token that is inside other text. White space may also be inside it.
const CLOSING: [char; 12] = [
    '"', '\'', '`', '<', '>', '{', '}', '(', ')', '@', ',', '\u{201d}',
];

/// Where a token is in a text.
struct Place {
    /// Where its host name starts.
    start: usize,
    /// Where its `?` is.
    query: usize,
    is_encoded: bool,
}

/// Removes the text around a token, and decodes the token if a connection URL encodes it.
pub(super) fn surroundings(text: &str) -> Option<(Zeroizing<String>, Finding)> {
    let place = places(text).into_iter().next()?;
    let is_around = |c: char| is_blank(c) || QUOTES.contains(&c);
    let before = text[..place.start].trim_start_matches(is_around);
    let is_scheme = ["https://", "http://"]
        .iter()
        .any(|s| before.eq_ignore_ascii_case(s));
    if before.is_empty() || is_scheme {
        return None;
    }
    let inside = &text[place.start..];
    let signature = end_of_signature(inside);
    let end = inside.char_indices().find(|&(at, c)| {
        let is_end_of_value = place.is_encoded && matches!(c, '&' | '?' | '/' | '#');
        CLOSING.contains(&c)
            || is_end_of_value
            || is_blank(c) && (place.is_encoded || signature.is_some_and(|end| at >= end))
    });
    let inside = &inside[..end.map_or(inside.len(), |(at, _)| at)];
    let inside = copied(inside.trim_end_matches('\\'));
    if !before.contains("://") {
        let finding = Finding::new(
            FindingId::Surrounded,
            "There is other text around the token, such as PGPASSWORD=, JSON or the fields of \
             .pgpass.",
            "Pass only the token: it starts with the host name.",
        );
        return Some((inside, finding));
    }
    let (problem, inside) = match place.is_encoded {
        true => (
            "It is a connection URL with a token in it.",
            percent_decoded(&inside)?,
        ),
        false => (
            "It is a connection URL with a token in it that is not percent-encoded.",
            inside,
        ),
    };
    let finding = Finding::new(
        FindingId::Surrounded,
        problem,
        "As a password, pass only the token. In a connection URL, percent-encode it.",
    );
    Some((inside, finding))
}

/// Keeps only the first of several tokens.
pub(super) fn several_tokens(text: &str) -> Option<(Zeroizing<String>, Finding)> {
    let places = places(text);
    let [first, second, ..] = &places[..] else {
        return None;
    };
    let end = first.query + end_of_signature(text.get(first.query..second.query)?)?;
    let finding = Finding::new(
        FindingId::SeveralTokens,
        "It is several tokens, one after the other; the rest of this report is about the first.",
        "Pass one token. Look for a program that appends a token where it should replace one.",
    );
    Some((copied(text.get(..end)?), finding))
}

/// Decodes base64, also without padding or in its form for URLs. Tokens for EKS have a prefix.
pub(super) fn base64(text: &str) -> Option<(Zeroizing<String>, Finding)> {
    let text = text.strip_prefix("k8s-aws-v1.").unwrap_or(text);
    let mut decoded = Zeroizing::new(Vec::with_capacity(text.len()));
    let (mut bits, mut count) = (0_u32, 0);
    for c in text.trim_end_matches('=').bytes() {
        let value = match c {
            b'A'..=b'Z' => c - b'A',
            b'a'..=b'z' => c - b'a' + 26,
            b'0'..=b'9' => c - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            b'\n' | b'\r' | b' ' => continue,
            _ => return None,
        };
        bits = bits << 6 | u32::from(value);
        count += 6;
        if count >= 8 {
            count -= 8;
            decoded.push(u8::try_from(bits >> count & 0xff).ok()?);
        }
    }
    let decoded = copied(str::from_utf8(&decoded).ok()?);
    let finding = Finding::new(
        FindingId::Base64,
        "It is encoded with base64.",
        "Decode it where the token is read, as `base64 -d` does. Kubernetes stores the values of a \
         Secret in base64, but passes them on decoded.",
    );
    has_parameters(&decoded).then_some((decoded, finding))
}

/// Returns the places of all tokens in a text. Encoded ones count only if there are no others: a
/// user name may look like one.
fn places(text: &str) -> Vec<Place> {
    let places = |mark: &str, equals: &[&str], is_encoded| {
        let found = text.match_indices(mark).filter_map(|(query, _)| {
            let behind = &text[query + mark.len()..];
            let is_query = PARAMETERS.iter().any(|name| {
                let value = behind.strip_prefix(name);
                value.is_some_and(|value| equals.iter().any(|equals| value.starts_with(equals)))
            });
            let start = is_query.then(|| start(text, query, is_encoded)).flatten()?;
            Some(Place {
                start,
                query,
                is_encoded,
            })
        });
        found.collect::<Vec<_>>()
    };
    let plain = places("?", &["="], false);
    if !plain.is_empty() {
        return plain;
    }
    let marks = ["%3F", "%3f", "%253F", "%253f"];
    let equals = ["%3D", "%3d", "%253D", "%253d"];
    let encoded = marks.into_iter().map(|mark| places(mark, &equals, true));
    encoded.flatten().collect()
}

/// Returns where the host name before a query starts. `None` if there is none, or if a path is
/// between them, as in another service's presigned URL.
fn start(text: &str, query: usize, is_encoded: bool) -> Option<usize> {
    let is_host = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let before = &text[..query];
    let start = if is_encoded {
        before.trim_end_matches(|c| is_host(c) || c == '%').len()
    } else {
        let authority = before.strip_suffix('/').unwrap_or(before);
        let without_port = authority.trim_end_matches(|c: char| c.is_ascii_digit());
        let hostname = without_port.strip_suffix(':').unwrap_or(authority);
        let start = match hostname.ends_with(']') {
            true => hostname.rfind('[')?,
            false => hostname.trim_end_matches(is_host).len(),
        };
        let name = &hostname[start..];
        let has_port = hostname.len() < authority.len();
        if name.is_empty() || !has_port && !name.contains('.') {
            return None;
        }
        start
    };
    let behind_a_path = before[..start].ends_with('/') && !before[..start].ends_with("//");
    (start < query && !behind_a_path).then_some(start)
}

/// Returns where a token's signature ends, and the signed headers, which some SDKs put after it.
fn end_of_signature(text: &str) -> Option<usize> {
    const NAME: &str = "X-Amz-Signature=";
    const HEADERS: &str = "&X-Amz-SignedHeaders=host";
    let digits = text.find(NAME)? + NAME.len();
    let end = digits + 64;
    let is_whole = text
        .get(digits..end)?
        .bytes()
        .all(|b| b.is_ascii_hexdigit());
    let has_headers = text[end..].starts_with(HEADERS);
    is_whole.then_some(if has_headers {
        end + HEADERS.len()
    } else {
        end
    })
}
