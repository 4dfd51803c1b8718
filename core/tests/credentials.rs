//! Tests how a Signer caches the credentials of a provider. Times are in seconds since the first
//! token. A provider's keys are numbered, so a token shows which of them signed it.

#![expect(clippy::unwrap_used, reason = "a helper that panics fails its test")]

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, Barrier, Mutex, mpsc};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use rdsign::credentials::ProviderResult;
use rdsign::{Credentials, Error, ErrorCode, Signer, SignerBuilder, Token};

const START: u64 = 1_724_709_600;
const HOUR: u64 = 3600;
/// A refresh is due when the keys expire within a token's lifetime of 900 s, plus a random part of
/// up to a fifth: never at EARLY, always at DUE.
const EARLY: u64 = HOUR - 1100;
const DUE: u64 = HOUR - 890;
/// A timeout that no pause of the machine exceeds, for tests that are not about the timeout.
const LONG: Duration = Duration::from_secs(600);

const SECRET: &str = "a/secret+of=the/tests";
const SESSION_TOKEN: &str = "a/session+token=of/the/tests";

fn moment(seconds: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(START + seconds)
}

fn keys(number: u32, expiry: Option<u64>) -> Credentials {
    Credentials::new(
        format!("ASIA{number}"),
        SECRET,
        Some(SESSION_TOKEN.to_owned()),
        expiry.map(moment),
        "tests",
    )
}

fn builder() -> SignerBuilder {
    Signer::builder()
        .hostname("mydb.abc123.eu-central-1.rds.amazonaws.com")
        .username("iam_user")
        .credentials_timeout(LONG)
}

fn signer(provider: impl Fn() -> ProviderResult + Send + Sync + 'static) -> Signer {
    builder().credentials_provider(provider).build().unwrap()
}

/// Returns a signer whose provider counts its calls, and answers the n-th with `answer(n)`, from 1.
fn counted(answer: impl Fn(u32) -> ProviderResult + Send + Sync + 'static) -> (Signer, Calls) {
    let calls = Calls::default();
    let counter = calls.clone();
    let signer = signer(move || answer(counter.0.fetch_add(1, SeqCst) + 1));
    (signer, calls)
}

#[derive(Clone, Debug, Default)]
struct Calls(Arc<AtomicU32>);

impl Calls {
    fn so_far(&self) -> u32 {
        self.0.load(SeqCst)
    }
}

fn ask(signer: &Signer, seconds: u64) -> Result<Token, Error> {
    signer.token_at(moment(seconds))
}

/// Returns the number of the keys that sign a token at this time.
fn signed_by(signer: &Signer, seconds: u64) -> u32 {
    number(&ask(signer, seconds).unwrap())
}

fn number(token: &Token) -> u32 {
    let (_, rest) = token.value().split_once("X-Amz-Credential=ASIA").unwrap();
    rest.split('%').next().unwrap().parse().unwrap()
}

/// Calls `ask` in several threads at the same time, and returns all results.
fn together(
    threads: usize,
    ask: impl Fn() -> Result<Token, Error> + Sync,
) -> Vec<Result<Token, Error>> {
    let ready = Barrier::new(threads);
    thread::scope(|scope| {
        let ask = || {
            ready.wait();
            ask()
        };
        let asking: Vec<_> = (0..threads).map(|_| scope.spawn(ask)).collect();
        asking.into_iter().map(|one| one.join().unwrap()).collect()
    })
}

#[test]
fn tokens_that_outlive_their_keys_do_not_make_each_one_fetch_keys() {
    let calls = Calls::default();
    let counter = calls.clone();
    let signer = Signer::builder()
        .hostname("4abcdefghijklmnopqrstuvwxy.dsql.us-east-1.on.aws")
        .username("app")
        .expires_in(604_800)
        .credentials_timeout(LONG)
        .credentials_provider(move || Ok(keys(counter.0.fetch_add(1, SeqCst) + 1, Some(HOUR))))
        .build()
        .unwrap();
    for seconds in [0, 600, EARLY] {
        let token = ask(&signer, seconds).unwrap();
        // The keys expire first.
        assert_eq!(token.expires_at(), moment(HOUR));
    }
    assert_eq!(calls.so_far(), 1);
    ask(&signer, DUE).unwrap();
    assert_eq!(calls.so_far(), 2);
}

