//! SCRAM-SHA-256 and SCRAM-SHA-256-PLUS, the server's side, without any input or output.
//! `postgres-protocol` has the client's side only.
//! <https://www.rfc-editor.org/rfc/rfc5802>, <https://www.rfc-editor.org/rfc/rfc7677>

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ring::digest::{SHA256, digest};
use ring::hmac::{HMAC_SHA256, Key, sign};
use subtle::ConstantTimeEq;

/// The method without channel binding.
pub(super) const PLAIN: &str = "SCRAM-SHA-256";
/// The method with it.
pub(super) const PLUS: &str = "SCRAM-SHA-256-PLUS";

/// Bytes of a SHA-256 hash, and of all keys.
const LENGTH: usize = 32;

/// What a server keeps of a password. It does not suffice to log in.
#[derive(Clone)]
pub(super) struct Verifier {
    pub(super) iterations: u32,
    pub(super) salt: Vec<u8>,
    pub(super) stored_key: [u8; LENGTH],
    pub(super) server_key: [u8; LENGTH],
}

impl Verifier {
    /// Reads `ITERATIONS:SALT$STOREDKEY:SERVERKEY`, PostgreSQL's form after `SCRAM-SHA-256$`.
    /// <https://www.postgresql.org/docs/current/catalog-pg-authid.html>
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (head, keys) = text.split_once('$')?;
        let (iterations, salt) = head.split_once(':')?;
        let (stored_key, server_key) = keys.split_once(':')?;
        let salt = STANDARD.decode(salt).ok()?;
        let iterations = iterations.parse().ok()?;
        (iterations > 0 && !salt.is_empty()).then_some(())?;
        Some(Self {
            iterations,
            salt,
            stored_key: STANDARD.decode(stored_key).ok()?.try_into().ok()?,
            server_key: STANDARD.decode(server_key).ok()?.try_into().ok()?,
        })
    }
}

