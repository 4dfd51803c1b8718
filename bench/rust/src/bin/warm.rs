//! Measures a warm token, compared with aws-sigv4's `http_request::sign` for the same request and
//! with the hashing that neither can avoid. Also measures two threads, and the memory of a signer.

use std::hint::black_box;
use std::time::{Duration, Instant, SystemTime};

use aws_sigv4::http_request::{SignableBody, SignableRequest, SignatureLocation, SigningSettings};
use aws_sigv4::sign::v4;
use rdsign::{Credentials, Signer, Token};
use rdsign_bench::{
    HOST, KEY_ID, Row, SECRET, USER, interleaved, kinds_of_keys, resident_kilobytes,
};
use serde_json::json;
use sha2::block_api::compress256;

fn peer(credentials: &Credentials, time: SystemTime) -> String {
    let mut settings = SigningSettings::default();
    settings.expires_in = Some(Duration::from_secs(900));
    settings.signature_location = SignatureLocation::QueryParams;
    let identity = credentials.clone().into();
    let params = v4::SigningParams::builder()
        .identity(&identity)
        .region("eu-central-1")
        .name("rds-db")
        .time(time)
        .settings(settings)
        .build()
        .expect("all parameters are given");
    let uri = format!("https://{HOST}:5432/?Action=connect&DBUser=iam_user");
    let request = SignableRequest::new("GET", &uri, std::iter::empty(), SignableBody::Bytes(b""))
        .expect("a valid request");
    let (instructions, _) = aws_sigv4::http_request::sign(request, &params.into())
        .expect("it signs")
        .into_parts();
    let mut request = http::Request::get(uri).body(()).expect("a valid URI");
    instructions.apply_to_request_http1x(&mut request);
    request.uri().to_string().split_off("https://".len())
}

/// Counts the blocks of SHA-256 that every signer must hash for a token: those of the canonical
/// request from the signing time on, those of the string to sign, and the last block of the HMAC.
fn blocks_of(token: &Token) -> usize {
    const PADDING: usize = 9;
    let (endpoint, query) = token.value().split_once("/?").expect("a token");
    let (query, _) = query.split_once("&X-Amz-Signature=").expect("a token");
    let before_time = "GET\n/\n".len() + query.find("X-Amz-Date=").expect("a token") + 11;
    let host = "\nhost:".len() + endpoint.len() + "\n\nhost\n".len() + 64;
    let canonical_request = "GET\n/\n".len() + query.len() + host;
    let scope = "20240826/eu-central-1/rds-db/aws4_request".len();
    let string_to_sign = "AWS4-HMAC-SHA256\n20240826T220000Z\n".len() + scope + 1 + 64;
    (canonical_request + PADDING).div_ceil(64) - before_time / 64
        + (string_to_sign + PADDING).div_ceil(64)
        + 1
}

fn main() {
    let quick = std::env::args().any(|argument| argument == "--quick");
    let rounds = if quick { 41 } else { 201 };
    for (kind, session_token) in kinds_of_keys() {
        let credentials = Credentials::new(KEY_ID, SECRET, session_token, None, "bench");
        let signer = signer(&credentials);
        warm(kind, &signer, &credentials, rounds);
        if credentials.session_token().is_none() {
            threads(&signer, rounds / 10);
        }
    }
    memory();
}

fn signer(credentials: &Credentials) -> Signer {
    let options = Signer::builder().hostname(HOST).username(USER);
    let signer = options.credentials(credentials.clone()).build();
    signer.expect("valid options")
}

fn warm(kind: &str, signer: &Signer, credentials: &Credentials, rounds: usize) {
    let now = SystemTime::now();
    let token = signer.token_at(now).expect("it signs");
    assert_eq!(
        token.value().len(),
        peer(credentials, now).len(),
        "the same request"
    );
    let blocks = vec![[0x61; 64]; blocks_of(&token)];
    let measured = interleaved(
        rounds,
        400,
        &mut [
            &mut || drop(black_box(signer.token())),
            &mut || drop(black_box(peer(credentials, SystemTime::now()))),
            &mut || {
                let mut state = [0; 8];
                compress256(&mut state, black_box(&blocks));
                black_box(state);
            },
        ],
    );
    let [rdsign, peer, floor] = &measured[..] else {
        unreachable!("three bodies were measured")
    };
    const PEER: &str = "aws-sigv4";
    const FLOOR: &str = "its SHA-256 alone";
    let is_long_lived = credentials.session_token().is_none();
    let (times_as_fast, times_the_floor) = if is_long_lived { (8, 2.5) } else { (6, 1.6) };
    Row {
        language: "Rust",
        row: &format!("one token, warm, {kind}"),
        unit: "ns of CPU",
        rdsign,
        peers: &[(PEER, peer), (FLOOR, floor)],
        aims: &[
            json!({"times as fast as": PEER, "times": times_as_fast}),
            json!({"times at most": FLOOR, "times": times_the_floor}),
        ],
        chart: is_long_lived.then_some("warm"),
    }
    .print();
}

/// Measures one shared signer: first one thread, then two that each get as many tokens.
fn threads(signer: &Signer, rounds: usize) {
    const TOKENS: u32 = 20_000;
    let work = || (0..TOKENS).for_each(|_| drop(black_box(signer.token())));
    let (mut one, mut two) = (Vec::new(), Vec::new());
    for _ in 0..rounds.max(5) {
        let start = Instant::now();
        work();
        one.push(per_second(TOKENS, start));
        let start = Instant::now();
        std::thread::scope(|scope| (0..2).for_each(|_| drop(scope.spawn(work))));
        two.push(per_second(2 * TOKENS, start));
    }
    Row {
        language: "Rust",
        row: "one shared signer, two threads",
        unit: "tokens per second",
        rdsign: &two,
        peers: &[("one thread", &one)],
        aims: &[],
        chart: None,
    }
    .print();
}

fn per_second(tokens: u32, start: Instant) -> f64 {
    (f64::from(tokens) / start.elapsed().as_secs_f64()).round()
}

/// Measures the resident memory of a signer that has signed.
fn memory() {
    const SIGNERS: usize = 10_000;
    let before = resident_kilobytes("VmRSS");
    let signers: Vec<Signer> = (0..SIGNERS)
        .map(|number| {
            let options = Signer::builder()
                .hostname(HOST)
                .username(format!("user_{number}"));
            let options = options.access_key_id(KEY_ID).secret_access_key(SECRET);
            let signer = options.build().expect("valid options");
            signer.token().expect("it signs");
            signer
        })
        .collect();
    let each = (resident_kilobytes("VmRSS") - before) * 1024.0 / signers.len() as f64;
    Row {
        language: "Rust",
        row: "one of 10,000 signers that have signed",
        unit: "bytes of memory",
        rdsign: &[each.round()],
        peers: &[],
        aims: &[],
        chart: None,
    }
    .print();
}