#[test]
fn the_provider_is_not_called_before_the_first_token() {
    let (signer, calls) = counted(|n| Ok(keys(n, None)));
    assert_eq!(calls.so_far(), 0);
    assert_eq!(signed_by(&signer, 0), 1);
    assert_eq!(calls.so_far(), 1);
}

#[test]
fn keys_without_expiry_are_fetched_once() {
    let (signer, calls) = counted(|n| Ok(keys(n, None)));
    for seconds in [0, HOUR, 1000 * HOUR] {
        assert_eq!(signed_by(&signer, seconds), 1);
    }
    assert_eq!(calls.so_far(), 1);
}

#[test]
fn keys_are_refreshed_before_they_expire() {
    let (signer, calls) = counted(|n| Ok(keys(n, Some(u64::from(n) * HOUR))));
    for seconds in [0, 1, 600, EARLY] {
        assert_eq!(signed_by(&signer, seconds), 1);
    }
    assert_eq!(calls.so_far(), 1);
    assert_eq!(signed_by(&signer, DUE), 2);
    assert_eq!(signed_by(&signer, HOUR + EARLY), 2);
    assert_eq!(calls.so_far(), 2);
}

#[test]
fn keys_are_refreshed_a_token_lifetime_before_expiry_plus_a_random_part_of_up_to_a_fifth() {
    let first_refresh_at = |expires_in: u16| {
        let calls = Calls::default();
        let counter = calls.clone();
        let signer = builder()
            .expires_in(expires_in)
            .credentials_provider(move || {
                counter.0.fetch_add(1, SeqCst);
                Ok(keys(1, Some(HOUR)))
            })
            .build()
            .unwrap();
        ask(&signer, 0).unwrap();
        let due = |seconds: &u64| {
            ask(&signer, *seconds).unwrap();
            calls.so_far() > 1
        };
        (HOUR - 2 * u64::from(expires_in)..HOUR).find(due).unwrap()
    };
    for expires_in in [900, 100] {
        let ahead = u64::from(expires_in);
        let times: Vec<u64> = (0..16).map(|_| first_refresh_at(expires_in)).collect();
        let allowed = HOUR - ahead - ahead / 5..=HOUR - ahead;
        assert!(times.iter().all(|at| allowed.contains(at)), "{times:?}");
        assert!(times.iter().any(|at| *at != times[0]), "{times:?}");
    }
}

#[test]
fn a_token_expires_after_its_lifetime_or_with_the_keys() {
    for (expiry, expected) in [
        (None, 900),
        (Some(900), 900),
        (Some(899), 899),
        (Some(1), 1),
    ] {
        let (signer, _) = counted(move |n| Ok(keys(n, expiry)));
        let token = ask(&signer, 0).unwrap();
        assert_eq!(token.expires_at(), moment(expected), "{expiry:?}");
    }
}

#[test]
fn warm_tokens_expire_with_the_keys_too() {
    let (signer, calls) = counted(|n| Ok(keys(n, Some(600))));
    for seconds in [0, 1, 20] {
        assert_eq!(ask(&signer, seconds).unwrap().expires_at(), moment(600));
    }
    assert_eq!(calls.so_far(), 1);
}

#[test]
fn keys_that_expire_within_a_token_lifetime_are_not_refreshed_at_every_call() {
    let (signer, calls) = counted(|n| Ok(keys(n, Some(600))));
    for seconds in 0..30 {
        ask(&signer, seconds).unwrap();
    }
    assert_eq!(calls.so_far(), 1);
    ask(&signer, 80).unwrap();
    assert_eq!(calls.so_far(), 2);
}