/// Why an exchange ends.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Problem {
    /// The client does not follow the protocol.
    Malformed(&'static str),
    /// The client and the proxy do not see the same TLS: somebody may be between them.
    Binding(&'static str),
    WrongPassword,
}

/// An exchange after the client's first message.
pub(super) struct Exchange {
    /// The answer to that message.
    pub(super) server_first: String,
    verifier: Verifier,
    client_first_bare: String,
    /// What the client's last message must bind, as base64.
    bound: String,
    nonce: String,
}

impl Exchange {
    /// Reads the client's first message. `binding` is the channel's, if PLUS was offered.
    /// `server_nonce` is printable ASCII without a comma.
    pub(super) fn start(
        method: &str,
        message: &[u8],
        binding: Option<&[u8]>,
        verifier: Verifier,
        server_nonce: &str,
    ) -> Result<Self, Problem> {
        const LAYOUT: Problem = Problem::Malformed("the first message has another layout");
        let text = std::str::from_utf8(message).map_err(|_| LAYOUT)?;
        let (flag, rest) = text.split_once(',').ok_or(LAYOUT)?;
        let (identity, bare) = rest.split_once(',').ok_or(LAYOUT)?;
        let header = &text[..text.len() - bare.len()];
        let bound = match (method, flag, binding) {
            (PLUS, "p=tls-server-end-point", Some(data)) => [header.as_bytes(), data].concat(),
            (PLUS, "p=tls-server-end-point", None) => return Err(Problem::Malformed(UNKNOWN)),
            (PLUS, "n" | "y", _) => {
                return Err(Problem::Malformed("the first message binds no channel"));
            }
            (PLAIN, "y", Some(_)) => return Err(Problem::Binding(NOT_SEEN)),
            (PLAIN, "n" | "y", _) => header.as_bytes().to_vec(),
            (PLAIN | PLUS, _, _) => return Err(Problem::Malformed("unknown channel binding")),
            _ => return Err(Problem::Malformed(UNKNOWN)),
        };
        if !identity.is_empty() {
            return Err(Problem::Malformed(
                "an authorization identity is not supported",
            ));
        }
        // The user is the one of the startup message. PostgreSQL ignores this one, too.
        let mut attributes = bare.split(',');
        let (user, nonce) = (attributes.next(), attributes.next());
        let client_nonce = match (user, nonce.and_then(|nonce| nonce.strip_prefix("r="))) {
            (Some(user), Some(nonce)) if user.starts_with("n=") => nonce,
            _ => return Err(LAYOUT),
        };
        if client_nonce.is_empty() || !client_nonce.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(LAYOUT);
        }
        let nonce = format!("{client_nonce}{server_nonce}");
        Ok(Self {
            server_first: format!(
                "r={nonce},s={},i={}",
                STANDARD.encode(&verifier.salt),
                verifier.iterations
            ),
            verifier,
            client_first_bare: bare.to_owned(),
            bound: STANDARD.encode(bound),
            nonce,
        })
    }

    /// Reads the client's last message. Returns the answer, by which the client knows that the proxy
    /// has the password's verifier.
    pub(super) fn finish(&self, message: &[u8]) -> Result<String, Problem> {
        const LAYOUT: Problem = Problem::Malformed("the last message has another layout");
        let text = std::str::from_utf8(message).map_err(|_| LAYOUT)?;
        let (without_proof, proof) = text.rsplit_once(",p=").ok_or(LAYOUT)?;
        let mut attributes = without_proof.split(',');
        let bound = attributes.next().and_then(|text| text.strip_prefix("c="));
        let nonce = attributes.next().and_then(|text| text.strip_prefix("r="));
        let (Some(bound), Some(nonce)) = (bound, nonce) else {
            return Err(LAYOUT);
        };
        if nonce != self.nonce {
            return Err(Problem::Malformed("the nonce is another one"));
        }
        if bound != self.bound {
            return Err(Problem::Binding("the client sees another certificate"));
        }
        let proof = STANDARD.decode(proof).map_err(|_| LAYOUT)?;
        let proof: [u8; LENGTH] = proof.try_into().map_err(|_| LAYOUT)?;
        let all = format!(
            "{},{},{without_proof}",
            self.client_first_bare, self.server_first
        );
        let signature = hmac(&self.verifier.stored_key, all.as_bytes());
        let client_key: Vec<u8> = proof.iter().zip(signature).map(|(a, b)| a ^ b).collect();
        let stored_key = digest(&SHA256, &client_key);
        if !bool::from(stored_key.as_ref().ct_eq(&self.verifier.stored_key)) {
            return Err(Problem::WrongPassword);
        }
        let signature = hmac(&self.verifier.server_key, all.as_bytes());
        Ok(format!("v={}", STANDARD.encode(signature)))
    }
}

const UNKNOWN: &str = "the method was not offered";
const NOT_SEEN: &str = "the client supports channel binding and did not see that the proxy does";

pub(super) fn hmac(key: &[u8], data: &[u8]) -> [u8; LENGTH] {
    let mut code = [0; LENGTH];
    code.copy_from_slice(sign(&Key::new(HMAC_SHA256, key), data).as_ref());
    code
}

#[cfg(test)]
mod tests {
    use postgres_protocol::authentication::sasl::{ChannelBinding, ScramSha256};

    use super::*;

    /// The example of RFC 7677, section 3, whose password is `pencil`. Its keys are those of
    /// `scram_sha_256_salt` with that salt.
    const VERIFIER: &str = "4096:W22ZaJ0SNY7soEsUEjb6gQ==$\
        WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=";
    const CLIENT_FIRST: &[u8] = b"n,,n=user,r=rOprNGfwEbeRWgbNEkqO";
    const SERVER_NONCE: &str = "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
    const CLIENT_LAST: &str = "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,\
        p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=";

    fn verifier() -> Verifier {
        Verifier::parse(VERIFIER).unwrap()
    }

