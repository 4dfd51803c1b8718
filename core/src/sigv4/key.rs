//! Derives the signing key of one day, and signs canonical requests with it.
//!
//! The constant parts are hashed once, and each signature continues from a clone of that state.
//! States and keys are secrets, so all are wiped on drop. The `zeroize` feature of `sha2` wipes the
//! states.

use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::request::{ALGORITHM, SCOPE_END};
use crate::timestamp::AmzDate;
use crate::wipe::wipe;

/// A signature as 64 lower-case hexadecimal digits. [`SigningKey::sign`] writes it in place.
pub(crate) struct Signature([u8; Signature::LENGTH]);

impl Signature {
    pub(crate) const LENGTH: usize = 64;

    /// Returns the place for a signature.
    pub(crate) fn empty() -> Self {
        Self([b'0'; Self::LENGTH])
    }

    pub(crate) fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).expect("hexadecimal digits")
    }
}

impl Drop for Signature {
    fn drop(&mut self) {
        wipe(&mut self.0);
    }
}

/// A signing key for one secret access key, day, region and service.
pub(crate) struct SigningKey {
    /// Boxed, because moving it would leave copies.
    key: Box<HmacKey>,
    /// The credential scope: the part of the string to sign between the time and the hash.
    scope: String,
}

impl SigningKey {
    /// Derives the key. `date` is `YYYYMMDD`, and `service` is the one in the credential scope. Leaves
    /// parts of keys on the stack.
    pub(crate) fn derive(secret_access_key: &str, date: &str, region: &str, service: &str) -> Self {
        let mut key = Box::<HmacKey>::default();
        let mut start = Zeroizing::new(Vec::with_capacity(4 + secret_access_key.len()));
        start.extend_from_slice(b"AWS4");
        start.extend_from_slice(secret_access_key.as_bytes());
        key.set(&start);
        let mut digest = Zeroizing::new([0; 32]);
        for part in [date, region, service, SCOPE_END] {
            key.sign(&[part.as_bytes()], &mut digest);
            key.set(digest.as_slice());
        }
        let scope = format!("\n{date}/{region}/{service}/{SCOPE_END}\n");
        Self { key, scope }
    }

    /// Signs a canonical request, given as the state of its hash. Resets that state. The time must
    /// be on the key's day.
    pub(crate) fn sign(
        &self,
        amz_date: &AmzDate,
        canonical_request: &mut Sha256,
        signature: &mut Signature,
    ) {
        let mut hash = [0; 64];
        hex(&canonical_request.finalize_reset().into(), &mut hash);
        let mut digest = Zeroizing::new([0; 32]);
        let string_to_sign = [
            ALGORITHM.as_bytes(),
            b"\n",
            amz_date.as_bytes(),
            self.scope.as_bytes(),
            &hash,
        ];
        self.key.sign(&string_to_sign, &mut digest);
        hex(&digest, &mut signature.0);
    }
}

/// An HMAC-SHA256 key (RFC 2104), as the hash states of its inner and outer padding. Does not use
/// the `hmac` crate, which does not wipe the block in which it pads the key.
#[derive(Default)]
struct HmacKey {
    inner: Sha256,
    outer: Sha256,
}

impl HmacKey {
    /// Replaces the key.
    fn set(&mut self, key: &[u8]) {
        let mut block = Zeroizing::new([0; 64]);
        match block.get_mut(..key.len()) {
            Some(start) => start.copy_from_slice(key),
            None => Sha256::new_with_prefix(key)
                .finalize_into((&mut block[..32]).try_into().expect("a hash has 32 bytes")),
        }
        // The second value also removes the first padding.
        for (state, pad) in [(&mut self.inner, 0x36), (&mut self.outer, 0x36 ^ 0x5c)] {
            block.iter_mut().for_each(|byte| *byte ^= pad);
            Digest::reset(state);
            state.update(block.as_slice());
        }
    }

