//! Defines the fixed parts of the request that a token is made from, and its percent-encoding.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, PercentEncode, utf8_percent_encode};

pub(crate) const ALGORITHM: &str = "AWS4-HMAC-SHA256";
pub(crate) const SCOPE_END: &str = "aws4_request";
pub(crate) const SIGNED_HEADERS: &str = "host";
/// The SHA-256 of an empty body: a token is a GET request without a body.
pub(crate) const EMPTY_BODY_SHA256: &str =
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/// The encoded characters: all except `A-Z a-z 0-9 - _ . ~` (RFC 3986, section 2.3).
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~');

/// Percent-encodes as Signature Version 4 requires, with upper-case hexadecimal digits.
pub(crate) fn encode(text: &str) -> PercentEncode<'_> {
    utf8_percent_encode(text, ENCODED)
}
