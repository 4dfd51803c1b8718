//! Signs a token's parameters again with credentials at hand, and compares.
//!
//! The signatures are compared, and not the texts: the SDKs print the parameters in different
//! orders, and sign them in the same one.

use aws_credential_types::Credentials;

use super::checks;
use super::finding::{Finding, FindingId};
use super::report::{Report, Signature};
use crate::names::is_access_key_id;
use crate::received::{session_token_problem, signed_host};
use crate::sigv4::SERVICE;

impl Report {
    /// Signs the token again with `credentials` and adds what is wrong. A token that cannot be
    /// read, or is for another service, stays [`Signature::NotChecked`].
    pub fn check_signature(&mut self, credentials: &Credentials) {
        let Some(parts) = self.parts.take_if(|parts| parts.service() == SERVICE) else {
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
                    format!("Its session token {problem} for the credentials at hand."),
                    "Sign with the key id, the secret and the session token of one and the same set \
                     of credentials.",
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

fn other_key(signed_with: &str, at_hand: &str) -> Finding {
    let shown = |id| match is_access_key_id(id) {
        true => id,
        false => "one that does not look like a key's id",
    };
    Finding::new(
        FindingId::UnknownAccessKey,
        format!(
            "It is signed with access key {}, and the credentials at hand are those of {}: they \
             cannot tell whether its signature is right.",
            shown(signed_with),
            shown(at_hand)
        ),
        "Take the credentials that signed it: `rdsign credentials` says which are found, and why.",
    )
}

fn wrong_signature() -> Finding {
    Finding::new(
        FindingId::WrongSignature,
        "The credentials at hand have its access key id, but give another signature.",
        "Sign again. If that does not help, the secret access key of one of the two places is \
         wrong; else a part of the token was changed after it was signed, such as host, port or \
         user.",
    )
}
