//! Says what happens when a Signer asks for credentials, to whoever listens.
//!
//! The text and the level of an event are decided here, so they are the same in every language. A
//! listener runs after the fetch is over and without a lock, so it may use the Signer, and its panic
//! changes nothing. No event occurs while tokens are signed with cached credentials.

use std::cell::Cell;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;

use super::flight::end_of;
use super::timing;
use crate::error::Error;
use crate::timestamp::format_rfc3339;

/// What came of a fetch of credentials. `Display` writes it in one line.
///
/// It contains no secret, so it is safe to log. Its error may name an access key ID.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Event {
    /// What happened.
    pub kind: EventKind,
    /// The source that answered, such as `environment` or `SSO`. `None` if the fetch failed.
    pub source: Option<&'static str>,
    /// How long the fetch took.
    pub took: Duration,
    /// When the credentials in use expire. `None` if they do not expire, or if there are none.
    pub expires_at: Option<SystemTime>,
    /// Why the fetch failed.
    pub error: Option<Error>,
}

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum EventKind {
    /// A source returned new credentials.
    Fetched,
    /// A refresh failed. The credentials in use are still valid and go on signing.
    RefreshFailed,
    /// A fetch failed, and no credentials are valid. The caller gets the error.
    FetchFailed,
    /// The credentials in use expire within a minute, and their source has no newer ones. Occurs once for
    /// the same credentials.
    Expiring,
}

impl EventKind {
    /// Returns the name in every language, such as `refresh-failed`, which never changes.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Fetched => "fetched",
            Self::RefreshFailed => "refresh-failed",
            Self::FetchFailed => "fetch-failed",
            Self::Expiring => "expiring",
        }
    }

    /// Returns whether it is a warning. Otherwise it is only information.
    pub const fn is_warning(self) -> bool {
        !matches!(self, Self::Fetched)
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let source = self.source.unwrap_or_default();
        let end = self.expires_at.map(format_rfc3339);
        let end = end.as_deref().unwrap_or("an unknown time");
        match self.kind {
            EventKind::Fetched => {
                let took = self.took.as_secs_f64();
                write!(f, "credentials fetched from {source} in {took:.3} s")?;
                match self.expires_at {
                    Some(_) => write!(f, "; they expire at {end}"),
                    None => f.write_str("; they do not expire"),
                }
            }
            EventKind::Expiring => write!(
                f,
                "credentials expire at {end}, and {source} has no newer ones"
            ),
            EventKind::RefreshFailed => {
                write!(
                    f,
                    "credentials not refreshed; those in use expire at {end}: "
                )?;
                self.write_error(f)
            }
            EventKind::FetchFailed => {
                f.write_str("credentials not fetched: ")?;
                self.write_error(f)
            }
        }
    }
}

impl Event {
    /// An error may quote a program's output, which can have several lines.
    fn write_error(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(error) = &self.error else {
            return Ok(());
        };
        let message = error.message().replace(char::is_control, " ");
        write!(f, "{}: {message}", error.code())
    }

    fn trace(&self) {
        macro_rules! event {
            ($level:ident) => {
                tracing::event!(
                    target: "rdsign",
                    tracing::Level::$level,
                    event = self.kind.as_str(),
                    source = self.source,
                    seconds = self.took.as_secs_f64(),
                    expires_at = self.expires_at.map(format_rfc3339),
                    code = self.error.as_ref().map(|error| error.code().as_str()),
                    "{self}"
                )
            };
        }
        match self.kind.is_warning() {
            true => event!(WARN),
            false => event!(INFO),
        }
    }
}

/// A function that is told each event.
pub(crate) type Listener = Arc<dyn Fn(&Event) + Send + Sync>;

/// Tells the listener of one Signer what comes of its fetches.
pub(crate) struct Teller {
    listener: Option<Listener>,
    /// Whether it told that the credentials in use expire soon.
    warned: AtomicBool,
}

impl Teller {
    pub(crate) fn new(listener: Option<Listener>) -> Self {
        Self {
            listener,
            warned: AtomicBool::new(false),
        }
    }

    pub(super) fn fetched(&self, source: &'static str, keys: &Credentials, took: Duration) {
        self.warned.store(false, Relaxed);
        self.tell(Event {
            kind: EventKind::Fetched,
            source: Some(source),
            took,
            expires_at: keys.expiry(),
            error: None,
        });
    }

    pub(super) fn fetch_failed(&self, error: &Error, took: Duration) {
        self.tell(Event {
            kind: EventKind::FetchFailed,
            source: None,
            took,
            expires_at: None,
            error: Some(error.clone()),
        });
    }

    /// Returns the event of a refresh, if there is something to tell. `keys` are used instead of `old`
    /// from now on; they may be the same.
    pub(super) fn of_refresh(
        &self,
        outcome: Result<&'static str, Error>,
        old: &Credentials,
        keys: &Credentials,
        took: Duration,
        now: SystemTime,
    ) -> Option<Event> {
        let is_same = is_same(old, keys);
        let is_soon = end_of(keys).is_some_and(|end| end < now + timing::SOON);
        let had_warned = is_same && is_soon && self.warned.load(Relaxed);
        let kind = match &outcome {
            Err(_) => EventKind::RefreshFailed,
            Ok(_) if !is_same => EventKind::Fetched,
            Ok(_) if is_soon && !had_warned => EventKind::Expiring,
            Ok(_) => return None,
        };
        let warned = had_warned || kind == EventKind::Expiring;
        self.warned.store(warned, Relaxed);
        Some(Event {
            kind,
            source: outcome.as_ref().ok().copied(),
            took,
            expires_at: keys.expiry(),
            error: outcome.err(),
        })
    }

    /// Calls the listener, or without one passes the event to `tracing`. The fetch must be over, so that
    /// a listener may use the Signer.
    ///
    /// A listener that asks the same Signer for a token could cause the next event, and so on without
    /// an end. So events that occur meanwhile on the same thread are dropped.
    pub(super) fn tell(&self, event: Event) {
        thread_local! {
            static TELLING: Cell<bool> = const { Cell::new(false) };
        }
        if TELLING.replace(true) {
            return;
        }
        let told = catch_unwind(AssertUnwindSafe(|| match &self.listener {
            Some(listener) => listener(&event),
            None => event.trace(),
        }));
        TELLING.set(false);
        // Dropping the payload of a panic may panic again.
        if let Err(payload) = told {
            std::mem::forget(payload);
        }
    }
}

/// Whether the keys are the same. Their source may return them with another expiry.
fn is_same(one: &Credentials, other: &Credentials) -> bool {
    one.access_key_id() == other.access_key_id() && one.session_token() == other.session_token()
}