    /// Writes the HMAC of a text, given in parts, to `digest`.
    fn sign(&self, parts: &[&[u8]], digest: &mut [u8; 32]) {
        let mut inner = self.inner.clone();
        parts.iter().for_each(|part| inner.update(part));
        // Finishes in place, because moving a state may leave a copy that nothing wipes.
        Digest::finalize_into_reset(&mut inner, digest.into());
        let mut outer = self.outer.clone();
        outer.update(digest.as_slice());
        Digest::finalize_into_reset(&mut outer, digest.into());
    }
}

/// Writes a hash as lower-case hexadecimal digits. Computes eight digits at once, in the bytes of
/// a `u64`. One digit at a time would take as long as two blocks of SHA-256 in a build that is
/// optimized for size.
fn hex(hash: &[u8; 32], digits: &mut [u8; 64]) {
    let (words, _) = hash.as_chunks();
    let (places, _) = digits.as_chunks_mut();
    for (place, word) in places.iter_mut().zip(words) {
        let mut nibbles = u64::from(u32::from_be_bytes(*word));
        nibbles = (nibbles << 16 | nibbles) & 0x0000_ffff_0000_ffff;
        nibbles = (nibbles << 8 | nibbles) & 0x00ff_00ff_00ff_00ff;
        nibbles = (nibbles << 4 | nibbles) & 0x0f0f_0f0f_0f0f_0f0f;
        // 1 for each digit that is a letter: `a` is 39 after `:`, which follows `9`.
        let letters = (nibbles + 0x0606_0606_0606_0606) >> 4 & 0x0101_0101_0101_0101;
        *place = (nibbles + 0x3030_3030_3030_3030 + letters * 39).to_be_bytes();
    }
}

#[cfg(test)]
mod tests {
    use hmac::{Hmac, KeyInit, Mac};
    use zeroize::ZeroizeOnDrop;

    use super::*;
    use crate::timestamp::Timestamp;

    fn hmac(key: &[u8], text: &str) -> [u8; 32] {
        let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
        mac.update(text.as_bytes());
        mac.finalize().into_bytes().into()
    }

    fn printed(bytes: &[u8]) -> String {
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    #[test]
    fn hash_states_are_wiped_on_drop() {
        fn is_wiped<T: ZeroizeOnDrop>(_: T) {}
        is_wiped(Sha256::new());
    }

    #[test]
    fn hex_equals_the_digits_of_format() {
        for byte in 0..=u8::MAX {
            let mut bytes = [byte; 32];
            bytes[..6].copy_from_slice(&[0x01, 0x23, 0xab, 0xcd, 0, 0xff]);
            let mut digits = [0; 64];
            hex(&bytes, &mut digits);
            assert_eq!(digits, printed(&bytes).as_bytes());
        }
    }

    #[test]
    fn hmac_equals_the_hmac_crate_for_every_key_length() {
        for length in 0..200 {
            let key: Vec<u8> = (0..length).collect();
            let mut digest = [0; 32];
            let mut hmac_key = HmacKey::default();
            hmac_key.set(&key);
            hmac_key.sign(&[b"in ", b"", b"parts"], &mut digest);
            assert_eq!(digest, hmac(&key, "in parts"), "{length}");
        }
    }

    #[test]
    fn a_signature_is_the_hmac_of_the_string_to_sign_for_every_region_length() {
        let amz_date = Timestamp::from_unix_seconds(1_724_709_600)
            .unwrap()
            .amz_date();
        let date = amz_date.date();
        let request = Sha256::new_with_prefix("a canonical request");
        let hash = printed(&request.clone().finalize());
        for region in (1..200).map(|length| "r".repeat(length)) {
            let mut key = b"AWS4secret".to_vec();
            for part in [date, &region, "rds-db", SCOPE_END] {
                key = hmac(&key, part).to_vec();
            }
            let scope = format!("{date}/{region}/rds-db/{SCOPE_END}");
            let amz_date_text = amz_date.as_str();
            let string_to_sign = format!("{ALGORITHM}\n{amz_date_text}\n{scope}\n{hash}");
            let expected = printed(&hmac(&key, &string_to_sign));
            let key = SigningKey::derive("secret", date, &region, "rds-db");
            let mut signature = Signature::empty();
            key.sign(&amz_date, &mut request.clone(), &mut signature);
            assert_eq!(signature.as_str(), expected, "{region}");
        }
    }
}
