//! Signs requests with the key of a login (DPoP, proof of possession).
//!
//! Source: <https://www.rfc-editor.org/rfc/rfc9449>

use std::time::{SystemTime, UNIX_EPOCH};

use aws_smithy_types::base64;
use ring::rand::{SecureRandom, SystemRandom};
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use serde_json::json;
use zeroize::Zeroizing;

/// A login's P-256 key, which signs its requests.
pub(super) struct DpopKey {
    pair: EcdsaKeyPair,
    public: Vec<u8>,
    random: SystemRandom,
}

impl DpopKey {
    /// Reads a key from PEM, in SEC 1 or PKCS 8 form.
    pub(super) fn read(pem: &str) -> Option<Self> {
        let text: String = pem
            .lines()
            .filter(|line| !line.starts_with("-----"))
            .collect();
        let der = Zeroizing::new(base64::decode(text.trim()).ok()?);
        // SEQUENCE { INTEGER 1, OCTET STRING (32 bytes), …, BIT STRING (0, 4, x, y) }
        let start = [2, 1, 1, 4, 32];
        let at = der.windows(start.len()).position(|bytes| bytes == start)?;
        let private = der.get(at + start.len()..)?.get(..32)?;
        let public = der.get(der.len().checked_sub(65)?..)?;
        let random = SystemRandom::new();
        let algorithm = &ECDSA_P256_SHA256_FIXED_SIGNING;
        let pair =
            EcdsaKeyPair::from_private_key_and_public_key(algorithm, private, public, &random);
        Some(Self {
            pair: pair.ok()?,
            public: public.to_vec(),
            random,
        })
    }

    /// Returns the DPoP header for one request to this URL.
    pub(super) fn proof(&self, url: &str, now: SystemTime) -> Option<String> {
        let mut id = [0; 16];
        self.random.fill(&mut id).ok()?;
        let now = now.duration_since(UNIX_EPOCH).ok()?.as_secs();
        let (x, y) = (self.public.get(1..33)?, self.public.get(33..)?);
        let key = json!({"kty": "EC", "crv": "P-256", "x": base64_url(x), "y": base64_url(y)});
        let header = json!({"typ": "dpop+jwt", "alg": "ES256", "jwk": key});
        let payload = json!({"htm": "POST", "htu": url, "iat": now, "jti": hex(&id)});
        let parts = [header, payload].map(|part| base64_url(part.to_string().as_bytes()));
        let signed = parts.join(".");
        let signature = self.pair.sign(&self.random, signed.as_bytes()).ok()?;
        Some(format!("{signed}.{}", base64_url(signature.as_ref())))
    }
}

fn base64_url(bytes: &[u8]) -> String {
    let text = base64::encode(bytes).replace('+', "-").replace('/', "_");
    text.trim_end_matches('=').to_owned()
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_invalid_key_is_rejected() {
        for text in [
            "",
            "AAAA",
            "-----BEGIN EC PRIVATE KEY-----\n!\n-----END EC PRIVATE KEY-----",
        ] {
            assert!(DpopKey::read(text).is_none(), "{text}");
        }
    }
}
