//! Signs and inspects tokens, drops everything, and waits in between: a test searches its memory.
//!
//! `wiping keys` reads an access key ID, a secret access key and a session token from standard input,
//! and `wiping chain [PROFILE]` uses the environment. It prints the signatures backwards, because its
//! output must not contain what is searched for.

#![expect(clippy::unwrap_used, reason = "a panic fails the test that runs it")]

use std::fs::File;
use std::io::{Read, Write};
use std::time::{Duration, UNIX_EPOCH};

use rdsign::inspect::{Expected, examine, parse};
use rdsign::{Credentials, Signer};
use zeroize::Zeroizing;

#[global_allocator]
static ALLOCATOR: rdsign::WipingAllocator = rdsign::WipingAllocator;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let mut options = Signer::builder()
        .hostname("prod-instance.us-east-1.rds.amazonaws.com")
        .username("peccy")
        .credentials_timeout(Duration::from_secs(60));
    let mut keys = None;
    if arguments[0] == "keys" {
        let [id, secret, session_token] = [(); 3].map(|()| line());
        let token = Some(session_token.to_string());
        let given = Credentials::new(id.to_string(), secret.to_string(), token, None, "test");
        options = options.credentials(given.clone());
        keys = Some(given);
    }
    if let Some(profile) = arguments.get(1) {
        options = options.profile(profile);
    }
    let signer = options.build().unwrap();
    for n in 0..3 {
        let time = UNIX_EPOCH + Duration::from_secs(1_724_709_600 + n * 100_000);
        let token = signer.token_at(time).unwrap();
        for digit in token.value().bytes().rev().take(64) {
            say(&[digit]);
        }
        say(b"\n");
        parse(token.value()).unwrap();
        // Quoted and encoded twice, so that inspecting copies it. With enough room: a text that grows
        // leaves copies.
        let mut text = Zeroizing::new(String::with_capacity(2 * token.value().len()));
        text.push('"');
        for part in token.value().split_inclusive('%') {
            text.push_str(part);
            text.push_str(if part.ends_with('%') { "25" } else { "\"" });
        }
        let mut report = examine(&text, time, &Expected::default());
        if let Some(keys) = &keys {
            report.check_signature(keys);
        }
    }
    say(b"signed\n");
    wait();
    drop((signer, keys));
    say(b"dropped\n");
    wait();
}

/// Reads a line without a buffer, which would keep it.
fn line() -> Zeroizing<String> {
    let mut line = Zeroizing::new(String::with_capacity(4096));
    let mut byte = [0];
    while read(&mut byte) && byte != *b"\n" {
        line.push(byte[0].into());
    }
    line
}

fn wait() {
    assert!(read(&mut [0]), "the test has ended");
}

fn read(byte: &mut [u8; 1]) -> bool {
    File::open("/dev/stdin").unwrap().read(byte).unwrap() == 1
}

fn say(text: &[u8]) {
    File::create("/dev/stdout")
        .unwrap()
        .write_all(text)
        .unwrap();
}