    fn start(method: &str, message: &[u8], binding: Option<&[u8]>) -> Result<Exchange, Problem> {
        Exchange::start(method, message, binding, verifier(), SERVER_NONCE)
    }

    #[test]
    fn the_example_of_the_rfc_is_answered_as_there() {
        let exchange = start(PLAIN, CLIENT_FIRST, None).unwrap();
        assert_eq!(
            exchange.server_first,
            "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"
        );
        assert_eq!(
            exchange.finish(CLIENT_LAST.as_bytes()).unwrap(),
            "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="
        );
    }

    #[test]
    fn a_changed_byte_of_the_proof_is_a_wrong_password() {
        let exchange = start(PLAIN, CLIENT_FIRST, None).unwrap();
        let changed = CLIENT_LAST.replace("p=dH", "p=dI");
        assert_eq!(
            exchange.finish(changed.as_bytes()),
            Err(Problem::WrongPassword)
        );
    }

    /// A client with the password, on a channel with these bytes.
    fn client(password: &[u8], binding: ChannelBinding, method: &str, ours: Option<&[u8]>) -> bool {
        let mut client = ScramSha256::new(password, binding);
        let Ok(exchange) = start(method, client.message(), ours) else {
            return false;
        };
        client.update(exchange.server_first.as_bytes()).unwrap();
        match exchange.finish(client.message()) {
            Ok(last) => client.finish(last.as_bytes()).is_ok(),
            Err(_) => false,
        }
    }

    #[test]
    fn a_client_comes_in_only_with_the_password_on_the_same_channel() {
        let here = || ChannelBinding::tls_server_end_point(b"here".to_vec());
        let password = b"pencil";
        assert!(client(password, here(), PLUS, Some(b"here")));
        assert!(!client(password, here(), PLUS, Some(b"there")));
        assert!(!client(b"pencils", here(), PLUS, Some(b"here")));
        assert!(!client(password, here(), PLUS, None));
        assert!(!client(password, here(), PLAIN, Some(b"here")));
        assert!(client(
            password,
            ChannelBinding::unsupported(),
            PLAIN,
            Some(b"here")
        ));
        assert!(!client(
            password,
            ChannelBinding::unsupported(),
            PLUS,
            Some(b"here")
        ));
        // Somebody has removed PLUS from the methods that the client sees.
        assert!(!client(
            password,
            ChannelBinding::unrequested(),
            PLAIN,
            Some(b"here")
        ));
        assert!(client(password, ChannelBinding::unrequested(), PLAIN, None));
    }

    #[test]
    fn broken_messages_are_malformed_and_do_not_panic() {
        for message in [
            &b""[..],
            b",",
            b",,",
            b"n,,",
            b"n,,r=x,n=",
            b"n,,n=,r=",
            b"n,,n=,r=a b",
            b"n,,m=x,n=,r=abc",
            b"n,a=other,n=,r=abc",
            b"p=tls-unique,,n=,r=abc",
            b"n,,n=\xff,r=abc",
            b"x,,n=,r=abc",
        ] {
            let problem = start(PLAIN, message, None).err();
            assert!(
                matches!(problem, Some(Problem::Malformed(_))),
                "{message:?}"
            );
        }
        let exchange = start(PLAIN, CLIENT_FIRST, None).unwrap();
        for message in [
            "",
            ",p=",
            "c=biws",
            "c=biws,p=x",
            "r=x,c=biws,p=AAAA",
            "c=biws,r=x,p=AAAA",
        ] {
            let problem = exchange.finish(message.as_bytes()).err();
            assert!(
                matches!(problem, Some(Problem::Malformed(_))),
                "{message:?}"
            );
        }
        let short = CLIENT_LAST.replace("dHzb", "");
        let problem = exchange.finish(short.as_bytes()).err();
        assert!(matches!(problem, Some(Problem::Malformed(_))));
    }
}
