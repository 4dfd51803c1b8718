//! Reads as much of a token as possible, layer by layer, and collects the findings.

use std::time::SystemTime;

use zeroize::Zeroizing;

use super::expected::Expected;
use super::finding::{Finding, FindingId};
use super::lookalikes::{is_masked, masked};
use super::report::{Details, Report, Signature};
use super::{checks, damaged, wrapping};
use crate::allocator::Wiping;
use crate::limits::MAX_PASSWORD_LENGTH;
use crate::received::{Parts, parse, parse_endpoint, repeats, repeats_a_secret};
use crate::wipe::{LITTLE, with_clean_stack};

/// Reads as much of a token as possible, and reports what is wrong with it at the time `now`.
///
/// A text that [`parse`](crate::inspect::parse) rejects has at least one finding that is an error.
/// A newly signed token has no finding if its access key ID has the form that IAM documents, and if
/// it is for an RDS endpoint with a region in its name and port 5432 or 3306.
///
/// ```
/// use rdsign::inspect::{Expected, FindingId, examine};
///
/// let report = examine("***", std::time::SystemTime::now(), &Expected::default());
/// assert_eq!(report.findings()[0].id(), FindingId::Masked);
/// ```
pub fn examine(text: &str, now: SystemTime, expected: &Expected) -> Report {
    let _wiping = Wiping::start();
    with_clean_stack::<LITTLE, _>(|| examined(text, now, expected))
}

fn examined(text: &str, now: SystemTime, expected: &Expected) -> Report {
    let mut report = Report {
        details: Details::default(),
        findings: Vec::new(),
        signature: Signature::NotChecked,
        parts: None,
        now,
    };
    if text.len() > MAX_PASSWORD_LENGTH {
        report.add(Finding::new(
            FindingId::Malformed,
            format!("It is not a token: it is longer than {MAX_PASSWORD_LENGTH} bytes."),
            "Check what was passed as the password: PostgreSQL reads no longer one.",
        ));
        return report;
    }
    let wrapping::Unwrapped { text, findings } = wrapping::unwrap(text);
    findings.into_iter().for_each(|f| report.add(f));
    if text.is_empty() {
        report.add(Finding::new(
            FindingId::Empty,
            "There is no token: the text is empty.",
            "Run the command that should print the token on its own: inside PGPASSWORD=$(…), its \
             error is easy to miss.",
        ));
        return report;
    }
    if is_masked(&text) {
        report.add(masked());
    } else if wrapping::has_parameters(&text)
        && let Some(finding) = not_encoded(&text)
    {
        report.add(finding);
    }
    let parts = parse(&text).or_else(|reason| with_slash(&text, &mut report).ok_or(reason));
    let parts = parts.and_then(|parts| match repeats_a_secret(&parts, None) {
        true => Err(repeats()),
        false => Ok(parts),
    });
    match parts {
        Ok(parts) => {
            report.details = Details::of(&parts);
            let findings = checks::check(&parts, now, expected);
            findings.into_iter().for_each(|f| report.add(f));
            report.parts = Some(parts);
        }
        Err(reason) => {
            let (details, findings) = damaged::read(&text, &reason);
            report.details = details;
            // A presigned URL of another service has a scheme.
            if findings
                .iter()
                .any(|f| f.id() == FindingId::WrongRegionOrService)
            {
                report.findings.retain(|f| f.id() != FindingId::Scheme);
            }
            findings.into_iter().for_each(|f| report.add(f));
        }
    }
    report
}

/// Parses a token without the `/` before its `?`, and adds the finding. Adds it even if the token
/// is also cut short, and then returns `None`.
fn with_slash(text: &str, report: &mut Report) -> Option<Parts> {
    let (before, query) = text.split_once('?')?;
    if before.contains('/') || !wrapping::has_parameters(query) {
        return None;
    }
    let whole = Zeroizing::new([before, "/?", query].concat());
    parse_endpoint(&format!("{before}/")).ok()?;
    report.add(Finding::new(
        FindingId::MissingSlash,
        "The / between port and ? is missing.",
        "Write HOST:PORT/?Action=…. Some servers accept a token without the slash, but Aurora's \
         express clusters and `rdsign local` reject it. Old SDKs omit the slash if the endpoint is \
         given as HOST:PORT.",
    ));
    parse(&whole).ok()
}

/// Looks for a value with a character that every signer encodes.
fn not_encoded(text: &str) -> Option<Finding> {
    let (_, query) = text.split_once('?')?;
    let is_bare = |b: u8| b.is_ascii_alphanumeric() || b"-_.~%".contains(&b);
    let parts: Vec<&str> = query.split('&').collect();
    let found = parts.iter().enumerate().any(|(at, part)| {
        match part.split_once('=') {
            Some((_, value)) => !value.bytes().all(is_bare),
            // A part without = in the middle follows an unencoded & in a value.
            None => at + 1 < parts.len() && !part.is_empty(),
        }
    });
    found.then(|| {
        Finding::new(
            FindingId::NotEncoded,
            "It was percent-decoded: its values contain characters that must be encoded, such as / \
             as %2F.",
            "Pass the token on as it was printed, without decoding it: the server reads an \
             unencoded + as a space, and an unencoded & as the end of a value.",
        )
    })
}
