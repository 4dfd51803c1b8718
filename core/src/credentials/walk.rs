//! Records which sources a search asked, and what came of each.
//!
//! A search that fails has no [`Found`](super::Found), and its error names only the last source. The
//! record has them all, for people who wonder why their credentials are not found.

use std::cell::{Cell, RefCell};

use super::source::{Found, Tried};
use crate::error::{Error, ErrorCode};

/// A search for credentials: its steps in order, and its outcome.
#[derive(Clone, Debug)]
pub struct Walk {
    /// The sources, in the order in which they were checked.
    pub steps: Vec<Visit>,
    /// The credentials, or the error.
    pub outcome: Result<Found, Error>,
}

/// A source that a search checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Visit {
    /// Its name, such as `environment` or `credentials file`.
    pub source: &'static str,
    /// What came of it.
    pub result: VisitResult,
    /// Why it was not used; empty if it was.
    pub reason: String,
}

/// What came of checking a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VisitResult {
    /// It has no credentials.
    Nothing,
    /// Its credentials are used, perhaps to assume the role of a later step.
    Used,
    /// It is set up, but failed. No later source is asked.
    Failed,
    /// It is set up too, but an earlier source is used.
    NotAsked,
}

impl VisitResult {
    /// Returns the name in JSON, which never changes.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Nothing => "nothing",
            Self::Used => "used",
            Self::Failed => "failed",
            Self::NotAsked => "not-asked",
        }
    }
}

/// The steps of a search that is running.
pub(crate) struct Trail {
    steps: RefCell<Vec<Visit>>,
    /// The source that is being checked.
    at: Cell<&'static str>,
}

impl Trail {
    pub(super) fn new(at: &'static str) -> Self {
        Self {
            steps: RefCell::default(),
            at: Cell::new(at),
        }
    }

    /// Notes the source that is checked from now on.
    pub(super) fn is_at(&self, source: &'static str) {
        self.at.set(source);
    }

    /// Notes all sources that had nothing so far.
    pub(super) fn tried(&self, tried: &[Tried]) {
        let visit = |tried: &Tried| Visit {
            source: tried.source,
            result: VisitResult::Nothing,
            reason: tried.reason.clone(),
        };
        self.steps.replace(tried.iter().map(visit).collect());
    }

    /// Notes that a source has returned credentials.
    pub(super) fn used(&self, found: &Found) {
        let mut steps = self.steps.borrow_mut();
        steps.push(Visit {
            source: found.source,
            result: VisitResult::Used,
            reason: String::new(),
        });
    }

    /// Returns the whole walk.
    pub(super) fn end(self, outcome: Result<Found, Error>) -> Walk {
        let mut steps = self.steps.into_inner();
        match &outcome {
            Ok(found) => steps.extend(found.unused.iter().map(|unused| Visit {
                source: unused.source,
                result: VisitResult::NotAsked,
                reason: unused.reason.clone(),
            })),
            // Then each source has nothing, the last one too.
            Err(error) if error.code() == ErrorCode::CredentialsNotFound => {}
            Err(error) => steps.push(Visit {
                source: self.at.get(),
                result: VisitResult::Failed,
                reason: error.message().to_owned(),
            }),
        }
        Walk { steps, outcome }
    }
}