/// A source like a cache: its keys live for 100 s, and it has newer ones only in the last `ahead`
/// milliseconds of the old ones. Returns for each token, one every 50 ms: the milliseconds that its
/// keys had left, and for how long there were newer ones.
fn tokens_of_a_cache(ahead: u64, expires_in: u16) -> (Vec<(u64, u64)>, u32) {
    let (clock, calls) = (Arc::new(AtomicU64::new(0)), Calls::default());
    let (clock_of_source, counter, rhythm) = (clock.clone(), calls.clone(), 100_000 - ahead);
    let signer = builder()
        .expires_in(expires_in)
        .credentials_provider(move || {
            counter.0.fetch_add(1, SeqCst);
            let n = clock_of_source.load(SeqCst) / rhythm;
            let end = between(n * rhythm + 100_000);
            Ok(Credentials::new(
                format!("ASIA{n}"),
                SECRET,
                None,
                Some(end),
                "tests",
            ))
        })
        .build()
        .unwrap();
    let tokens = (0..350_000).step_by(50).map(|now| {
        clock.store(now, SeqCst);
        let n = u64::from(number(&signer.token_at(between(now)).unwrap()));
        let end = n * rhythm + 100_000;
        (end - now, now.saturating_sub(end - ahead))
    });
    (tokens.collect(), calls.so_far())
}

#[test]
fn keys_sign_for_at_most_seconds_if_their_source_has_newer_ones() {
    for (ahead, at_most) in [
        (25_000, 3750),
        (9000, 3750),
        (5200, 550),
        (4000, 550),
        (1000, 550),
    ] {
        for expires_in in [900, 30] {
            let (tokens, calls) = tokens_of_a_cache(ahead, expires_in);
            for (left, superseded) in tokens {
                assert!(superseded <= at_most, "{superseded} ms at {ahead}");
                assert!(left > 0);
            }
            assert!(calls <= 4 * 40, "{calls} calls at {ahead}");
        }
    }
}

#[test]
fn keys_in_their_last_seconds_sign_if_the_source_has_no_newer_ones() {
    for fails in [true, false] {
        let (signer, calls) = counted(move |n| match n {
            1 => Ok(keys(1, Some(4))),
            _ if fails => Err("out of order".into()),
            _ => Ok(keys(n, Some(4))),
        });
        for milliseconds in (0..4000).step_by(10) {
            signer.token_at(between(milliseconds)).unwrap();
        }
        assert!((2..=8).contains(&calls.so_far()), "{calls:?}");
        assert!(ask(&signer, 4).is_err());
    }
}

#[test]
fn while_the_old_keys_are_valid_a_failed_refresh_is_ignored_and_retried_later() {
    let (signer, calls) = counted(|n| match n {
        1 => Ok(keys(n, Some(HOUR))),
        2 | 3 => Err("out of order".into()),
        _ => Ok(keys(n, Some(2 * HOUR))),
    });
    ask(&signer, 0).unwrap();
    for seconds in [DUE, DUE + 1, DUE + 40] {
        let token = ask(&signer, seconds).unwrap();
        assert_eq!((number(&token), token.expires_at()), (1, moment(HOUR)));
    }
    assert_eq!(calls.so_far(), 2);
    assert_eq!(signed_by(&signer, DUE + 80), 1);
    assert_eq!(calls.so_far(), 3);
    assert_eq!(signed_by(&signer, DUE + 160), 4);
}

#[test]
fn without_valid_keys_a_failed_refresh_is_an_error_with_its_cause() {
    let (signer, calls) = counted(|n| match n {
        1 => Ok(keys(n, Some(HOUR))),
        4 => Ok(keys(n, Some(3 * HOUR))),
        _ => Err("the vault is sealed".into()),
    });
    ask(&signer, 0).unwrap();
    for count in [2, 3] {
        let error = ask(&signer, HOUR).unwrap_err();
        assert_eq!(error.code(), ErrorCode::CredentialsFailed);
        assert!(error.message().contains("the vault is sealed"), "{error}");
        assert_eq!(calls.so_far(), count);
    }
    assert_eq!(signed_by(&signer, HOUR), 4);
}

