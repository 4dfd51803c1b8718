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
