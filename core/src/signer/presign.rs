//! Builds the text of a token, byte for byte as botocore and the AWS CLI print it.
//!
//! A token is a presigned GET request without its `https://`. The printed parameters are in
//! botocore's order, and the signed ones are sorted, so the session token is in different places.
//! [`Presigner`] computes once what stays the same for a day.

use aws_credential_types::Credentials;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::names::{Endpoint, Region, Service};
use crate::sigv4::{
    ALGORITHM, EMPTY_BODY_SHA256, SCOPE_END, SIGNED_HEADERS, Signature, SigningKey, encode,
};
use crate::timestamp::{AmzDate, Timestamp};

/// The contents of a token, except for the credentials and the signing time.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) service: Service,
    pub(crate) endpoint: Endpoint,
    pub(crate) username: String,
    pub(crate) region: Region,
    /// Seconds, from 1 to the service's maximum.
    pub(crate) expires_in: u32,
}

/// Signs one [`Request`] with one set of credentials on one day (UTC).
pub(crate) struct Presigner {
    day: i64,
    /// A time of that day.
    amz_date: AmzDate,
    key: SigningKey,
    /// The token up to the signing time.
    printed_head: String,
    /// The hash of the canonical request up to the signing time.
    signed_head: Sha256,
    /// The canonical request after the signing time.
    signed_tail: Zeroizing<String>,
    /// The token between the signing time and the signature.
    printed_tail: Zeroizing<String>,
}

impl Presigner {
    pub(crate) fn new(request: &Request, credentials: &Credentials, time: Timestamp) -> Self {
        let amz_date = time.amz_date();
        let date = amz_date.date();
        let region = request.region.as_str();
        let service = request.service.signing_name();
        let (user, username) = match request.service.names_login() {
            true => ("&DBUser=", request.username.as_str()),
            false => ("", ""),
        };
        let query_head = format!(
            "Action={}{user}{}&X-Amz-Algorithm={ALGORITHM}\
             &X-Amz-Credential={}%2F{date}%2F{region}%2F{service}%2F{SCOPE_END}&X-Amz-Date=",
            request.service.action(&request.username).name,
            encode(username),
            encode(credentials.access_key_id()),
        );
        let expires = format!("&X-Amz-Expires={}", request.expires_in);
        let signed_headers = format!("&X-Amz-SignedHeaders={SIGNED_HEADERS}");
        let session_token = encoded_session_token(credentials);
        let host = request.endpoint.host_header(request.service);

        let mut signed_head = Sha256::new_with_prefix("GET\n/\n");
        signed_head.update(&query_head);
        let signed_tail = concat(&[
            &expires,
            &session_token,
            &signed_headers,
            "\nhost:",
            &host,
            "\n\n",
            SIGNED_HEADERS,
            "\n",
            EMPTY_BODY_SHA256,
        ]);
        Self {
            day: time.day(),
            key: SigningKey::derive(credentials.secret_access_key(), date, region, service),
            printed_head: format!(
                "{}/?{query_head}",
                request.endpoint.authority(request.service)
            ),
            signed_head,
            signed_tail,
            printed_tail: concat(&[
                &expires,
                &signed_headers,
                &session_token,
                "&X-Amz-Signature=",
            ]),
            amz_date,
        }
    }

    /// Returns whether this can sign at a time: a signing key is derived for one day.
    pub(crate) fn covers(&self, time: Timestamp) -> bool {
        self.day == time.day()
    }

    /// Returns the token in one allocation, with one byte of spare capacity. The time must be on
    /// the day that this was made for.
    pub(crate) fn sign(&self, time: Timestamp) -> String {
        debug_assert!(self.covers(time), "a signing key is derived for one day");
        let amz_date = self.amz_date.at(time);
        let parts = [&self.printed_head, amz_date.as_str(), &self.printed_tail];
        let length: usize = parts.iter().map(|part| part.len()).sum();
        let mut token = String::with_capacity(length + Signature::LENGTH + 1);
        parts.iter().for_each(|part| token.push_str(part));

        let mut canonical_request = self.signed_head.clone();
        canonical_request.update(amz_date.as_bytes());
        canonical_request.update(self.signed_tail.as_bytes());
        let mut signature = Signature::empty();
        self.key
            .sign(&amz_date, &mut canonical_request, &mut signature);
        token.push_str(signature.as_str());
        token
    }
}

/// Returns `&X-Amz-Security-Token=…`, or an empty text if the session token is missing or empty.
fn encoded_session_token(credentials: &Credentials) -> Zeroizing<String> {
    match credentials.session_token() {
        Some(token) if !token.is_empty() => {
            // Has room for the encoded form of every byte, because a growing string leaves copies.
            let mut text = Zeroizing::new(String::with_capacity(22 + 3 * token.len()));
            text.push_str("&X-Amz-Security-Token=");
            text.extend(encode(token));
            text
        }
        _ => Zeroizing::default(),
    }
}

/// Concatenates texts in one allocation, so that no partial copy of a secret stays in freed memory.
fn concat(parts: &[&str]) -> Zeroizing<String> {
    Zeroizing::new(parts.concat())
}
