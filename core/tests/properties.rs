//! Tests with random requests that rdsign signs like aws-sigv4, and that verify accepts only
//! unchanged tokens.

#![expect(clippy::unwrap_used, reason = "a helper that panics fails its test")]

mod peer;

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use peer::PeerRequest;
use proptest::prelude::*;
use rdsign::names::{Endpoint, Region};
use rdsign::policy::{Policy, Variables};
use rdsign::verify::{AccessKey, Server, verify};
use rdsign::{Credentials, Signer};

#[derive(Clone, Debug)]
struct Case {
    hostname: String,
    port: u16,
    username: String,
    credentials: Credentials,
    seconds: u64,
    expires_in: u16,
}

const REGION: &str = "eu-central-1";

impl Case {
    fn signing_time(&self) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(self.seconds)
    }

    fn token(&self) -> String {
        let signer = Signer::builder()
            .hostname(&self.hostname)
            .port(self.port)
            .username(&self.username)
            .region(REGION)
            .expires_in(self.expires_in)
            .credentials(self.credentials.clone())
            .build()
            .unwrap();
        let token = signer.token_at(self.signing_time()).unwrap();
        token.into_value()
    }

    fn peer_signature(&self) -> String {
        let host = match self.port {
            443 => self.hostname.to_lowercase(),
            port => format!("{}:{port}", self.hostname.to_lowercase()),
        };
        let request = PeerRequest {
            host: &host,
            username: &self.username,
            region: REGION,
            credentials: &self.credentials,
            signing_time: self.signing_time(),
            expires_in: self.expires_in,
        };
        request.signature()
    }

    fn server(&self) -> Server {
        Server {
            endpoints: vec![Endpoint::new(self.hostname.as_str(), self.port).unwrap()],
            region: Region::new(REGION).unwrap(),
            account_id: "123456789012".to_owned(),
            resource_id: "db-ABC".to_owned(),
            grants: Vec::new(),
        }
    }

    fn keys(&self) -> Vec<AccessKey> {
        let all = r#"{"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}"#;
        vec![AccessKey {
            credentials: self.credentials.clone(),
            arn: None,
            policies: vec![Policy::from_json(all).unwrap()],
            variables: Variables::default(),
        }]
    }

    fn is_accepted(&self, token: &str) -> bool {
        verify(
            token,
            &self.username,
            &self.server(),
            &self.keys(),
            self.signing_time(),
        )
        .is_ok()
    }
}

fn case() -> impl Strategy<Value = Case> {
    let port = prop_oneof![Just(443_u16), Just(5432_u16), 1..=u16::MAX];
    // Any character except control characters and U+FFFD.
    let text = |length| {
        let character = any::<char>().prop_filter("rejected by rdsign", |c| {
            !c.is_control() && *c != char::REPLACEMENT_CHARACTER
        });
        proptest::collection::vec(prop_oneof![character, "[ -~]".prop_map(first)], 1..length)
            .prop_map(String::from_iter)
    };
    let session_token = proptest::option::of("[A-Za-z0-9+/=]{1,400}");
    (
        "[A-Za-z0-9_]([A-Za-z0-9_-]{0,20}[A-Za-z0-9_])?(\\.[a-z0-9]{1,10}){0,3}",
        port,
        text(30),
        "[A-Z0-9]{1,20}",
        text(50).prop_filter("refused by rdsign", |secret| !secret.trim().is_empty()),
        session_token,
        // To the end of 9999, minus the lifetime of the last token.
        0..253_402_300_000_u64,
        1..=900_u16,
    )
        .prop_map(
            |(hostname, port, username, id, secret, session_token, seconds, expires_in)| Case {
                hostname,
                port,
                username,
                credentials: Credentials::new(id, secret, session_token, None, "test"),
                seconds,
                expires_in,
            },
        )
}

fn first(text: String) -> char {
    text.chars().next().unwrap()
}

fn config(cases: u32) -> ProptestConfig {
    ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::with_cases(cases)
    }
}

proptest! {
    #![proptest_config(config(10_000))]

    #[test]
    fn the_signature_equals_that_of_aws_sigv4(case in case()) {
        let token = case.token();
        let (_, signature) = token.rsplit_once("&X-Amz-Signature=").unwrap();
        prop_assert_eq!(signature, case.peer_signature());
    }
}

proptest! {
    #![proptest_config(config(10_000))]

    #[test]
    fn a_token_is_accepted_but_not_with_a_changed_byte(
        case in case(),
        at in any::<proptest::sample::Index>(),
        byte in "[ -~]",
    ) {
        let token = case.token();
        prop_assert!(case.is_accepted(&token));
        let (head, query) = token.split_once('?').unwrap();
        let at = at.index(query.len());
        let (old, new) = (query.as_bytes()[at], byte.as_bytes()[0]);
        // The case of a percent-encoded digit does not change the value.
        prop_assume!(!old.eq_ignore_ascii_case(&new) || !is_escaped(query, at) && old != new);
        let changed = format!("{head}?{}{byte}{}", &query[..at], &query[at + 1..]);
        prop_assert!(!case.is_accepted(&changed), "changed to {:?} at {}", byte, at);
    }
}

fn is_escaped(query: &str, at: usize) -> bool {
    let bytes = query.as_bytes();
    (1..=2).any(|back| at >= back && bytes[at - back] == b'%')
}
