//! The pieces of AWS Signature Version 4 that signing and verifying share: percent-encoding, the
//! signing key, and the signature of a hashed canonical request.
//!
//! Source: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html>
//! The keys derived here are secrets for a day: they are wiped on drop and never printed.

pub(crate) mod sha256;

use hmac::{Hmac, KeyInit, Mac};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, PercentEncode, utf8_percent_encode};
use sha2::Sha256;
use zeroize::Zeroizing;

use self::sha256::{Filled, Prefix, Sha256Words, Template, hex};
use crate::timestamp::{AMZ_DATE_LENGTH, AmzDate};
use crate::wipe::wipe;

/// The service that a token is scoped to: `rds-db`, and not `rds`.
pub(crate) const SERVICE: &str = "rds-db";
pub(crate) const ALGORITHM: &str = "AWS4-HMAC-SHA256";
pub(crate) const SCOPE_END: &str = "aws4_request";
/// What an action and a host must be for a token.
pub(crate) const ACTION: &str = "connect";
pub(crate) const SIGNED_HEADERS: &str = "host";
/// SHA-256 of no bytes: a token is a GET without a body.
pub(crate) const EMPTY_BODY_SHA256: &str =
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/// All but `A-Z a-z 0-9 - _ . ~` is encoded (RFC 3986, section 2.3).
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~');

/// Percent-encodes as Signature Version 4 asks, with upper-case hexadecimal digits.
pub(crate) fn encode(text: &str) -> PercentEncode<'_> {
    utf8_percent_encode(text, ENCODED)
}

/// A signature as 64 lower-case hexadecimal digits.
pub(crate) struct Signature([u8; Signature::LENGTH]);

impl Signature {
    pub(crate) const LENGTH: usize = 64;

    pub(crate) fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).expect("hexadecimal digits")
    }
}

impl Drop for Signature {
    fn drop(&mut self) {
        wipe(&mut self.0);
    }
}

/// A key for one secret access key, day and region, ready to sign with.
pub(crate) struct SigningKey {
    /// The inner half of the HMAC.
    inner: Prefix,
    /// The first block of the string to sign, with a place for the time. A region of which nobody
    /// has heard may be so long that there are more.
    opening: Template,
    /// The rest of it, with a place for the canonical request's hash.
    closing: Template,
    /// The outer half of the HMAC.
    outer: Prefix,
}

impl SigningKey {
    /// Derives the key; `date` is `YYYYMMDD`.
    pub(crate) fn derive(secret_access_key: &str, date: &str, region: &str) -> Self {
        let mut start = Zeroizing::new(Vec::with_capacity(4 + secret_access_key.len()));
        start.extend_from_slice(b"AWS4");
        start.extend_from_slice(secret_access_key.as_bytes());
        let mut key = Zeroizing::new(hmac(&start, date));
        for part in [region, SERVICE, SCOPE_END] {
            key = Zeroizing::new(hmac(key.as_slice(), part));
        }
        let [inner, outer] = Prefix::of_hmac_key(&key);

        let before_time = format!("{ALGORITHM}\n");
        let after_time = format!("\n{date}/{region}/{SERVICE}/{SCOPE_END}\n");
        let time = before_time.len()..before_time.len() + AMZ_DATE_LENGTH;
        let hash = time.end + after_time.len()..time.end + after_time.len() + 64;
        let mut text = before_time.into_bytes();
        text.resize(time.end, 0);
        text.extend_from_slice(after_time.as_bytes());
        text.resize(hash.end, 0);
        let (opening, closing) = text.split_at(hash.start / 64 * 64);
        let before = inner.length() + opening.len();
        let hash = hash.start - opening.len()..hash.end - opening.len();
        Self {
            inner,
            opening: Template::of_blocks(opening, time),
            closing: Template::of_end(before, closing, hash),
            outer,
        }
    }

    /// Begins to sign for a moment of the key's day.
    pub(crate) fn begin(&self, amz_date: &AmzDate) -> Signing<'_> {
        Signing {
            key: self,
            opening: self.opening.fill(amz_date.as_bytes()),
        }
    }
}

/// A signature begun.
pub(crate) struct Signing<'a> {
    key: &'a SigningKey,
    opening: Filled<'a>,
}

impl Signing<'_> {
    /// Signs a canonical request, by its hash.
    pub(crate) fn finish(self, canonical_request: &Sha256Words) -> Signature {
        // First, since it needs no other hash: the processor does it while it ends that one.
        let opened = self.opening.hash(self.key.inner.state());
        let closing = self.key.closing.fill(&hex(canonical_request));
        let inner = closing.hash(&opened);
        Signature(hex(&self.key.outer.finish_with(&inner)))
    }
}

fn hmac(key: &[u8], text: &str) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes a key of any length");
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().into()
}

#[cfg(test)]
mod tests {
    use super::sha256::sha256;
    use super::*;
    use crate::timestamp::Timestamp;

    #[test]
    fn a_signature_is_an_hmac_of_the_string_to_sign_however_long_the_region_is() {
        let amz_date = Timestamp::from_unix_seconds(1_724_709_600)
            .unwrap()
            .amz_date();
        let date = amz_date.date();
        let hash = sha256(b"a canonical request");
        for region in (1..200).map(|length| "r".repeat(length)) {
            let mut key = b"AWS4secret".to_vec();
            for part in [date, &region, SERVICE, SCOPE_END] {
                key = hmac(&key, part).to_vec();
            }
            let scope = format!("{date}/{region}/{SERVICE}/{SCOPE_END}");
            let (amz, digits) = (amz_date.as_str(), hex(&hash));
            let digits = std::str::from_utf8(&digits).unwrap();
            let expected = hmac(&key, &format!("{ALGORITHM}\n{amz}\n{scope}\n{digits}"));
            let expected: String = expected.iter().map(|byte| format!("{byte:02x}")).collect();
            let signature = SigningKey::derive("secret", date, &region)
                .begin(&amz_date)
                .finish(&hash);
            assert_eq!(signature.as_str(), expected, "{region}");
        }
    }
}
