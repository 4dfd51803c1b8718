//! Tests every line of tests/vectors.tsv, the contract that all languages share.

#![expect(clippy::unwrap_used, reason = "a helper that panics fails its test")]

use rdsign::{Error, Signer, Token};

/// Decodes PostgreSQL's COPY text format: `\N` is a missing value, `\xHH` a byte, and `\t`, `\n`,
/// `\r` and `\\` are as usual.
fn field(text: &str) -> Option<String> {
    if text == "\\N" {
        return None;
    }
    let mut plain = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('\\') {
        plain.push_str(before);
        let (character, length) = match after.as_bytes()[0] {
            b'x' => (u8::from_str_radix(&after[1..3], 16).unwrap().into(), 3),
            b't' => ('\t', 1),
            b'n' => ('\n', 1),
            b'r' => ('\r', 1),
            b'\\' => ('\\', 1),
            other => panic!("unknown escape \\{}", char::from(other)),
        };
        plain.push(character);
        rest = &after[length..];
    }
    plain.push_str(rest);
    Some(plain)
}

fn sign(fields: &[Option<String>]) -> Result<Token, Error> {
    let [
        hostname,
        port,
        username,
        region,
        id,
        secret,
        session_token,
        time,
        expires_in,
        service,
    ] = fields
    else {
        panic!("ten fields describe a request, not {}", fields.len());
    };
    let integer = |text: &String| text.parse::<i64>().unwrap();
    let mut signer = Signer::builder();
    if let Some(hostname) = hostname {
        signer = signer.hostname(hostname);
    }
    if let Some(port) = port {
        signer = signer.port(integer(port));
    }
    if let Some(username) = username {
        signer = signer.username(username);
    }
    if let Some(region) = region {
        signer = signer.region(region);
    }
    if let Some(id) = id {
        signer = signer.access_key_id(id);
    }
    if let Some(secret) = secret {
        signer = signer.secret_access_key(secret);
    }
    if let Some(session_token) = session_token {
        signer = signer.session_token(session_token);
    }
    if let Some(expires_in) = expires_in {
        signer = signer.expires_in(integer(expires_in));
    }
    if let Some(service) = service {
        signer = signer.service(service);
    }
    let time = time.as_ref().expect("every line has a signing time");
    signer.build()?.token_at_unix_seconds(integer(time))
}

#[test]
fn every_vector_produces_its_bytes_or_its_code() {
    for name in ["AWS_REGION", "AWS_DEFAULT_REGION"] {
        assert!(
            std::env::var_os(name).is_none(),
            "{name} would provide the region that some vectors omit: unset it, as `make test` does"
        );
    }
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/vectors.tsv");
    let text = std::fs::read_to_string(path).unwrap();
    let mut lines = text.lines().filter(|line| !line.starts_with('#'));
    assert!(lines.next().unwrap().starts_with("name\thostname\tport\t"));
    let (mut checked, mut wrong) = (0, Vec::new());
    for line in lines {
        let mut fields: Vec<_> = line.split('\t').map(field).collect();
        let token = fields.pop().unwrap();
        let error = fields.pop().unwrap();
        let name = fields.remove(0).unwrap();
        let (got_token, got_error) = match sign(&fields) {
            Ok(token) => (Some(token.into_value()), None),
            Err(error) => (None, Some(error.code().to_string())),
        };
        if (&got_token, &got_error) != (&token, &error) {
            wrong.push(format!(
                "{name}\n  want {error:?} {token:?}\n  got  {got_error:?} {got_token:?}"
            ));
        }
        checked += 1;
    }
    assert!(checked >= 120, "only {checked} vectors");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