#[test]
fn expired_keys_of_a_provider_sign_nothing() {
    let (signer, calls) = counted(|_| Ok(keys(7, Some(HOUR))));
    assert_eq!(signed_by(&signer, HOUR - 1), 7);
    for seconds in [HOUR, HOUR + 1] {
        let error = ask(&signer, seconds).unwrap_err();
        assert_eq!(error.code(), ErrorCode::CredentialsExpired);
        for word in ["ASIA7", "2024-08-26T23:00:00Z"] {
            assert!(error.message().contains(word), "{error}");
        }
    }
    assert_eq!(calls.so_far(), 3);
    assert_eq!(signed_by(&signer, HOUR - 1), 7);
}

#[test]
fn expired_given_keys_sign_nothing() {
    let signer = builder().credentials(keys(1, Some(HOUR))).build().unwrap();
    let token = ask(&signer, HOUR - 1).unwrap();
    assert_eq!(token.expires_at(), moment(HOUR));
    assert_eq!(ask(&signer, 0).unwrap().expires_at(), moment(900));
    let error = ask(&signer, HOUR).unwrap_err();
    assert_eq!(error.code(), ErrorCode::CredentialsExpired);
}

#[test]
fn newer_keys_that_expire_earlier_are_not_used() {
    let expiries = [HOUR, HOUR - 1, HOUR + 1];
    let (signer, calls) = counted(move |n| Ok(keys(n, Some(expiries[n as usize - 1]))));
    assert_eq!(signed_by(&signer, 0), 1);
    assert_eq!(signed_by(&signer, DUE), 1);
    assert_eq!(calls.so_far(), 2);
    assert_eq!(signed_by(&signer, DUE + 80), 3);
}

/// Returns a time in milliseconds since the first token.
fn between(milliseconds: u64) -> SystemTime {
    moment(0) + Duration::from_millis(milliseconds)
}

/// Signers whose keys expire at this time, each from another kind of source.
fn each_source(expiry: SystemTime) -> [Signer; 2] {
    let keys = Credentials::new("ASIA1", SECRET, None, Some(expiry), "tests");
    let given = builder().credentials(keys.clone()).build().unwrap();
    [given, signer(move || Ok(keys.clone()))]
}

#[test]
fn the_fraction_of_a_second_decides_whether_keys_have_expired() {
    for signer in each_source(moment(2)) {
        for milliseconds in [0, 1000, 1999] {
            let token = signer.token_at(between(milliseconds)).unwrap();
            assert_eq!(token.expires_at(), moment(2), "{milliseconds}");
        }
    }
}

#[test]
fn no_token_is_returned_after_its_own_expiry_even_if_keys_expire_within_a_second() {
    for end in [2000, 2001, 2500, 2999] {
        for signer in each_source(between(end)) {
            for now in (0..3100).step_by(50) {
                let Ok(token) = signer.token_at(between(now)) else {
                    assert!(now >= 2000, "{now}: the keys expire at {end}");
                    continue;
                };
                assert_eq!(token.expires_at(), between(end), "{now}");
                // C reports whole seconds.
                let since = token.expires_at().duration_since(UNIX_EPOCH).unwrap();
                let reported = UNIX_EPOCH + Duration::from_secs(since.as_secs());
                assert!(reported > between(now), "{now} of {end}");
            }
        }
    }
}

#[test]
fn keys_that_expired_while_the_process_was_frozen_are_refreshed_at_once() {
    let (signer, _) = counted(|n| Ok(keys(n, Some(u64::from(n) * 100 * HOUR))));
    assert_eq!(signed_by(&signer, 0), 1);
    assert_eq!(signed_by(&signer, 150 * HOUR), 2);
}

