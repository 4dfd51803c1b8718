//! Tests what a Signer says to its listener. Times are in seconds since the first token.

#![cfg(feature = "chain")]
#![expect(clippy::unwrap_used, reason = "a helper that panics fails its test")]

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::SeqCst};
use std::sync::{Arc, Mutex, mpsc};
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rdsign::credentials::ProviderResult;
use rdsign::{Credentials, ErrorCode, Event, EventKind, Signer, SignerBuilder};

const START: u64 = 1_724_709_600; // 2024-08-26T22:00:00Z
const HOUR: u64 = 3600;
/// At this time a refresh is always due.
const DUE: u64 = HOUR - 890;
/// No test waits that long, unless it fails.
const LONG: Duration = Duration::from_secs(600);

const SECRET: &str = "a/secret+of=the/tests";
const SESSION_TOKEN: &str = "a/session+token=of/the/tests";

fn moment(seconds: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(START + seconds)
}

fn keys(number: u32, expiry: Option<u64>) -> ProviderResult {
    Ok(Credentials::new(
        format!("ASIA{number}"),
        SECRET,
        Some(SESSION_TOKEN.to_owned()),
        expiry.map(moment),
        "tests",
    ))
}

fn builder() -> SignerBuilder {
    Signer::builder()
        .hostname("mydb.abc123.eu-central-1.rds.amazonaws.com")
        .username("iam_user")
        .credentials_timeout(LONG)
}

/// Returns a builder whose provider answers the n-th call with `answer(n)`, from 1.
fn answering(answer: impl Fn(u32) -> ProviderResult + Send + Sync + 'static) -> SignerBuilder {
    let calls = AtomicU32::new(0);
    builder().credentials_provider(move || answer(calls.fetch_add(1, SeqCst) + 1))
}

#[derive(Clone, Default)]
struct Heard(Arc<Mutex<Vec<Event>>>);

impl Heard {
    fn from(builder: SignerBuilder) -> (Signer, Self) {
        let heard = Self::default();
        let listener = heard.clone();
        let signer = builder.event_listener(move |event| listener.push(event));
        (signer.build().unwrap(), heard)
    }

    fn push(&self, event: &Event) {
        self.0.lock().unwrap().push(event.clone());
    }

    /// Returns the events since the last call.
    fn latest(&self) -> Vec<Event> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }

    fn kinds(&self) -> Vec<EventKind> {
        self.latest().iter().map(|event| event.kind).collect()
    }
}

fn ask(signer: &Signer, seconds: u64) -> Result<(), ErrorCode> {
    let token = signer.token_at(moment(seconds));
    token.map(drop).map_err(|error| error.code())
}

#[test]
fn a_fetch_is_told_with_its_source_and_the_expiry() {
    for (expiry, end) in [
        (Some(HOUR), "they expire at 2024-08-26T23:00:00Z"),
        (None, "they do not expire"),
    ] {
        let (signer, heard) = Heard::from(answering(move |n| keys(n, expiry)));
        for seconds in [0, 1, 60] {
            ask(&signer, seconds).unwrap();
        }
        let [event] = &heard.latest()[..] else {
            panic!("one fetch, and three tokens");
        };
        assert_eq!(event.kind, EventKind::Fetched);
        assert!(!event.kind.is_warning());
        assert_eq!(event.source, Some("provider"));
        assert_eq!(event.expires_at, expiry.map(moment));
        assert!(event.error.is_none());
        let took = event.took.as_secs_f64();
        let text = format!("credentials fetched from provider in {took:.3} s; {end}");
        assert_eq!(event.to_string(), text);
    }
}

#[test]
fn a_refresh_that_fails_is_told_with_its_error_and_the_expiry_of_the_old_keys() {
    let (signer, heard) = Heard::from(answering(|n| match n {
        1 => keys(1, Some(HOUR)),
        2 => Err("the vault\r\nis sealed".into()),
        _ => keys(3, Some(2 * HOUR)),
    }));
    ask(&signer, 0).unwrap();
    assert_eq!(heard.kinds(), [EventKind::Fetched]);
    ask(&signer, DUE).unwrap();
    let [event] = &heard.latest()[..] else {
        panic!("one refresh");
    };
    assert_eq!(event.kind, EventKind::RefreshFailed);
    assert!(event.kind.is_warning());
    assert_eq!(event.expires_at, Some(moment(HOUR)));
    let error = event.error.as_ref().unwrap();
    assert_eq!(error.code(), ErrorCode::CredentialsFailed);
    assert_eq!(
        event.to_string(),
        "credentials not refreshed; those in use expire at 2024-08-26T23:00:00Z: CREDENTIALS_FAILED: \
         credentials: the provider given to the signer failed: the vault  is sealed"
    );
    ask(&signer, DUE + 80).unwrap();
    assert_eq!(heard.kinds(), [EventKind::Fetched]);
}

