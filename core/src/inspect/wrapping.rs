//! Removes the layers around a token: white space, quotes, escapes, a scheme, a second
//! percent-encoding, and those of [`enclosing`](super::enclosing). Each layer adds a finding, and
//! then the text inside is read.
//!
//! A password may look like any of these layers. A layer that changes the inside of the text is
//! removed only if the text has parameters of a token.

use zeroize::Zeroizing;

use super::enclosing::{base64, several_tokens, surroundings};
use super::finding::{Finding, FindingId};
use crate::received::percent_decoded;

/// A text without its layers, and a finding for each kind of layer.
pub(super) struct Unwrapped {
    pub(super) text: Zeroizing<String>,
    pub(super) findings: Vec<Finding>,
}

pub(super) const QUOTES: [char; 12] = [
    '\\', '"', '\'', '`', '\u{2018}', '\u{2019}', '\u{201c}', '\u{201d}', '\u{201e}', '\u{ab}',
    '\u{bb}', '\u{2033}',
];

/// Escapes of other notations, and the characters that they represent.
const ESCAPES: [(&str, &str); 10] = [
    ("&amp;", "&"),
    ("\\u0026", "&"),
    ("\\u003d", "="),
    ("\\u003f", "?"),
    ("\\:", ":"),
    ("\\/", "/"),
    ("\\?", "?"),
    ("\\=", "="),
    ("\\&", "&"),
    ("\\%", "%"),
];

/// The maximum number of layers to remove. No real token has so many.
const MOST_LAYERS: usize = 20;

type Layer = fn(&str) -> Option<(Zeroizing<String>, Finding)>;

pub(super) fn unwrap(text: &str) -> Unwrapped {
    const LAYERS: [Layer; 9] = [
        outer_white_space,
        base64,
        several_tokens,
        surroundings,
        quotes,
        whole_encoding,
        escapes,
        scheme,
        inner_white_space,
    ];
    let mut unwrapped = Unwrapped {
        text: Zeroizing::new(text.to_owned()),
        findings: Vec::new(),
    };
    for _ in 0..MOST_LAYERS {
        let Some((inside, finding)) = LAYERS.iter().find_map(|layer| layer(&unwrapped.text)) else {
            break;
        };
        unwrapped.text = inside;
        if !unwrapped.findings.iter().any(|f| f.id() == finding.id()) {
            unwrapped.findings.push(finding);
        }
    }
    if let Some((inside, finding)) = encoded_values(&unwrapped.text) {
        unwrapped.text = inside;
        if !unwrapped.findings.iter().any(|f| f.id() == finding.id()) {
            unwrapped.findings.push(finding);
        }
    }
    unwrapped
}

/// Returns whether a text has parameters of a token, however often it was encoded.
pub(super) fn has_parameters(text: &str) -> bool {
    let text = Zeroizing::new(text.to_ascii_lowercase());
    text.contains("x-amz-") || text.contains("action=") || text.contains("action%")
}

pub(super) fn is_blank(c: char) -> bool {
    c.is_whitespace() || c.is_control() || matches!(c, '\u{feff}' | '\u{200b}')
}

pub(super) fn copied(text: &str) -> Zeroizing<String> {
    Zeroizing::new(text.to_owned())
}

/// Replaces a part by one that is not longer, in one allocation: a text that grows leaves copies.
fn replaced(text: &str, written: &str, meant: &str) -> Zeroizing<String> {
    let mut inside = Zeroizing::new(String::with_capacity(text.len()));
    for (index, part) in text.split(written).enumerate() {
        if index > 0 {
            inside.push_str(meant);
        }
        inside.push_str(part);
    }
    inside
}

fn white_space(what: &str) -> Finding {
    Finding::new(
        FindingId::WhiteSpace,
        what,
        "Strip it where the token is read: files and command output end with a newline, and \
         terminals wrap long lines when they are copied.",
    )
}

fn outer_white_space(text: &str) -> Option<(Zeroizing<String>, Finding)> {
    let trimmed = text.trim_matches(is_blank);
    let end = &text[text.trim_end_matches(is_blank).len()..];
    let problem = match end {
        _ if trimmed.len() == text.len() => return None,
        "" => "It starts with white space.",
        end if end.contains(['\n', '\r']) => "It ends with a newline.",
        _ => "It ends with white space.",
    };
    Some((copied(trimmed), white_space(problem)))
}

