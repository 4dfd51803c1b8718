//! Checks a token's signature: signs its parameters again with the available credentials.
//!
//! Compares signatures and not texts, because the SDKs print the parameters in different orders but
//! sign them in the same order.

use aws_credential_types::Credentials;

use super::checks;
use super::finding::{Finding, FindingId};
use super::report::{Report, Signature};
use crate::names::is_access_key_id;
use crate::received::{session_token_problem, signed_host};

impl Report {
    /// Signs the token again with `credentials`, and adds what is wrong. If the token cannot be
    /// parsed, or is for another service, the result stays [`Signature::NotChecked`].
    pub fn check_signature(&mut self, credentials: &Credentials) {
        let Some(parts) = self.parts.take_if(|parts| parts.known_service().is_some()) else {
            return;
        };
        if parts.access_key_id() != credentials.access_key_id() {
            self.signature = Signature::OtherKey;
            self.add(other_key(
                parts.access_key_id(),
                credentials.access_key_id(),
            ));
        } else {
            self.signature = match signed_host(&parts, credentials) {
                Some(_) => Signature::Right,
                None => Signature::Wrong,
            };
            if self.signature == Signature::Wrong {
                self.add(wrong_signature());
            }
            if let Some(problem) = session_token_problem(&parts, credentials) {
                self.add(Finding::new(
                    FindingId::WrongSessionToken,
                    format!("Its session token {problem} for the available credentials."),
                    "Sign with the access key ID, the secret access key and the session token of \
                     the same credentials.",
                ));
            }
            if let Some(expiry) = credentials.expiry() {
                let what = "The credentials that signed it";
                if let Some(finding) = checks::expired(expiry, what, self.now) {
                    self.add(finding);
                }
            }
        }
        self.parts = Some(parts);
    }
}

fn other_key(signed_with: &str, available: &str) -> Finding {
    let shown = |id| match is_access_key_id(id) {
        true => id,
        false => "(not shown: it does not look like an access key ID)",
    };
    Finding::new(
        FindingId::UnknownAccessKey,
        format!(
            "It is signed with access key {}, but the available credentials have access key {}, so \
             its signature cannot be checked.",
            shown(signed_with),
            shown(available)
        ),
        "Use the credentials that signed it. `rdsign credentials` shows which are found, and why.",
    )
}

fn wrong_signature() -> Finding {
    Finding::new(
        FindingId::WrongSignature,
        "The available credentials have its access key ID, but produce another signature.",
        "Sign again. If the new token has this problem too, the secret access key is wrong, here \
         or where the token was signed. If not, part of the token, such as host, port or user, was \
         changed after signing.",
    )
}
