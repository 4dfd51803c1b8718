//! Reads a token as far as possible, layer by layer, and collects what is wrong.

use std::time::SystemTime;

use zeroize::Zeroizing;

use super::expected::Expected;
use super::finding::{Finding, FindingId};
use super::lookalikes::{is_masked, masked};
use super::report::{Details, Report, Signature};
use super::{checks, damaged, shown, wrapping};
use crate::limits::MAX_PASSWORD_LENGTH;
use crate::received::{Malformed, Parts, parse, parse_endpoint};

/// Reads a token as far as that goes, and says what is wrong with it at the moment `now`.
///
/// A text that [`parse`](crate::inspect::parse) refuses has at least one finding that is an error. A token that was just
/// signed with access keys of IAM's form, for an RDS endpoint at port 5432 or 3306, has none.
///
/// ```
/// use rdsign::inspect::{Expected, FindingId, examine};
///
/// let report = examine("***", std::time::SystemTime::now(), &Expected::default());
/// assert_eq!(report.findings()[0].id(), FindingId::Masked);
/// ```
pub fn examine(text: &str, now: SystemTime, expected: &Expected) -> Report {
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
            format!("It is no token: it is {} bytes long.", text.len()),
            format!("Look at what was passed on: PostgreSQL reads {MAX_PASSWORD_LENGTH} bytes at the most."),
        ));
        return report;
    }
    let wrapping::Unwrapped { text, findings } = wrapping::unwrap(text);
    findings.into_iter().for_each(|f| report.add(f));
    if text.is_empty() {
        report.add(Finding::new(
            FindingId::Empty,
            "There is no token: the text is empty.",
            "Run the command that should have printed it by itself: in PGPASSWORD=$(…), its error \
             is easily missed.",
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
    let parts = parts.and_then(|parts| match shown::repeats_a_secret(&parts) {
        true => Err(Malformed::new("a piece of it stands in it twice")),
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
            findings.into_iter().for_each(|f| report.add(f));
        }
    }
    report
}

/// Reads a token that lacks the `/` before its `?`; adds the finding where that is all it lacks,
/// or where it lacks its end as well.
fn with_slash(text: &str, report: &mut Report) -> Option<Parts> {
    let (before, query) = text.split_once('?')?;
    if before.contains('/') || !wrapping::has_parameters(query) {
        return None;
    }
    let whole = Zeroizing::new(format!("{before}/?{query}"));
    parse_endpoint(&format!("{before}/")).ok()?;
    report.add(Finding::new(
        FindingId::MissingSlash,
        "There is no / between its port and its ?.",
        "Write HOST:PORT/?Action=…: some servers take it without, Aurora's express clusters and \
         RDS on this machine refuse it. Old SDKs leave it out where the endpoint is given as \
         HOST:PORT.",
    ));
    parse(&whole).ok()
}

/// A value with a character in it that every signer encodes.
fn not_encoded(text: &str) -> Option<Finding> {
    let (_, query) = text.split_once('?')?;
    let is_bare = |b: u8| b.is_ascii_alphanumeric() || b"-_.~%".contains(&b);
    let parts: Vec<&str> = query.split('&').collect();
    let found = parts.iter().enumerate().any(|(at, part)| {
        match part.split_once('=') {
            Some((_, value)) => !value.bytes().all(is_bare),
            // Within, a part without = is what stood behind a bare & of a user's name.
            None => at + 1 < parts.len() && !part.is_empty(),
        }
    });
    found.then(|| {
        Finding::new(
            FindingId::NotEncoded,
            "It was decoded on its way: there are characters in its values that a token has as %2F \
             and the like only.",
            "Pass it on as it was printed, and do not percent-decode it: the server reads a bare + \
             as a space and a bare & as the end of a value.",
        )
    })
}