/// Removes blanks inside a token, except for spaces in the user name, which may belong to it.
fn inner_white_space(text: &str) -> Option<(Zeroizing<String>, Finding)> {
    if !has_parameters(text) {
        return None;
    }
    let mut without = Zeroizing::new(String::with_capacity(text.len()));
    for (index, part) in text.split('&').enumerate() {
        if index > 0 {
            without.push('&');
        }
        let keeps_spaces = part.starts_with("DBUser=");
        without.extend(
            part.chars()
                .filter(|&c| !is_blank(c) || keeps_spaces && c == ' '),
        );
    }
    let finding = white_space("It contains white space or a newline.");
    (without.len() < text.len()).then_some((without, finding))
}

fn quotes(text: &str) -> Option<(Zeroizing<String>, Finding)> {
    let inside = text.trim_matches(QUOTES);
    let finding = Finding::new(
        FindingId::Quoted,
        "It has quotes around it, which are sent as part of it.",
        "Remove them where the token is stored: a shell removes quotes, but .env files, YAML, \
         `docker --env-file` and JSON tools may keep them (use jq -r).",
    );
    (inside.len() < text.len()).then(|| (copied(inside), finding))
}

fn encoded_twice(problem: &str) -> Finding {
    Finding::new(
        FindingId::EncodedTwice,
        problem,
        "Give the driver the token as it was printed. Encode it again only inside a connection \
         URL, where the driver decodes it. Drivers do not decode a password option or a variable.",
    )
}

/// Decodes a token whose `?` is encoded too.
fn whole_encoding(text: &str) -> Option<(Zeroizing<String>, Finding)> {
    let lower = Zeroizing::new(text.to_ascii_lowercase());
    let encoded = ["%3f", "%253f"].iter().any(|mark| lower.contains(mark));
    if text.contains('?') || !encoded || !has_parameters(text) {
        return None;
    }
    let decoded = percent_decoded(text)?;
    let finding = encoded_twice("All of it is percent-encoded again.");
    (decoded.len() < text.len()).then_some((decoded, finding))
}

/// Decodes a token whose `%` are encoded, as by JavaScript's `encodeURI`. Only the slashes in
/// `X-Amz-Credential` show this: in a user name or a session token, `%25` may be correct.
fn encoded_values(text: &str) -> Option<(Zeroizing<String>, Finding)> {
    let (before, query) = text.split_once('?')?;
    let credential = query
        .split('&')
        .find_map(|part| part.strip_prefix("X-Amz-Credential="))?;
    if !credential.to_ascii_lowercase().contains("%252f") {
        return None;
    }
    let finding = encoded_twice("Its values are percent-encoded twice: %252F instead of %2F.");
    let inside = [before, "?", &replaced(query, "%25", "%")].concat();
    Some((Zeroizing::new(inside), finding))
}

fn escapes(text: &str) -> Option<(Zeroizing<String>, Finding)> {
    if !has_parameters(text) {
        return None;
    }
    let mut inside = copied(text);
    for (written, meant) in ESCAPES {
        inside = replaced(&inside, written, meant);
    }
    let finding = Finding::new(
        FindingId::Escaped,
        r"It contains escapes of another notation, such as \u0026, &amp; or \:.",
        "Decode it with a parser for that notation, such as JSON or HTML. In .pgpass, libpq reads \
         `\\:` as a colon.",
    );
    (inside.len() < text.len()).then_some((inside, finding))
}

fn scheme(text: &str) -> Option<(Zeroizing<String>, Finding)> {
    let lower = Zeroizing::new(text.to_ascii_lowercase());
    let scheme = ["https://", "http://"]
        .into_iter()
        .find(|scheme| lower.starts_with(scheme))?;
    let finding = Finding::new(
        FindingId::Scheme,
        format!("It starts with {scheme}, like the presigned URL it is made from."),
        format!("Remove {scheme}: a token starts with the host name."),
    );
    Some((copied(&text[scheme.len()..]), finding))
}