#[test]
fn a_fetch_that_fails_without_valid_keys_is_told_each_time() {
    let (signer, heard) = Heard::from(answering(|n| match n {
        1 => Err("the vault is sealed".into()),
        _ => keys(n, Some(HOUR)),
    }));
    assert_eq!(ask(&signer, 0), Err(ErrorCode::CredentialsFailed));
    let [event] = &heard.latest()[..] else {
        panic!("one fetch");
    };
    assert_eq!(event.kind, EventKind::FetchFailed);
    assert!(event.kind.is_warning());
    assert_eq!((event.source, event.expires_at), (None, None));
    assert_eq!(
        event.to_string(),
        "credentials not fetched: CREDENTIALS_FAILED: credentials: the provider given to the signer \
         failed: the vault is sealed"
    );
    // Expired keys are a failure, too.
    assert_eq!(ask(&signer, HOUR), Err(ErrorCode::CredentialsExpired));
    let [event] = &heard.latest()[..] else {
        panic!("one fetch");
    };
    let error = event.error.as_ref().unwrap();
    assert_eq!(error.code(), ErrorCode::CredentialsExpired);
}

#[test]
fn keys_that_run_out_are_told_once_in_their_last_minute() {
    let (signer, heard) = Heard::from(answering(|n| keys(1, Some(HOUR + u64::from(n > 20)))));
    ask(&signer, 0).unwrap();
    heard.latest();
    for seconds in [DUE, DUE + 100, HOUR - 300] {
        ask(&signer, seconds).unwrap();
    }
    assert_eq!(heard.kinds(), [], "the source has not replaced them yet");
    for seconds in HOUR - 59..HOUR {
        ask(&signer, seconds).unwrap();
    }
    let [event] = &heard.latest()[..] else {
        panic!("one warning");
    };
    assert_eq!(event.kind, EventKind::Expiring);
    assert!(event.kind.is_warning());
    assert_eq!(event.source, Some("provider"));
    let text = "credentials expire at 2024-08-26T23:00:00Z, and provider has no newer ones";
    assert_eq!(event.to_string(), text);
}

#[test]
fn newer_keys_that_expire_soon_are_told_again() {
    let (signer, heard) = Heard::from(answering(|n| keys(n / 2, Some(30 * u64::from(n / 2 + 1)))));
    let mut kinds = Vec::new();
    for seconds in [0, 10, 20, 30, 40, 50] {
        ask(&signer, seconds).unwrap();
        kinds.extend(heard.kinds());
    }
    let [fetched, expiring] = [EventKind::Fetched, EventKind::Expiring];
    // Calls 2 and 3 return the same keys, and so do 4 and 5.
    assert_eq!(
        kinds,
        [fetched, fetched, expiring, fetched, expiring, fetched]
    );
}

#[test]
fn keys_that_are_given_or_cached_cause_no_event() {
    let given = builder().credentials(keys(1, Some(HOUR)).unwrap());
    let (signer, heard) = Heard::from(given);
    ask(&signer, 0).unwrap();
    assert_eq!(ask(&signer, HOUR), Err(ErrorCode::CredentialsExpired));
    assert_eq!(heard.kinds(), []);
}

#[test]
fn a_listener_that_panics_changes_nothing() {
    let calls = Arc::new(AtomicU32::new(0));
    let counter = calls.clone();
    let signer = answering(|n| match n {
        1 => Err("out of order".into()),
        3 => Err("out of order".into()),
        _ => keys(n, Some(HOUR)),
    })
    .event_listener(move |event| {
        counter.fetch_add(1, SeqCst);
        panic!("on purpose: {event}");
    })
    .build()
    .unwrap();
    assert_eq!(ask(&signer, 0), Err(ErrorCode::CredentialsFailed));
    for (seconds, told) in [(0, 2), (1, 2), (DUE, 3)] {
        ask(&signer, seconds).unwrap();
        assert_eq!(calls.load(SeqCst), told, "{seconds}");
    }
}

#[test]
fn a_listener_may_use_the_signer_and_is_not_called_for_what_it_causes() {
    let itself: Arc<Mutex<Option<Signer>>> = Arc::default();
    let inner = itself.clone();
    let outcomes = Arc::new(Mutex::new(Vec::new()));
    let seen = outcomes.clone();
    let signer = answering(|n| match n {
        1..=2 => Err("out of order".into()),
        _ => keys(n, None),
    })
    .event_listener(move |_| {
        let signer = inner.lock().unwrap().clone().unwrap();
        let outcome = ask(&signer, 0);
        seen.lock().unwrap().push(outcome);
    })
    .build()
    .unwrap();
    *itself.lock().unwrap() = Some(signer.clone());
    assert_eq!(ask(&signer, 0), Err(ErrorCode::CredentialsFailed));
    ask(&signer, 0).unwrap();
    let failed = Err(ErrorCode::CredentialsFailed);
    assert_eq!(*outcomes.lock().unwrap(), [failed, Ok(())]);
    *itself.lock().unwrap() = None;
}

