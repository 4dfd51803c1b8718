//! Formats the report as text: first the token's parts, then the findings. Text from the token is
//! escaped, because it may contain control characters.

use std::time::Duration;

use rdsign::inspect::{Details, Report, Severity, Signature, spoken};
use rdsign::timestamp::format_rfc3339;

use crate::output::{
    self,
    terminal::{Style, WIDTH, wrap},
};

pub(super) fn of(report: &Report, with_signature: bool, compared: &[&str]) -> String {
    let style = Style::of_stdout();
    let mut text = String::new();
    if *report.details() != Details::default() {
        text.push_str(&details(report));
    }
    if with_signature {
        let answer = match report.signature() {
            Signature::NotChecked => "not checked".to_owned(),
            Signature::Right => style.green("right"),
            Signature::Wrong => style.red("wrong"),
            Signature::OtherKey => "not checked: signed with another access key".to_owned(),
        };
        text.push_str(&row("signature", &answer));
    }
    if !compared.is_empty() {
        text.push_str(&row("compared with", &compared.join(", ")));
    }
    for finding in report.findings() {
        if !text.is_empty() {
            text.push('\n');
        }
        let severity = match finding.severity() {
            Severity::Error => style.red("error"),
            Severity::Warning => style.yellow("warning"),
        };
        text.push_str(&format!("{severity}: {}\n", finding.id()));
        for sentence in [finding.problem(), finding.advice()] {
            text.push_str(&format!("  {}\n", wrap(sentence, 2, WIDTH)));
        }
    }
    if report.findings().is_empty() {
        text.push_str(&format!("\n{}\n", style.green("No problems found.")));
    }
    text
}

fn details(report: &Report) -> String {
    let details = report.details();
    let mut text = String::new();
    let mut show = |name, value: Option<String>| {
        text.push_str(&row(name, value.as_deref().unwrap_or("not readable")));
    };
    show("hostname", details.hostname.clone());
    // A token for DSQL has neither port nor user.
    if details.service.as_deref() == Some("dsql") {
        show("action", details.action.clone());
    } else {
        show("port", details.port.map(|port| port.to_string()));
        show("username", details.username.as_deref().map(plain));
    }
    show("region", details.region.clone());
    if let Some(service) = details.service.as_deref().filter(|name| *name != "rds-db") {
        show("service", Some(service.to_owned()));
    }
    let access_key_id = details.access_key_id.as_ref();
    let shown = access_key_id.map(|id| match details.is_temporary {
        Some(has_session_token) => format!("{id} ({})", output::key(id, has_session_token)),
        None => id.clone(),
    });
    show("access key id", shown);
    show("signed at", details.signing_time.map(format_rfc3339));
    show("expires at", details.expires_at().map(format_rfc3339));
    match report.seconds_left() {
        Some(left @ 1..) => show("time left", Some(time(left))),
        Some(over) => show("expired", Some(format!("{} ago", time(over)))),
        None => {}
    }
    text
}

fn row(name: &str, value: &str) -> String {
    format!("{:16}{value}\n", format!("{name}:"))
}

fn time(seconds: i64) -> String {
    spoken(Duration::from_secs(seconds.unsigned_abs()))
}

/// Quotes and escapes a name that a terminal would not show unchanged.
fn plain(text: &str) -> String {
    match text
        .chars()
        .all(|c| c.is_ascii_graphic() || c.is_alphanumeric())
    {
        true if !text.is_empty() => text.to_owned(),
        _ => format!("{text:?}"),
    }
}
