//! The result of one step. Scripts rely on the names of the steps, their exit statuses and the ids
//! of findings, so these never change.

use rdsign::Error;

use super::finding::Finding;

/// The steps, in the order in which they are reported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    Credentials,
    Region,
    Name,
    Tcp,
    Tls,
    Token,
    Login,
    Clock,
    Member,
    ForceSsl,
    Policy,
}

impl Step {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Credentials => "credentials",
            Self::Region => "region",
            Self::Name => "name",
            Self::Tcp => "tcp",
            Self::Tls => "tls",
            Self::Token => "token",
            Self::Login => "login",
            Self::Clock => "clock",
            Self::Member => "member",
            Self::ForceSsl => "force-ssl",
            Self::Policy => "policy",
        }
    }

    /// 11 for the first step, and so on.
    pub(super) fn exit_status(self) -> u8 {
        11 + self as u8
    }
}

/// The outcome of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Fine,
    /// The step succeeded, but the user should know something.
    Warning,
    Failed,
    Skipped,
}

/// The result of one step.
pub(crate) struct Entry {
    pub(super) step: Step,
    pub(super) outcome: Outcome,
    /// The stable id of the problem; `None` if there is no problem.
    pub(super) finding: Option<&'static str>,
    pub(super) says: String,
    pub(super) next: Vec<String>,
    /// Text that the user copies; it is never wrapped.
    pub(super) copy: Option<String>,
}

impl Entry {
    pub(crate) fn fine(step: Step, says: impl Into<String>) -> Self {
        Self {
            step,
            outcome: Outcome::Fine,
            finding: None,
            says: says.into(),
            next: Vec::new(),
            copy: None,
        }
    }

    pub(crate) fn skipped(step: Step, why: impl Into<String>) -> Self {
        Self {
            outcome: Outcome::Skipped,
            ..Self::fine(step, why)
        }
    }

    pub(crate) fn failed(step: Step, finding: Finding, says: impl Into<String>) -> Self {
        Self::with_id(step, finding.id(), says)
    }

    /// The entry of a failed step with an id that is not a [`Finding`], such as an error code.
    pub(super) fn with_id(step: Step, id: &'static str, says: impl Into<String>) -> Self {
        Self {
            outcome: Outcome::Failed,
            finding: Some(id),
            ..Self::fine(step, says)
        }
    }

    pub(crate) fn warning(step: Step, finding: Finding, says: impl Into<String>) -> Self {
        Self {
            outcome: Outcome::Warning,
            ..Self::failed(step, finding, says)
        }
    }

    pub(crate) fn of_error(step: Step, error: &Error) -> Self {
        Self::with_id(step, error.code().as_str(), error.message())
    }

    /// Makes the entry a warning. The first warning gives it its id.
    pub(super) fn warn(mut self, id: &'static str, says: &str, next: &str) -> Self {
        self.outcome = Outcome::Warning;
        self.finding.get_or_insert(id);
        self.says.push_str(says);
        self.next(next)
    }

    /// Adds a suggestion.
    pub(crate) fn next(mut self, next: impl Into<String>) -> Self {
        self.next.push(next.into());
        self
    }

    pub(crate) fn copy(mut self, text: String) -> Self {
        self.copy = Some(text);
        self
    }

    pub(super) fn has_failed(&self) -> bool {
        self.outcome == Outcome::Failed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_md_lists_the_exit_status_of_each_step_that_can_fail() {
        let page = include_str!("../../../../docs/errors.md");
        for step in [
            Step::Credentials,
            Step::Region,
            Step::Name,
            Step::Tcp,
            Step::Tls,
            Step::Token,
            Step::Login,
            Step::Clock,
            Step::Member,
        ] {
            let row = format!("\n| `{}` | {} | ", step.as_str(), step.exit_status());
            assert!(page.contains(&row), "{row}");
        }
    }
}
