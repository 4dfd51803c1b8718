//! Writes the result of `rdsign policy check` as text: the decision, what it depends on, and near
//! misses. The texts about conditions and differences come from the library.

use rdsign::Service;
use rdsign::policy::{Check, Decision, OpenStatement, Requirement, StatementId, Variables};

use crate::output::terminal::{Style, WIDTH, wrap};

/// `files` are the names of the policies.
pub(super) fn text(answer: &Check, service: Service, files: &[String]) -> String {
    let verdict = verdict(&answer.decision, files);
    let mut text = format!("{verdict}\n  {}\n  {}\n", answer.action, answer.arn);
    if let Some(key) = key_to_pass(&answer.decision, service) {
        let hint = "Pass the values that you know, such as --variable";
        // A plain key needs no quotes but for spaces.
        let quote = if key.contains(' ') { "'" } else { "" };
        text.push_str(&format!("\n{hint} {quote}{key}=VALUE{quote}.\n"));
    }
    for near_miss in &answer.near_misses {
        let by = place(&near_miss.statement, files);
        text.push_str(&format!("\nnearly allowed by {by}\n"));
        for difference in &near_miss.differences {
            let difference = wrap(&difference.to_string(), 2, WIDTH);
            text.push_str(&format!("  {difference}\n"));
        }
    }
    text
}

fn verdict(decision: &Decision, files: &[String]) -> String {
    let style = Style::of_stdout();
    let place = |id| place(id, files);
    match decision {
        Decision::Allowed { statement } => {
            format!("{} by {}", style.green("allowed"), place(statement))
        }
        Decision::ExplicitlyDenied { statement } => {
            format!("{} by {}", style.red("denied"), place(statement))
        }
        Decision::NotAllowed => {
            let denied = style.red("denied");
            format!("{denied} by default: no statement allows it")
        }
        Decision::Undecided {
            allowed_by,
            allows,
            denies,
        } => {
            let mut lines = clauses(["allowed if", "or if"], allows, files);
            match allowed_by {
                Some(statement) => {
                    lines = clauses(["allowed unless", "and unless"], denies, files);
                    lines.push(format!("otherwise allowed by {}", place(statement)));
                }
                None => lines.extend(clauses(["but not if", "nor if"], denies, files)),
            }
            let allowed = style.yellow("allowed");
            lines.join("\n").replacen("allowed", &allowed, 1)
        }
    }
}

/// Writes a paragraph for each statement. The first starts with the first of `starts`.
fn clauses(starts: [&str; 2], open: &[OpenStatement], files: &[String]) -> Vec<String> {
    let clauses = open.iter().enumerate().map(|(index, open)| {
        let start = starts[index.min(1)];
        let place = place(&open.statement, files);
        let clause = format!("{start} {} ({place})", open.requirements_text());
        wrap(&clause, 0, WIDTH)
    });
    clauses.collect()
}

fn place(id: &StatementId, files: &[String]) -> String {
    let sid = match &id.sid {
        Some(sid) => format!(" (Sid {sid:?})"),
        None => String::new(),
    };
    format!("{}, Statement {}{sid}", files[id.policy], id.statement)
}

/// Returns a condition key whose value would help to decide.
fn key_to_pass(decision: &Decision, service: Service) -> Option<&str> {
    let Decision::Undecided { allows, denies, .. } = decision else {
        return None;
    };
    let open = allows.iter().chain(denies);
    let open = open.flat_map(|open| &open.requirements);
    let mut keys = open
        .filter(|open| ["condition", "variable"].contains(&open.id()))
        .flat_map(Requirement::keys);
    keys.find(|key| may_be_passed(key, service))
        .map(String::as_str)
}

/// Returns whether --variable accepts a key, and a terminal and a shell show it as it is.
fn may_be_passed(key: &str, service: Service) -> bool {
    let is_plain = |c: char| c.is_alphanumeric() || " _.:/+-@".contains(c);
    key.len() <= WIDTH
        && key.chars().all(is_plain)
        && Variables::new(service, [&format!("{key}=VALUE")[..]]).is_ok()
}