#[test]
fn concurrent_threads_cause_one_call() {
    let about_to_ask = Arc::new(AtomicU32::new(0));
    let so_far = about_to_ask.clone();
    let (signer, calls) = counted(move |n| {
        // If a second call of a round came, too few threads would be left for it.
        let deadline = Instant::now() + Duration::from_secs(60);
        while so_far.load(SeqCst) < 64 * n {
            assert!(Instant::now() < deadline, "call {n} came too early");
            thread::yield_now();
        }
        Ok(keys(n, Some(u64::from(n) * HOUR)))
    });
    for (seconds, numbers, count) in [(0, 1..=1, 1), (DUE, 1..=2, 2), (HOUR + DUE, 2..=3, 3)] {
        let tokens = together(64, || {
            about_to_ask.fetch_add(1, SeqCst);
            ask(&signer, seconds)
        });
        for token in tokens {
            assert!(numbers.contains(&number(&token.unwrap())));
        }
        assert_eq!(calls.so_far(), count);
    }
}

#[test]
fn concurrent_threads_cause_one_call_even_if_it_is_fast() {
    for _ in 0..200 {
        let (signer, calls) = counted(|n| Ok(keys(n, Some(u64::from(n) * HOUR))));
        for (seconds, count) in [(0, 1), (DUE, 2), (2 * HOUR, 3)] {
            together(8, || ask(&signer, seconds));
            assert_eq!(calls.so_far(), count, "{seconds}");
        }
    }
}

#[test]
fn clones_share_the_cached_keys() {
    let (signer, calls) = counted(|n| Ok(keys(n, Some(HOUR))));
    assert_eq!(signed_by(&signer.clone(), 0), 1);
    assert_eq!(signed_by(&signer, 0), 1);
    assert_eq!(calls.so_far(), 1);
}

/// Returns a signer whose provider answers its first call at once, and blocks each further call
/// until it is released.
fn blocking() -> (Signer, mpsc::Receiver<()>, mpsc::Sender<()>, Calls) {
    let (called, is_called) = mpsc::channel();
    let (let_go, go) = mpsc::channel::<()>();
    let gate = Mutex::new((called, go));
    let (signer, calls) = counted(move |n| {
        if n > 1 {
            let gate = gate.lock().unwrap();
            gate.0.send(()).unwrap();
            gate.1.recv().unwrap();
        }
        Ok(keys(n, Some(u64::from(n) * HOUR)))
    });
    ask(&signer, 0).unwrap();
    (signer, is_called, let_go, calls)
}

#[test]
fn during_a_refresh_other_threads_use_the_valid_keys() {
    let (signer, is_called, let_go, calls) = blocking();
    thread::scope(|scope| {
        let asking = scope.spawn(|| signed_by(&signer, DUE));
        is_called.recv().unwrap();
        for _ in 0..10 {
            assert_eq!(signed_by(&signer, DUE), 1);
        }
        let_go.send(()).unwrap();
        assert_eq!(asking.join().unwrap(), 2);
    });
    assert_eq!(signed_by(&signer, DUE), 2);
    assert_eq!(calls.so_far(), 2);
}

#[test]
fn during_a_refresh_other_threads_wait_if_no_keys_are_valid() {
    let (signer, is_called, let_go, calls) = blocking();
    thread::scope(|scope| {
        let asking: Vec<_> = (0..8)
            .map(|_| scope.spawn(|| signed_by(&signer, HOUR)))
            .collect();
        is_called.recv().unwrap();
        let_go.send(()).unwrap();
        for one in asking {
            assert_eq!(one.join().unwrap(), 2);
        }
    });
    assert_eq!(calls.so_far(), 2);
}

