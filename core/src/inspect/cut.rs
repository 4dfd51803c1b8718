//! Detects a token whose end or beginning is missing, and says where it ends.
//!
//! The SDKs put different parameters last, so the missing parts, and not the length, show where a
//! token was cut.

use super::finding::{Finding, FindingId};
use super::reading::Reading;
use crate::received::PARAMETERS;
use crate::sigv4::SIGNED_HEADERS;

const SIGNATURE_LENGTH: usize = 64;

/// Common lengths of password fields and buffers, with and without their terminator.
const USUAL_LIMITS: [std::ops::RangeInclusive<usize>; 7] = [
    63..=64,
    127..=128,
    254..=256,
    510..=512,
    998..=1000,
    1022..=1024,
    1998..=2048,
];

pub(super) fn cut(text: &str, place: &str) -> Finding {
    let length = text.chars().count();
    let limit = match USUAL_LIMITS.iter().any(|limit| limit.contains(&length)) {
        true => ", a common limit for passwords",
        false => "",
    };
    Finding::new(
        FindingId::CutShort,
        format!("It ends {place}. It is {length} characters long{limit}."),
        "Look for a field or a buffer that is too short: a token has about 350 characters, and up \
         to 3,000 with temporary keys. In a shell, quote it: an unquoted & ends the command.",
    )
}

pub(super) fn cut_short(text: &str, reading: &Reading<'_>) -> Option<Finding> {
    // Without a ?, reading.before is the whole text.
    let starts_late = !reading.has_query && {
        let (name, _) = text.split_once('=').unwrap_or_default();
        !name.is_empty() && PARAMETERS.iter().any(|known| known.ends_with(name))
    };
    if reading.before.is_empty() || reading.before.starts_with([':', '/']) || starts_late {
        return Some(Finding::new(
            FindingId::CutShort,
            "Its beginning is missing: a token starts with the host name and the port.",
            "Copy the whole output, from the host name on.",
        ));
    }
    let last = reading.parameters.last()?;
    let starts_a_name = last.value.is_none() && PARAMETERS.iter().any(|n| n.starts_with(last.name));
    if starts_a_name {
        return Some(cut(text, "within the name of a parameter"));
    }
    let Some(signature) = reading.raw("X-Amz-Signature") else {
        return Some(cut(text, "before its signature"));
    };
    let digits = signature.value.unwrap_or_default();
    let is_hexadecimal = digits.bytes().all(|b| b.is_ascii_hexdigit());
    let signature_is_last = last.name == "X-Amz-Signature";
    if signature_is_last && is_hexadecimal && digits.len() < SIGNATURE_LENGTH {
        let place = format!(
            "within its signature, after {} of {SIGNATURE_LENGTH} digits",
            digits.len()
        );
        return Some(cut(text, &place));
    }
    // Some SDKs put the signed headers after the signature.
    let headers = reading.raw("X-Amz-SignedHeaders").map(|h| h.value);
    let headers_are_cut = match headers {
        None => signature_is_last && digits.len() == SIGNATURE_LENGTH,
        Some(value) => {
            let value = value.unwrap_or_default();
            last.name == "X-Amz-SignedHeaders"
                && value != SIGNED_HEADERS
                && SIGNED_HEADERS.starts_with(value)
        }
    };
    headers_are_cut.then(|| cut(text, "before the end of X-Amz-SignedHeaders"))
}
