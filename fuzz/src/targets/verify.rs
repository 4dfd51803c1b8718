//! Logins with a token that was signed and then changed.

use std::collections::BTreeMap;
use std::time::{Duration, UNIX_EPOCH};

use percent_encoding::percent_decode_str;
use rdsign::names::{Endpoint, Region};
use rdsign::policy::{Policy, Variables};
use rdsign::verify::{AccessKey, Server};
use rdsign::{Credentials, Signer};

use super::first_line;
use crate::hidden::check_hidden;

const HOST: &str = "mydb.abc123.eu-central-1.rds.amazonaws.com";
const PORTS: [u16; 2] = [5432, 443];
const SECRET: &str = "wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEY";
const SESSION: &str = "IQoJb3JpZ2luX2VjEJr0123456789abcdefghijklmnopqrstuvwxyz+/==";
const SIGNED_AT: u64 = 1_724_709_600;

/// The first line is the user name. The second has numbers: the lifetime, the age at the login, and
/// 1 or 0 for temporary credentials and for port 443. Each other line changes the token: `AT LENGTH
/// TEXT` replaces characters, `@FROM LENGTH TO` copies them.
pub(crate) fn verify(data: &[u8]) {
    let input = String::from_utf8_lossy(data);
    if input.contains(&SECRET[..16]) {
        return;
    }
    let (username, rest) = first_line(&input);
    let (numbers, changes) = first_line(rest);
    let mut numbers = numbers
        .split(' ')
        .map(|number| number.parse::<i64>().unwrap_or(0));
    let [expires_in, age, temporary, https] = [(); 4].map(|()| numbers.next().unwrap_or(0));
    let age = age % 10_000;
    let session = (temporary == 1).then(|| SESSION.to_owned());
    let credentials = Credentials::new("AKIAEXAMPLE", SECRET, session, None, "fuzz");
    let port = PORTS[usize::from(https == 1)];
    let signer = Signer::builder()
        .hostname(HOST)
        .port(port)
        .username(username)
        .expires_in(expires_in)
        .credentials(credentials.clone())
        .build();
    let Ok(signer) = signer else { return };
    let signed_at = UNIX_EPOCH + Duration::from_secs(SIGNED_AT);
    let token = signer.token_at(signed_at).unwrap().into_value();
    let changed = changes.lines().take(20).fold(token.clone(), change);

    let server = Server {
        endpoints: PORTS
            .map(|port| Endpoint::new(HOST, port).unwrap())
            .to_vec(),
        region: Region::new("eu-central-1").unwrap(),
        account_id: "123456789012".to_owned(),
        resource_id: "db-ABC".to_owned(),
        grants: Vec::new(),
    };
    let all = r#"{"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}"#;
    let keys = [AccessKey {
        credentials,
        arn: None,
        policies: vec![Policy::from_json(all).unwrap()],
        variables: Variables::default(),
    }];
    let now = UNIX_EPOCH + Duration::from_secs(SIGNED_AT.saturating_add_signed(age));
    let login = |login: &str| rdsign::verify::verify(&changed, login, &server, &keys, now);
    let is_in_time = (-300..expires_in).contains(&age);
    let output = match login(username) {
        Ok(accepted) => {
            assert!(
                is_in_time,
                "accepted {age} s after it was signed for {expires_in} s"
            );
            assert_eq!(meaning(&changed), meaning(&token), "{changed} is accepted");
            assert!(login(&format!("{username}x")).is_err());
            format!("{accepted} {accepted:?}")
        }
        Err(refusal) => {
            assert!(
                changed != token || !is_in_time,
                "{token} is refused: {refusal}"
            );
            format!("{refusal} {refusal:?}")
        }
    };
    check_hidden(&output, SECRET, username);
    let (_, signature) = token.rsplit_once('=').unwrap();
    for (name, secret) in [
        ("X-Amz-Security-Token=", SESSION),
        ("X-Amz-Signature=", signature),
    ] {
        // A secret that the changes moved is recognized only by its parameter, if that is still whole.
        let whole = token
            .split('&')
            .find(|parameter| parameter.starts_with(name));
        if changed.split('&').any(|parameter| Some(parameter) == whole) {
            check_hidden(&output, secret, username);
        }
    }
}

/// Applies one line of changes.
fn change(token: String, line: &str) -> String {
    let mut characters: Vec<char> = token.chars().collect();
    let (copies, line) = match line.strip_prefix('@') {
        Some(rest) => (true, rest),
        None => (false, line),
    };
    let mut words = line.splitn(3, ' ');
    let mut place = |limit: usize| {
        let number = words.next().and_then(|word| word.parse::<usize>().ok());
        number.unwrap_or(0) % (limit + 1)
    };
    let length = characters.len();
    let from = place(length);
    let to = (from + place(length)).min(length);
    match copies {
        true => {
            let copy = characters[from..to].to_vec();
            let at = place(length);
            characters.splice(at..at, copy);
        }
        false => drop(characters.splice(from..to, words.next().unwrap_or("").chars())),
    }
    characters.into_iter().collect()
}

/// What a token says, however it is written: the host name in any case, and the decoded parameters in
/// any order.
fn meaning(token: &str) -> (String, BTreeMap<String, String>) {
    let decoded = |text| percent_decode_str(text).decode_utf8_lossy().into_owned();
    let (before, query) = token.split_once('?').unwrap();
    let parameters = query.split('&').map(|parameter| {
        let (name, value) = parameter.split_once('=').unwrap();
        (decoded(name), decoded(value))
    });
    // Port 443 may be written or not.
    let before = before.to_ascii_lowercase().replace(":443/", "/");
    (before, parameters.collect())
}