#[test]
fn a_waiting_thread_does_not_get_expired_keys() {
    let (called, is_called) = mpsc::channel();
    let (let_go, go) = mpsc::channel::<()>();
    let gate = Mutex::new((called, go));
    let (signer, calls) = counted(move |n| match n {
        1 => Ok(keys(n, Some(HOUR))),
        2 => {
            let gate = gate.lock().unwrap();
            gate.0.send(()).unwrap();
            gate.1.recv().unwrap();
            Err("out of order".into())
        }
        _ => Ok(keys(n, Some(2 * HOUR))),
    });
    ask(&signer, 0).unwrap();
    let about_to_ask = Barrier::new(9);
    let other = || {
        about_to_ask.wait();
        ask(&signer, HOUR).unwrap()
    };
    thread::scope(|scope| {
        // The old keys are still valid for the thread that refreshes, but expired for the others.
        let refreshing = scope.spawn(|| signed_by(&signer, HOUR - 1));
        is_called.recv().unwrap();
        let others: Vec<_> = (0..8).map(|_| scope.spawn(other)).collect();
        // Some of them wait by now. The assertions hold whether they do or not.
        about_to_ask.wait();
        let_go.send(()).unwrap();
        assert_eq!(refreshing.join().unwrap(), 1);
        for other in others {
            let token = other.join().unwrap();
            assert_eq!(number(&token), 3);
            assert!(token.expires_at() > moment(HOUR));
        }
    });
    assert_eq!(calls.so_far(), 3);
}

#[test]
fn a_waiting_thread_does_not_get_the_failure_of_a_call_that_began_before_it_came() {
    let (called, is_called) = mpsc::channel();
    let (let_go, go) = mpsc::channel::<()>();
    let gate = Mutex::new((called, go));
    let (signer, calls) = counted(move |n| {
        if n > 1 {
            return Ok(keys(n, None));
        }
        let gate = gate.lock().unwrap();
        gate.0.send(()).unwrap();
        gate.1.recv().unwrap();
        Err("out of order".into())
    });
    let about_to_ask = Barrier::new(9);
    let other = || {
        about_to_ask.wait();
        signed_by(&signer, 0)
    };
    thread::scope(|scope| {
        let asking = scope.spawn(|| ask(&signer, 0));
        is_called.recv().unwrap();
        let others: Vec<_> = (0..8).map(|_| scope.spawn(other)).collect();
        // Some of them wait by now. The assertions hold whether they do or not.
        about_to_ask.wait();
        let_go.send(()).unwrap();
        assert!(asking.join().unwrap().is_err());
        for other in others {
            assert_eq!(other.join().unwrap(), 2);
        }
    });
    assert_eq!(calls.so_far(), 2);
}

#[test]
fn a_waiting_thread_waits_at_most_the_timeout() {
    let (called, is_called) = mpsc::channel();
    let (let_go, go) = mpsc::channel::<()>();
    let gate = Mutex::new((called, go));
    let signer = builder()
        .credentials_provider(move || {
            let gate = gate.lock().unwrap();
            gate.0.send(()).unwrap();
            gate.1.recv().unwrap();
            Ok(keys(1, None))
        })
        .credentials_timeout(Duration::from_millis(50))
        .build()
        .unwrap();
    thread::scope(|scope| {
        let asking = scope.spawn(|| signed_by(&signer, 0));
        is_called.recv().unwrap();
        let (answered, answer) = mpsc::channel();
        let waiting = signer.clone();
        scope.spawn(move || answered.send(ask(&waiting, 0)).unwrap());
        // An endless wait would be ended only by `let_go`, and a longer one names its own bound.
        let answer = answer.recv_timeout(Duration::from_secs(60));
        let_go.send(()).unwrap();
        let error = answer
            .expect("an answer before the provider's")
            .unwrap_err();
        assert_eq!(error.code(), ErrorCode::CredentialsTimeout);
        assert!(error.message().contains("within 0.6 s"), "{error}");
        assert_eq!(asking.join().unwrap(), 1);
    });
    assert_eq!(signed_by(&signer, 0), 1);
}

