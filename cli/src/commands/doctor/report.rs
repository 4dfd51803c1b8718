//! The results of all steps. A later step can succeed although an earlier one failed, because some
//! steps do not depend on each other. The exit status is that of the first failure.

use std::process::ExitCode;

use serde_json::{Value, json};

use super::entry::{Entry, Outcome, Step};

/// The entries of all steps so far.
#[derive(Default)]
pub(crate) struct Report(Vec<Entry>);

impl Report {
    /// Adds a step's result. Returns whether the steps that build on it can run.
    pub(crate) fn add(&mut self, entry: Entry) -> bool {
        let can_go_on = !entry.has_failed() && entry.outcome != Outcome::Skipped;
        self.0.push(entry);
        can_go_on
    }

    /// Adds steps that cannot run.
    pub(crate) fn skip(&mut self, steps: &[Step], why: &str) {
        for step in steps {
            self.0.push(Entry::skipped(*step, why));
        }
    }

    pub(super) fn entries(&self) -> &[Entry] {
        &self.0
    }

    pub(super) fn first_failure(&self) -> Option<Step> {
        let failed = self.0.iter().filter(|entry| entry.has_failed());
        failed
            .map(|entry| entry.step)
            .min_by_key(|step| *step as u8)
    }

    /// Returns the names of the steps with warnings.
    pub(super) fn warnings(&self) -> Vec<&'static str> {
        let entries = self.0.iter();
        let warnings = entries.filter(|entry| entry.outcome == Outcome::Warning);
        warnings.map(|entry| entry.step.as_str()).collect()
    }

    pub(crate) fn exit_status(&self) -> ExitCode {
        match self.first_failure() {
            Some(step) => ExitCode::from(step.exit_status()),
            None => ExitCode::SUCCESS,
        }
    }

    pub(super) fn to_json(&self) -> Value {
        let failed = self.first_failure();
        let steps: Vec<Value> = self.0.iter().map(entry_as_json).collect();
        json!({
            "failed_step": failed.map(Step::as_str),
            "exit_status": failed.map_or(0, Step::exit_status),
            "steps": steps,
        })
    }
}

fn entry_as_json(entry: &Entry) -> Value {
    let outcome = match entry.outcome {
        Outcome::Fine => "fine",
        Outcome::Warning => "warning",
        Outcome::Failed => "failed",
        Outcome::Skipped => "skipped",
    };
    json!({
        "step": entry.step.as_str(),
        "outcome": outcome,
        "finding": entry.finding,
        "says": match &entry.copy {
            Some(copy) => format!("{} {copy}", entry.says),
            None => entry.says.clone(),
        },
        "next": entry.next,
    })
}

#[cfg(test)]
mod tests {
    use super::super::finding::Finding;
    use super::*;

    #[test]
    fn exit_statuses_never_change() {
        let statuses = [
            (Step::Credentials, 11),
            (Step::Region, 12),
            (Step::Name, 13),
            (Step::Tcp, 14),
            (Step::Tls, 15),
            (Step::Token, 16),
            (Step::Login, 17),
            (Step::Clock, 18),
            (Step::Member, 19),
        ];
        for (step, status) in statuses {
            assert_eq!(step.exit_status(), status);
            let line = format!("{status} {}", step.as_str());
            assert!(super::super::HELP.contains(&line), "{line}");
        }
    }

    #[test]
    fn the_first_failure_sets_the_exit_status_and_warnings_do_not() {
        let mut report = Report::default();
        report.add(Entry::warning(
            Step::Credentials,
            Finding::CredentialsEndSoon,
            "slow",
        ));
        assert!(report.first_failure().is_none());
        report.add(Entry::failed(Step::Login, Finding::LoginBroken, "no"));
        report.add(Entry::failed(Step::Tls, Finding::NoTls, "no"));
        assert_eq!(report.first_failure(), Some(Step::Tls));
        assert_eq!(report.to_json()["exit_status"], 15);
    }
}
