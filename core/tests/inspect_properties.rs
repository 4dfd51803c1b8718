//! Tests inspect with random texts and randomly damaged tokens: it does not panic, reports an error
//! and shows no secret. A newly signed token has no finding.

#![expect(clippy::unwrap_used, reason = "a helper that panics fails its test")]

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use proptest::prelude::*;
use rdsign::inspect::{Expected, Report, Signature, examine, parse};
use rdsign::{Credentials, Signer};

const SIGNED_AT: u64 = 1_724_709_600;
const SECRET: &str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";

fn at(seconds: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(seconds)
}

fn token(hostname: &str, port: u16, username: &str, credentials: &Credentials) -> String {
    let signer = Signer::builder()
        .hostname(hostname)
        .port(port)
        .username(username)
        .credentials(credentials.clone())
        .build()
        .unwrap();
    signer.token_at(at(SIGNED_AT)).unwrap().into_value()
}

fn credentials(session_token: Option<String>) -> Credentials {
    let id = match session_token {
        Some(_) => "ASIAIOSFODNN7EXAMPLE",
        None => "AKIAIOSFODNN7EXAMPLE",
    };
    Credentials::new(id, SECRET, session_token, None, "test")
}

fn session_token() -> impl Strategy<Value = Option<String>> {
    proptest::option::of("[A-Za-z0-9+/]{60,200}={0,2}")
}

/// A way to damage a text.
#[derive(Clone, Debug)]
enum Damage {
    Remove(usize, usize),
    Repeat(usize, usize),
    Insert(usize, String),
    Encode,
    Decode,
    Sort,
}

fn damage() -> impl Strategy<Value = Damage> {
    let place = || 0..2_000_usize;
    prop_oneof![
        4 => (place(), 0..300_usize).prop_map(|(at, n)| Damage::Remove(at, n)),
        1 => (place(), 0..300_usize).prop_map(|(at, n)| Damage::Repeat(at, n)),
        2 => (place(), "[ -~\n]{0,5}|&amp;|\\\\u0026|\\*\\*\\*|\"|https://|%25")
            .prop_map(|(at, text)| Damage::Insert(at, text)),
        1 => Just(Damage::Encode),
        1 => Just(Damage::Decode),
        1 => Just(Damage::Sort),
    ]
}

fn apply(damage: &Damage, text: String) -> String {
    let characters: Vec<char> = text.chars().collect();
    let place = |at: usize| at % (characters.len() + 1);
    let range = |at: usize, length: usize| {
        let start = place(at);
        start..(start + length).min(characters.len())
    };
    match damage {
        Damage::Remove(at, length) => {
            let mut left = characters.clone();
            left.drain(range(*at, *length));
            left.into_iter().collect()
        }
        Damage::Repeat(at, length) => {
            let range = range(*at, *length);
            let piece = String::from_iter(&characters[range.clone()]);
            let (before, behind) = characters.split_at(range.end);
            String::from_iter(before) + &piece + &String::from_iter(behind)
        }
        Damage::Insert(at, piece) => {
            let (before, behind) = characters.split_at(place(*at));
            String::from_iter(before) + piece + &String::from_iter(behind)
        }
        Damage::Encode => text
            .replace('%', "%25")
            .replace('&', "%26")
            .replace('?', "%3F"),
        Damage::Decode => text
            .replace("%2F", "/")
            .replace("%3D", "=")
            .replace("%2B", "+"),
        Damage::Sort => match text.split_once('?') {
            Some((before, query)) => {
                let mut parameters: Vec<&str> = query.split('&').collect();
                parameters.sort_unstable();
                format!("{before}?{}", parameters.join("&"))
            }
            None => text,
        },
    }
}

fn output(report: &Report) -> String {
    format!("{report:?}\n{}", report.to_json())
}

fn pieces(secret: &str) -> impl Iterator<Item = &str> {
    let windows = secret.len().saturating_sub(15);
    (0..windows).map(|start| &secret[start..start + 16])
}

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: None,
        cases: 2_000,
        ..ProptestConfig::default()
    })]

    #[test]
    fn any_text_that_is_not_a_token_has_an_error(
        text in prop_oneof![".{0,200}", "[ -~]{0,60}(\\?|/\\?Action=|%3F|&X-Amz-)[ -~\n]{0,200}"],
    ) {
        let report = examine(&text, at(SIGNED_AT), &Expected::default());
        prop_assert!(parse(&text).is_ok() || report.has_errors());
        let output = output(&report);
        for piece in pieces(&text.replace(|c: char| !c.is_ascii(), "")) {
            let is_random = piece.bytes().all(|b| b.is_ascii_alphanumeric());
            prop_assert!(!is_random || !output.contains(piece), "{}", output);
        }
    }

    #[test]
    fn a_damaged_token_has_an_error_and_shows_no_secret(
        session_token in session_token(),
        order in any::<bool>(),
        damages in proptest::collection::vec(damage(), 1..5),
    ) {
        let credentials = credentials(session_token);
        let hostname = "mydb.abc123.eu-central-1.rds.amazonaws.com";
        let whole = token(hostname, 5432, "iam_user", &credentials);
        let signature = whole.split("X-Amz-Signature=").nth(1).unwrap().to_owned();
        let mut text = match order {
            true => whole.clone(),
            false => apply(&Damage::Sort, whole.clone()),
        };
        for damage in &damages {
            text = apply(damage, text);
        }
        let mut report = examine(&text, at(SIGNED_AT), &Expected::default());
        prop_assert!(parse(&text).is_ok() || report.has_errors());
        report.check_signature(&credentials);
        // The signature covers every part, so if it is right, the parts were read correctly.
        if report.signature() == Signature::Right {
            prop_assert_eq!(report.details().username.as_deref(), Some("iam_user"));
        }
        let output = output(&report);
        let session_token = credentials.session_token().unwrap_or_default();
        for secret in [SECRET, session_token, &signature] {
            for piece in pieces(secret) {
                prop_assert!(!output.contains(piece), "{} in {}\n{}", piece, output, text);
            }
        }
    }

    #[test]
    fn a_newly_signed_token_has_no_finding(
        name in "[a-z]([a-z0-9-]{0,20}[a-z0-9])?\\.(cluster-|cluster-ro-|proxy-)?[a-z0-9]{12}",
        place in prop_oneof![
            Just("us-east-1.rds.amazonaws.com"),
            Just("rds.cn-north-1.amazonaws.com.cn"),
            Just("US-GOV-WEST-1.rds.amazonaws.com."),
        ],
        port in prop_oneof![Just(5432_u16), Just(3306_u16)],
        username in "[^\u{0}-\u{1f}\u{7f}-\u{9f}\u{fffd}]{1,30}",
        session_token in session_token(),
        age in 0..900_u64,
    ) {
        let credentials = credentials(session_token);
        let text = token(&format!("{name}.{place}"), port, &username, &credentials);
        let mut report = examine(&text, at(SIGNED_AT + age), &Expected::default());
        report.check_signature(&credentials);
        prop_assert!(report.findings().is_empty(), "{:?}", report);
        prop_assert_eq!(report.signature(), Signature::Right);
        prop_assert_eq!(report.details().username.as_deref(), Some(username.as_str()));
    }
}
