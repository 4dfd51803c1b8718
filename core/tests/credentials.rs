//! How a Signer keeps the credentials that a provider gives it. Moments are in seconds since the
//! first token; a provider's keys are numbered, so a token tells which of them signed it.

use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use std::sync::{Arc, Barrier, Mutex, mpsc};
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rdsign::credentials::ProviderResult;
use rdsign::{Credentials, Error, ErrorCode, Signer, SignerBuilder, Token};

const START: u64 = 1_724_709_600;
const HOUR: u64 = 3600;
/// A token lives for 900 s: keys with less left, and by chance up to a fifth more, are due.
const EARLY: u64 = HOUR - 1100;
const DUE: u64 = HOUR - 890;
/// A bound that no pause of the machine exceeds, where no test is about the bound.
const LONG: Duration = Duration::from_secs(600);

const SECRET: &str = "a/secret+of=the/tests";
const SESSION_TOKEN: &str = "a/session+token=of/the/tests";

fn moment(seconds: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(START + seconds)
}

fn keys(number: u32, end: Option<u64>) -> Credentials {
    Credentials::new(
        format!("ASIA{number}"),
        SECRET,
        Some(SESSION_TOKEN.to_owned()),
        end.map(moment),
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

/// A provider that counts its calls and answers the n-th by `answer(n)`, from 1 on.
fn counted(answer: impl Fn(u32) -> ProviderResult + Send + Sync + 'static) -> (Signer, Calls) {
    let calls = Calls::default();
    let counter = calls.clone();
    let signer = signer(move || answer(counter.0.fetch_add(1, SeqCst) + 1));
    (signer, calls)
}

#[derive(Clone, Default)]
struct Calls(Arc<AtomicU32>);

impl Calls {
    fn so_far(&self) -> u32 {
        self.0.load(SeqCst)
    }
}

fn ask(signer: &Signer, seconds: u64) -> Result<Token, Error> {
    signer.token_at(moment(seconds))
}

/// The number of the keys that sign a token at this moment.
fn signed_by(signer: &Signer, seconds: u64) -> u32 {
    number(&ask(signer, seconds).unwrap())
}

fn number(token: &Token) -> u32 {
    let (_, rest) = token.value().split_once("X-Amz-Credential=ASIA").unwrap();
    rest.split('%').next().unwrap().parse().unwrap()
}

/// What each of so many threads gets that ask at once.
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
fn a_provider_is_not_called_before_a_token_is_asked_for() {
    let (signer, calls) = counted(|n| Ok(keys(n, None)));
    assert_eq!(calls.so_far(), 0);
    assert_eq!(signed_by(&signer, 0), 1);
    assert_eq!(calls.so_far(), 1);
}

#[test]
fn keys_without_an_end_are_asked_for_once() {
    let (signer, calls) = counted(|n| Ok(keys(n, None)));
    for seconds in [0, HOUR, 1000 * HOUR] {
        assert_eq!(signed_by(&signer, seconds), 1);
    }
    assert_eq!(calls.so_far(), 1);
}

#[test]
fn keys_are_replaced_ahead_of_their_end() {
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
fn keys_are_replaced_a_token_s_life_ahead_and_by_chance_up_to_a_fifth_more() {
    let first_asked_at = |expires_in: u16| {
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
        let asked: Vec<u64> = (0..16).map(|_| first_asked_at(expires_in)).collect();
        let allowed = HOUR - ahead - ahead / 5..=HOUR - ahead;
        assert!(asked.iter().all(|at| allowed.contains(at)), "{asked:?}");
        assert!(asked.iter().any(|at| *at != asked[0]), "{asked:?}");
    }
}

#[test]
fn a_token_ends_by_its_own_life_or_with_the_keys() {
    for (end, expected) in [
        (None, 900),
        (Some(900), 900),
        (Some(899), 899),
        (Some(1), 1),
    ] {
        let (signer, _) = counted(move |n| Ok(keys(n, end)));
        let token = ask(&signer, 0).unwrap();
        assert_eq!(token.expires_at(), moment(expected), "{end:?}");
    }
}

#[test]
fn warm_tokens_end_with_the_keys_too() {
    let (signer, calls) = counted(|n| Ok(keys(n, Some(600))));
    for seconds in [0, 1, 20] {
        assert_eq!(ask(&signer, seconds).unwrap().expires_at(), moment(600));
    }
    assert_eq!(calls.so_far(), 1);
}

#[test]
fn keys_with_less_than_a_token_s_life_left_are_not_asked_for_at_every_call() {
    let (signer, calls) = counted(|n| Ok(keys(n, Some(600))));
    for seconds in 0..30 {
        ask(&signer, seconds).unwrap();
    }
    assert_eq!(calls.so_far(), 1);
    ask(&signer, 80).unwrap();
    assert_eq!(calls.so_far(), 2);
}

#[test]
fn while_old_keys_hold_a_failure_is_not_told_and_tried_again_later() {
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
fn with_nothing_valid_left_a_failure_is_told_at_once_with_its_cause() {
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
fn keys_that_have_ended_sign_nothing() {
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
fn given_keys_that_have_ended_sign_nothing() {
    let signer = builder().credentials(keys(1, Some(HOUR))).build().unwrap();
    let token = ask(&signer, HOUR - 1).unwrap();
    assert_eq!(token.expires_at(), moment(HOUR));
    assert_eq!(ask(&signer, 0).unwrap().expires_at(), moment(900));
    let error = ask(&signer, HOUR).unwrap_err();
    assert_eq!(error.code(), ErrorCode::CredentialsExpired);
}

#[test]
fn newer_keys_that_end_sooner_are_not_taken() {
    let ends = [HOUR, HOUR - 1, HOUR + 1];
    let (signer, calls) = counted(move |n| Ok(keys(n, Some(ends[n as usize - 1]))));
    assert_eq!(signed_by(&signer, 0), 1);
    assert_eq!(signed_by(&signer, DUE), 1);
    assert_eq!(calls.so_far(), 2);
    assert_eq!(signed_by(&signer, DUE + 80), 3);
}

#[test]
fn a_process_that_was_frozen_is_right_on_its_first_call() {
    let (signer, _) = counted(|n| Ok(keys(n, Some(u64::from(n) * 100 * HOUR))));
    assert_eq!(signed_by(&signer, 0), 1);
    assert_eq!(signed_by(&signer, 150 * HOUR), 2);
}

#[test]
fn threads_at_once_cause_one_call() {
    let about_to_ask = Arc::new(AtomicU32::new(0));
    let so_far = about_to_ask.clone();
    let (signer, calls) = counted(move |n| {
        while so_far.load(SeqCst) < 64 * n {
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
fn threads_at_once_cause_one_call_however_fast_it_is() {
    for _ in 0..200 {
        let (signer, calls) = counted(|n| Ok(keys(n, Some(u64::from(n) * HOUR))));
        for (seconds, count) in [(0, 1), (DUE, 2), (2 * HOUR, 3)] {
            together(8, || ask(&signer, seconds));
            assert_eq!(calls.so_far(), count, "{seconds}");
        }
    }
}

#[test]
fn clones_share_what_they_keep() {
    let (signer, calls) = counted(|n| Ok(keys(n, Some(HOUR))));
    assert_eq!(signed_by(&signer.clone(), 0), 1);
    assert_eq!(signed_by(&signer, 0), 1);
    assert_eq!(calls.so_far(), 1);
}

/// A provider that gives keys at once, and from its second call on only when it is let go.
fn held_up() -> (Signer, mpsc::Receiver<()>, mpsc::Sender<()>, Calls) {
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
fn while_one_asks_the_others_use_what_is_valid() {
    let (signer, is_called, let_go, calls) = held_up();
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
fn while_one_asks_the_others_wait_if_nothing_is_valid() {
    let (signer, is_called, let_go, calls) = held_up();
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
fn who_waits_for_another_gets_no_keys_that_have_ended() {
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
        // For the one who asks the old keys still hold, for the others they have ended.
        let content = scope.spawn(|| signed_by(&signer, HOUR - 1));
        is_called.recv().unwrap();
        let others: Vec<_> = (0..8).map(|_| scope.spawn(other)).collect();
        // Some of them wait by now; whether they do changes nothing that is asserted.
        about_to_ask.wait();
        let_go.send(()).unwrap();
        assert_eq!(content.join().unwrap(), 1);
        for other in others {
            let token = other.join().unwrap();
            assert_eq!(number(&token), 3);
            assert!(token.expires_at() > moment(HOUR));
        }
    });
    assert_eq!(calls.so_far(), 3);
}

#[test]
fn who_waits_for_another_waits_no_longer_than_the_timeout() {
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
        let error = ask(&signer, 0).unwrap_err();
        assert_eq!(error.code(), ErrorCode::CredentialsTimeout);
        let_go.send(()).unwrap();
        assert_eq!(asking.join().unwrap(), 1);
    });
    assert_eq!(signed_by(&signer, 0), 1);
}

#[test]
fn a_provider_that_asks_its_own_signer_is_not_stuck() {
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
fn after_a_panic_of_the_provider_the_signer_still_works() {
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
            // Some wait for the call that panics, some come after it.
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
fn keys_that_cannot_sign_are_refused_by_field() {
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
fn nothing_that_a_program_logs_shows_a_secret() {
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
fn where_keys_were_found_is_told() {
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
fn of_several_sources_none_is_preferred() {
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
fn options_of_a_role_need_the_role() {
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
fn without_the_chain_a_profile_and_a_role_say_so() {
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
    async fn a_provider_may_block_without_holding_up_the_runtime() {
        let (let_go, go) = mpsc::channel::<()>();
        let go = Mutex::new(go);
        let (signer, calls) = counted(move |n| {
            go.lock().unwrap().recv().unwrap();
            Ok(keys(n, None))
        });
        // Both on the one thread of this runtime.
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
    async fn a_call_that_is_dropped_leaves_a_signer_that_works() {
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
