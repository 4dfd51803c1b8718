//! Tests which tokens are ready without a wait.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use rdsign::{Credentials, Signer, SignerBuilder};

fn options() -> SignerBuilder {
    Signer::builder()
        .hostname("db.abc.us-east-1.rds.amazonaws.com")
        .username("iam_user")
}

fn is_ready(signer: &Signer) -> bool {
    signer.ready_token().expect("signs").is_some()
}

#[test]
fn a_token_with_given_keys_is_ready_at_once() {
    let options = options().access_key_id("akid").secret_access_key("secret");
    assert!(is_ready(&options.build().unwrap()));
}

#[test]
fn ready_token_does_not_call_the_provider() {
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    let options = options().credentials_provider(move || {
        count.fetch_add(1, Ordering::SeqCst);
        Ok(Credentials::new("akid", "secret", None, None, "test"))
    });
    let signer = options.build().unwrap();
    assert!(!is_ready(&signer));
    assert_eq!(asked.load(Ordering::SeqCst), 0);
    signer.token().unwrap();
    assert!(is_ready(&signer));
    assert_eq!(asked.load(Ordering::SeqCst), 1);
}

#[test]
fn a_signer_for_another_user_shares_the_credentials_and_signs_its_own_name() {
    let calls = Arc::new(AtomicUsize::new(0));
    let counter = calls.clone();
    let first = options()
        .credentials_provider(move || {
            counter.fetch_add(1, Ordering::SeqCst);
            Ok(Credentials::new(
                "AKIDEXAMPLE",
                "a secret",
                None,
                None,
                "tests",
            ))
        })
        .build()
        .unwrap();
    let second = first.for_user("another").unwrap();
    let own = first.token_at_unix_seconds(1_724_709_600).unwrap();
    let direct = options().username("another").access_key_id("AKIDEXAMPLE");
    let direct = direct.secret_access_key("a secret").build().unwrap();
    let of = |signer: &Signer| signer.token_at_unix_seconds(1_724_709_600).unwrap();
    assert_eq!(of(&second).value(), of(&direct).value());
    assert_ne!(of(&second).value(), own.value());
    assert_eq!(calls.load(Ordering::SeqCst), 1);
    assert!(first.for_user("").is_err());
}