#[test]
fn a_provider_that_calls_its_own_signer_does_not_deadlock() {
    let itself: Arc<Mutex<Option<Signer>>> = Arc::default();
    let inner = itself.clone();
    let signer = builder()
        .credentials_provider(move || {
            let signer = inner.lock().unwrap().clone().unwrap();
            Err(signer.token().unwrap_err().into())
        })
        .credentials_timeout(Duration::from_millis(50))
        .build()
        .unwrap();
    *itself.lock().unwrap() = Some(signer.clone());
    let error = signer.token().unwrap_err();
    assert_eq!(error.code(), ErrorCode::CredentialsFailed);
    *itself.lock().unwrap() = None;
}

#[test]
fn the_signer_works_after_the_provider_panicked() {
    let (called, is_called) = mpsc::channel();
    let (let_go, go) = mpsc::channel::<()>();
    let gate = Mutex::new((called, go));
    let (signer, calls) = counted(move |n| {
        if n == 1 {
            let gate = gate.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
            gate.0.send(()).unwrap();
            gate.1.recv().unwrap();
            panic!("on purpose: {SECRET}");
        }
        Ok(keys(n, None))
    });
    thread::scope(|scope| {
        let panicking = scope.spawn(|| ask(&signer, 0));
        is_called.recv().unwrap();
        let waiting: Vec<_> = (0..4).map(|_| scope.spawn(|| ask(&signer, 0))).collect();
        let_go.send(()).unwrap();
        assert!(panicking.join().is_err());
        for one in waiting {
            // Some threads wait for the call that panics, some start after it.
            match one.join().unwrap() {
                Ok(token) => assert!(number(&token) > 1),
                Err(error) => {
                    assert_eq!(error.code(), ErrorCode::Internal);
                    assert!(!error.message().contains(SECRET), "{error}");
                }
            }
        }
    });
    assert!(signed_by(&signer, 0) > 1);
    assert_eq!(calls.so_far(), 2);
}

#[test]
fn the_error_for_invalid_keys_names_the_field() {
    let given = |id: &str, secret: &str, session_token: &str| {
        let session_token = Some(session_token.to_owned());
        let credentials = Credentials::new(id, secret, session_token, None, "tests");
        signer(move || Ok(credentials.clone())).token()
    };
    for (id, secret, session_token, field) in [
        ("", SECRET, "", "access key id"),
        ("ASIA", "", "", "secret access key"),
        ("ASIA\n", SECRET, "", "access key id"),
        ("ASIA", "a/secret+of=the/tests\r", "", "secret access key"),
        (
            "ASIA",
            SECRET,
            "a/session+token=of/the/tests\0",
            "session token",
        ),
    ] {
        let error = given(id, secret, session_token).unwrap_err();
        assert_eq!(error.code(), ErrorCode::InvalidCredentials);
        assert!(error.message().starts_with(field), "{error}");
        shows_nothing(&error);
    }
    assert!(given("ASIA", SECRET, "").is_ok());
}

fn shows_nothing(it: &impl std::fmt::Debug) {
    for text in [format!("{it:?}"), format!("{it:#?}")] {
        for secret in [SECRET, SESSION_TOKEN, "X-Amz-Signature"] {
            assert!(!text.contains(secret), "{text}");
        }
    }
}

#[test]
fn debug_output_and_errors_show_no_secret() {
    let with_keys = builder()
        .access_key_id("AKIA")
        .secret_access_key(SECRET)
        .session_token(SESSION_TOKEN);
    let with_credentials = builder().credentials(keys(1, Some(HOUR)));
    let with_provider = builder().credentials_provider(|| Ok(keys(1, Some(HOUR))));
    for builder in [with_keys, with_credentials, with_provider] {
        shows_nothing(&builder);
        shows_nothing(&builder.clone().find_credentials().unwrap());
        let signer = builder.build().unwrap();
        shows_nothing(&signer);
        shows_nothing(&ask(&signer, 0).unwrap());
        shows_nothing(&signer);
        shows_nothing(&ask(&signer, 2 * HOUR));
    }
}