#[test]
fn threads_that_wait_for_a_fetch_do_not_wait_for_the_listener() {
    let (listening, is_listening) = mpsc::channel();
    let (let_go, go) = mpsc::channel::<()>();
    let (listening, go) = (Mutex::new(listening), Mutex::new(go));
    let was_let_go = Arc::new(AtomicBool::new(false));
    let in_time = was_let_go.clone();
    let signer = answering(|n| keys(n, None))
        .event_listener(move |_| {
            listening.lock().unwrap().send(()).unwrap();
            let outcome = go.lock().unwrap().recv_timeout(LONG);
            in_time.store(outcome.is_ok(), SeqCst);
        })
        .build()
        .unwrap();
    thread::scope(|scope| {
        scope.spawn(|| ask(&signer, 0).unwrap());
        is_listening.recv_timeout(LONG).unwrap();
        ask(&signer, 0).unwrap();
        let_go.send(()).unwrap();
    });
    assert!(was_let_go.load(SeqCst));
}

#[test]
fn no_event_shows_a_key() {
    let (signer, heard) = Heard::from(answering(|n| match n {
        1 => keys(1, Some(HOUR)),
        2 => Ok(Credentials::new(
            "",
            SECRET,
            Some(SESSION_TOKEN.into()),
            None,
            "tests",
        )),
        3 => keys(1, Some(HOUR)),
        _ => Ok(Credentials::new(
            "ASIA\n",
            SECRET,
            None,
            None,
            SESSION_TOKEN,
        )),
    }));
    for seconds in [0, DUE, HOUR - 30, HOUR] {
        let _ = ask(&signer, seconds);
    }
    let events = heard.latest();
    let kinds: Vec<_> = events.iter().map(|event| event.kind.as_str()).collect();
    assert_eq!(
        kinds,
        ["fetched", "refresh-failed", "expiring", "fetch-failed"]
    );
    for event in events {
        for text in [
            event.to_string(),
            format!("{event:?}"),
            format!("{event:#?}"),
        ] {
            for secret in [SECRET, SESSION_TOKEN, "ASIA", "X-Amz-Signature"] {
                assert!(!text.contains(secret), "{text}");
            }
        }
    }
}

mod tracing_events {
    use std::fmt::{Debug, Write as _};

    use tracing::field::{Field, Visit};
    use tracing::span::{Attributes, Id, Record};
    use tracing::{Metadata, Subscriber};

    use super::*;

    /// Writes each event of rdsign as a line.
    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<String>>);

    struct Line(String);

    impl Visit for Line {
        fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
            if field.name() != "seconds" {
                write!(self.0, " {}={value:?}", field.name()).unwrap();
            }
        }
    }

    impl Subscriber for Lines {
        fn enabled(&self, metadata: &Metadata<'_>) -> bool {
            metadata.target() == "rdsign"
        }

        fn new_span(&self, _: &Attributes<'_>) -> Id {
            Id::from_u64(1)
        }

        fn record(&self, _: &Id, _: &Record<'_>) {}

        fn record_follows_from(&self, _: &Id, _: &Id) {}

        fn event(&self, event: &tracing::Event<'_>) {
            let mut line = Line(event.metadata().level().to_string());
            event.record(&mut line);
            writeln!(self.0.lock().unwrap(), "{}", line.0).unwrap();
        }

        fn enter(&self, _: &Id) {}

        fn exit(&self, _: &Id) {}
    }

    #[test]
    fn without_a_listener_events_go_to_tracing() {
        let lines = Lines::default();
        let signer = answering(|n| match n {
            1 => keys(1, Some(HOUR)),
            _ => Err("the vault is sealed".into()),
        });
        let signer = signer.build().unwrap();
        tracing::subscriber::with_default(lines.clone(), || {
            ask(&signer, 0).unwrap();
            ask(&signer, DUE).unwrap();
        });
        let lines = lines.0.lock().unwrap();
        let [fetched, failed] = &lines.lines().collect::<Vec<_>>()[..] else {
            panic!("{lines}");
        };
        let end = r#"expires_at="2024-08-26T23:00:00Z""#;
        for word in ["INFO", r#"event="fetched""#, r#"source="provider""#, end] {
            assert!(fetched.contains(word), "{word}: {fetched}");
        }
        let code = r#"code="CREDENTIALS_FAILED""#;
        for word in [
            "WARN",
            r#"event="refresh-failed""#,
            end,
            code,
            "the vault is sealed",
        ] {
            assert!(failed.contains(word), "{word}: {failed}");
        }
    }

    #[tokio::test]
    async fn an_asynchronous_fetch_is_told_to_the_listener() {
        let (signer, heard) = Heard::from(answering(|n| keys(n, None)));
        signer.token_async().await.unwrap();
        assert_eq!(heard.kinds(), [EventKind::Fetched]);
    }
}
