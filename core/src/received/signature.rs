//! Checks the signature and the session token of a received token against known credentials.
//!
//! All comparisons of secrets take constant time.

use aws_credential_types::Credentials;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::parts::Parts;
use crate::limits::HTTPS_PORT;
use crate::names::{Endpoint, Service};
use crate::sigv4::{EMPTY_BODY_SHA256, SIGNED_HEADERS, Signature, SigningKey, encode};
use crate::wipe::{LITTLE, with_clean_stack};

/// Compares the session token with that of the credentials. Returns what is wrong, or `None`. The
/// result continues a sentence such as "the session token …".
pub(crate) fn session_token_problem(
    parts: &Parts,
    credentials: &Credentials,
) -> Option<&'static str> {
    let known = credentials.session_token().filter(|t| !t.is_empty());
    match (known, parts.session_token()) {
        (None, None) => None,
        (Some(_), None) => Some("is missing"),
        (None, Some(_)) => Some("is unexpected"),
        (Some(known), Some(shown)) => {
            let same: bool = known.as_bytes().ct_eq(shown.as_bytes()).into();
            (!same).then_some("is wrong")
        }
    }
}

/// Returns the `host` header with which the credentials produce the token's signature. Returns
/// `None` if the signature is wrong.
pub(crate) fn signed_host(parts: &Parts, credentials: &Credentials) -> Option<String> {
    with_clean_stack::<LITTLE, _>(|| find_signed_host(parts, credentials))
}

fn find_signed_host(parts: &Parts, credentials: &Credentials) -> Option<String> {
    let mut query: Vec<(Zeroizing<String>, Zeroizing<String>)> = parts
        .signed_parameters()
        .iter()
        .map(|(name, value)| (encoded(name), encoded(value)))
        .collect();
    // The parser rejects duplicate names.
    query.sort_by(|(one, _), (other, _)| one.as_str().cmp(other));
    let key = SigningKey::derive(
        credentials.secret_access_key(),
        parts.scope_date(),
        parts.region(),
        parts.service(),
    );
    let amz_date = parts.signed_at().amz_date();
    let service = parts.known_service().unwrap_or(Service::Rds);
    candidates(parts.endpoint(), service)
        .into_iter()
        .find(|host| {
            let mut canonical_request = Sha256::new_with_prefix("GET\n/\n");
            for (index, (name, value)) in query.iter().enumerate() {
                let separator = if index == 0 { "" } else { "&" };
                for text in [separator, name.as_str(), "=", value.as_str()] {
                    canonical_request.update(text);
                }
            }
            canonical_request.update(format!(
                "\nhost:{host}\n\n{SIGNED_HEADERS}\n{EMPTY_BODY_SHA256}"
            ));
            let mut right = Signature::empty();
            key.sign(&amz_date, &mut canonical_request, &mut right);
            let same = right
                .as_str()
                .as_bytes()
                .ct_eq(parts.signature().as_bytes());
            same.into()
        })
}

/// Percent-encodes into one allocation, which is wiped, because the text may be a session token.
fn encoded(text: &str) -> Zeroizing<String> {
    let mut encoded = Zeroizing::new(String::with_capacity(3 * text.len()));
    encoded.extend(encode(text));
    encoded
}

/// Returns every `host` header that some SDK signs for an endpoint, botocore's first. The SDKs
/// treat upper case and port 443 differently, and RDS accepts them all. Duplicates are harmless.
fn candidates(endpoint: &Endpoint, service: Service) -> Vec<String> {
    let kept = endpoint.authority(service);
    let mut candidates = vec![
        endpoint.host_header(service),
        kept.to_ascii_lowercase(),
        kept,
    ];
    if endpoint.port() == HTTPS_PORT {
        candidates.push(endpoint.hostname().to_owned());
    }
    candidates
}