#[test]
fn find_credentials_reports_the_source() {
    let found = |builder: SignerBuilder| builder.find_credentials().unwrap();
    let provided = found(builder().credentials_provider(|| Ok(keys(1, Some(HOUR)))));
    assert_eq!(provided.source, "provider");
    assert_eq!(provided.access_key_id(), "ASIA1");
    assert_eq!(provided.expires_at(), Some(moment(HOUR)));
    assert!(provided.tried.is_empty());
    let given = found(builder().credentials(keys(2, None)));
    assert_eq!((given.source, given.access_key_id()), ("options", "ASIA2"));
    assert_eq!(given.expires_at(), None);
}

#[test]
fn several_sources_are_rejected() {
    let options: [fn(SignerBuilder) -> SignerBuilder; 4] = [
        |builder| builder.access_key_id("AKIA").secret_access_key(SECRET),
        |builder| builder.credentials(keys(1, None)),
        |builder| builder.credentials_provider(|| Ok(keys(2, None))),
        |builder| builder.profile("work"),
    ];
    for (n, first) in options.iter().enumerate() {
        assert!(first(builder()).build().is_ok());
        for second in &options[n + 1..] {
            let error = second(first(builder())).build().unwrap_err();
            assert_eq!(error.code(), ErrorCode::InvalidCredentials);
            assert!(error.message().contains("more than one"), "{error}");
        }
    }
}

#[test]
fn invalid_options_of_a_source_are_rejected() {
    for builder in [
        builder().external_id("1"),
        builder().role_session_name("me"),
        builder().role_arn(""),
        builder().profile(""),
        builder().credentials_timeout(Duration::ZERO),
    ] {
        let error = builder.build().unwrap_err();
        assert_eq!(error.code(), ErrorCode::InvalidCredentials);
    }
}

#[cfg(not(feature = "chain"))]
#[test]
fn without_the_chain_a_profile_or_a_role_is_an_error() {
    let keys = builder().credentials(keys(1, None));
    for builder in [
        builder().profile("work"),
        keys.role_arn("arn:aws:iam::1:role/x"),
    ] {
        let error = builder.build().unwrap().token().unwrap_err();
        assert_eq!(error.code(), ErrorCode::CredentialsFailed);
        assert!(
            error.message().contains("without the feature chain"),
            "{error}"
        );
    }
}

#[cfg(feature = "chain")]
mod asynchronous {
    use super::*;

    #[tokio::test]
    async fn a_provider_may_block_without_blocking_the_runtime() {
        let (let_go, go) = mpsc::channel::<()>();
        let go = Mutex::new(go);
        let (signer, calls) = counted(move |n| {
            go.lock().unwrap().recv().unwrap();
            Ok(keys(n, None))
        });
        // Both run on the only thread of this runtime.
        let (token, ()) = tokio::join!(signer.token_async(), async { let_go.send(()).unwrap() });
        assert_eq!(number(&token.unwrap()), 1);
        assert_eq!(calls.so_far(), 1);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_panic_of_the_provider_is_an_error() {
        let (signer, _) = counted(|n| {
            if n == 1 {
                panic!("on purpose")
            } else {
                Ok(keys(n, None))
            }
        });
        let error = signer.token_async().await.unwrap_err();
        assert_eq!(error.code(), ErrorCode::Internal);
        assert_eq!(number(&signer.token_async().await.unwrap()), 2);
    }

    #[tokio::test]
    async fn the_signer_works_after_a_call_was_dropped() {
        let (let_go, go) = mpsc::channel::<()>();
        let go = Mutex::new(go);
        let (signer, calls) = counted(move |n| {
            go.lock().unwrap().recv().unwrap();
            Ok(keys(n, None))
        });
        tokio::select! {
            biased;
            _ = signer.token_async() => unreachable!("nobody let the provider go"),
            () = async {} => let_go.send(()).unwrap(),
        }
        assert_eq!(number(&signer.token_async().await.unwrap()), 1);
        assert_eq!(calls.so_far(), 1);
    }
}
