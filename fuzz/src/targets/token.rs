//! Tokens as a server receives them and as a user shows them.

use std::time::{Duration, UNIX_EPOCH};

use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use rdsign::inspect::{self as core, Driver, Expected, examine};
use rdsign::names::Region;
use rdsign::{Credentials, Service};

use super::first_line;
use crate::hidden::check_hidden;

const SECRETS: [&str; 2] = ["X-Amz-Signature", "X-Amz-Security-Token"];

/// The input is a token.
pub(crate) fn parse(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let parts = match core::parse(&text) {
        Ok(parts) => parts,
        Err(reason) => return check_hidden(&reason.to_string(), &text, ""),
    };
    let shown = format!("{parts:?}");
    let (before, query) = text.split_once('?').unwrap();
    let parameters: Vec<(String, String)> = query
        .split('&')
        .map(|parameter| {
            let (name, value) = parameter.split_once('=').unwrap();
            (decoded(name), decoded(value))
        })
        .collect();
    let is_secret = |name: &String| SECRETS.contains(&name.as_str());
    let values = |secret| {
        let values = parameters.iter();
        let values = values.filter(move |(name, _)| is_secret(name) == secret);
        values.map(|(_, value)| value.as_str()).collect::<Vec<_>>()
    };
    check_hidden(
        &shown,
        &values(true).join("\n"),
        &(values(false).join("\n") + before),
    );
    assert_eq!(parts.has_session_token(), values(true).len() == 2);
    assert!(parts.expires_at() > parts.signing_time());

    let endpoint = parts.endpoint();
    let printed = parameters.iter().rev().map(|(name, value)| {
        let encoded = |text| utf8_percent_encode(text, NON_ALPHANUMERIC);
        format!("{}={}", encoded(name), encoded(value))
    });
    let printed = printed.collect::<Vec<_>>().join("&");
    let again = core::parse(&format!("{endpoint}/?{printed}"));
    // Encoding makes a text longer than a server reads.
    if let Ok(again) = again {
        assert_eq!(format!("{again:?}"), shown);
    } else {
        assert!(printed.len() > 60_000, "{printed} is not accepted again");
    }
}

fn decoded(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

/// The first line has what is expected, in fields that tabs separate: the time, host name, port,
/// dialed port, user name, region, driver and service. The rest is a token, perhaps a damaged one.
pub(crate) fn inspect(data: &[u8]) {
    let input = String::from_utf8_lossy(data);
    let (line, text) = first_line(&input);
    let mut fields = line.split('\t');
    let mut field = || fields.next().filter(|field| !field.is_empty());
    let now = field()
        .and_then(|text| text.parse().ok())
        .unwrap_or(1_724_709_600_u64);
    let now = UNIX_EPOCH + Duration::from_secs(now % (1 << 40));
    let expected = Expected {
        hostname: field().map(str::to_owned),
        port: field().and_then(|text| text.parse().ok()),
        dialled_port: field().and_then(|text| text.parse().ok()),
        username: field().map(str::to_owned),
        region: field().and_then(|text| Region::new(text).ok()),
        driver: field().map(|text| match text {
            "mysql" => Driver::Mysql,
            _ => Driver::Postgresql,
        }),
        service: field().and_then(|name| Service::new(name).ok()),
    };
    let mut report = examine(text, now, &expected);
    assert!(core::parse(text).is_ok() || report.has_errors());
    let known = Credentials::new("akid", "secret", Some("token".to_owned()), None, "fuzz");
    report.check_signature(&known);
    report.seconds_left();
    assert!(report.findings().is_sorted_by_key(core::Finding::id));
    let json = report.to_json();
    serde_json::from_str::<serde_json::Value>(&json).unwrap();
    let output = format!("{report:?}\n{json}");
    for name in SECRETS {
        for (at, _) in text.match_indices(&format!("{name}=")) {
            let value = text[at + name.len() + 1..].split('&').next().unwrap();
            check_hidden(&output, value, line);
        }
    }
}
