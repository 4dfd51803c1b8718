//! Tests every answer of `verify`: each refusal next to a login that is allowed.

#![expect(clippy::unwrap_used, reason = "a helper that panics fails its test")]

mod peer;

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use peer::PeerRequest;
use rdsign::Service;
use rdsign::names::{Endpoint, Region};
use rdsign::policy::{Policy, Variables};
use rdsign::verify::{AccessKey, Refusal, Server, verify};
use rdsign::{Credentials, Signer};

const HOST: &str = "mydb.abc123.eu-central-1.rds.amazonaws.com";
const USER: &str = "iam_user";
const NOW: u64 = 1_724_709_600;

fn at(seconds: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(seconds)
}

fn server() -> Server {
    Server {
        endpoints: vec![
            Endpoint::new(HOST, 5432).unwrap(),
            Endpoint::new(HOST, 443).unwrap(),
        ],
        region: Region::new("eu-central-1").unwrap(),
        account_id: "123456789012".to_owned(),
        resource_id: "db-ABC".to_owned(),
        grants: Vec::new(),
    }
}

fn key(id: &str, session_token: Option<&str>, expiry: Option<u64>) -> AccessKey {
    let policy = r#"{"Version": "2012-10-17", "Statement": {"Effect": "Allow",
        "Action": "rds-db:connect",
        "Resource": "arn:aws:rds-db:eu-central-1:123456789012:dbuser:db-ABC/iam_user"}}"#;
    AccessKey {
        credentials: Credentials::new(
            id,
            format!("secret of {id}"),
            session_token.map(str::to_owned),
            expiry.map(at),
            "test",
        ),
        arn: None,
        policies: vec![Policy::from_json(policy).unwrap()],
        variables: Variables::default(),
    }
}

fn keys() -> Vec<AccessKey> {
    vec![
        key("LONG", None, None),
        key("TEMPORARY", Some("session/token+="), Some(NOW + 600)),
    ]
}

/// A login that is allowed by default. Tests change one part of it.
#[derive(Clone)]
struct Login {
    hostname: &'static str,
    port: u16,
    signed_user: &'static str,
    user: &'static str,
    region: &'static str,
    key: AccessKey,
    signed_at: u64,
    expires_in: u16,
    now: u64,
}

impl Default for Login {
    fn default() -> Self {
        Self {
            hostname: HOST,
            port: 5432,
            signed_user: USER,
            user: USER,
            region: "eu-central-1",
            key: keys().remove(0),
            signed_at: NOW,
            expires_in: 900,
            now: NOW,
        }
    }
}

impl Login {
    fn token(&self) -> String {
        let mut credentials = self.key.credentials.clone();
        *credentials.expiry_mut() = None;
        let signer = Signer::builder()
            .hostname(self.hostname)
            .port(self.port)
            .username(self.signed_user)
            .region(self.region)
            .expires_in(self.expires_in)
            .credentials(credentials);
        let token = signer.build().unwrap().token_at(at(self.signed_at));
        token.unwrap().into_value()
    }

    fn answer_to(&self, token: &str) -> Result<String, &'static str> {
        verify(token, self.user, &server(), &keys(), at(self.now))
            .map(|accepted| accepted.to_string())
            .map_err(|refusal| {
                let line = refusal.to_string();
                for secret in ["secret of", "session/token", "X-Amz-Signature="] {
                    assert!(!line.contains(secret), "{line}");
                }
                refusal.id()
            })
    }

    fn answer(&self) -> Result<String, &'static str> {
        self.answer_to(&self.token())
    }
}

fn refused(change: impl Fn(&mut Login)) -> &'static str {
    let mut login = Login::default();
    login.answer().expect("the unchanged login is allowed");
    change(&mut login);
    login.answer().expect_err("the changed login is refused")
}

fn allowed(change: impl Fn(&mut Login)) -> String {
    let mut login = Login::default();
    change(&mut login);
    login.answer().expect("the login is allowed")
}

#[test]
fn the_answer_names_key_resource_and_signed_host() {
    let line = allowed(|_| ());
    let host = format!("host {HOST}:5432");
    for part in ["LONG", "dbuser:db-ABC/iam_user", &host] {
        assert!(line.contains(part), "{line}");
    }
}

#[test]
fn a_password_is_malformed() {
    assert_eq!(Login::default().answer_to("hunter2"), Err("malformed"));
}

#[test]
fn a_refusal_does_not_show_a_part_that_repeats_a_secret() {
    let token = Login::default().token();
    let (_, signature) = token.split_once("X-Amz-Signature=").unwrap();
    let session = "FwoGZXIvYXdzEBYaDHk";
    let temporary = format!("{token}&X-Amz-Security-Token={session}");
    let user = "DBUser=iam_user";
    for piece in [&signature[..16], &signature[40..]] {
        for (part, changed) in [
            ("the host", token.replacen("mydb", &format!("x{piece}"), 1)),
            ("the user", token.replace(user, &format!("DBUser={piece}x"))),
            (
                "the region",
                token.replace("eu-central-1%2F", &format!("{piece}%2F")),
            ),
            (
                "the access key ID",
                token.replace("LONG%2F", &format!("{piece}%2F")),
            ),
        ] {
            let login = Login::default();
            let refusal = verify(&changed, login.user, &server(), &keys(), at(NOW));
            let line = refusal.unwrap_err().to_string();
            assert!(!line.contains(piece), "{part}: {line}");
        }
    }
    let changed = token.replace(user, &format!("{user}X-Amz-Security-Token%3D{session}"));
    let refusal = verify(&changed, USER, &server(), &keys(), at(NOW)).unwrap_err();
    let Refusal::WrongUser { signed_for, .. } = &refusal else {
        panic!("{refusal}");
    };
    let shown = format!("{refusal} {refusal:?} {signed_for:?}");
    assert!(!shown.contains(session), "{shown}");
    let changed = temporary.replace(user, &format!("DBUser={session}"));
    assert_eq!(Login::default().answer_to(&changed), Err("malformed"));
    let login = Login {
        user: "FwoGZXIvYXdzEBYaDHk",
        ..Login::default()
    };
    assert_eq!(login.answer_to(&temporary), Err("malformed"));
    // Up to 15 characters in common are a coincidence, such as a date.
    let short = token.replace(user, &format!("DBUser={}", &signature[..15]));
    assert_eq!(Login::default().answer_to(&short), Err("wrong-user"));
}

#[test]
fn another_host_or_port_is_a_wrong_endpoint() {
    let replica = "replica.abc123.eu-central-1.rds.amazonaws.com";
    assert_eq!(refused(|l| l.hostname = replica), "wrong-endpoint");
    assert_eq!(refused(|l| l.port = 5433), "wrong-endpoint");
}

#[test]
fn another_user_is_refused_even_if_only_case_differs() {
    assert_eq!(refused(|l| l.signed_user = "testuser"), "wrong-user");
    assert_eq!(refused(|l| l.signed_user = "IAM_USER"), "wrong-user");
}

#[test]
fn another_region_or_service_is_refused() {
    let token = Login::default().token();
    let region = token.replace("%2Feu-central-1%2F", "%2Feu-west-1%2F");
    let service = token.replace("%2Frds-db%2F", "%2Frds%2F");
    for changed in [region, service] {
        let answer = Login::default().answer_to(&changed);
        assert_eq!(answer, Err("wrong-region-or-service"));
    }
}

#[test]
fn the_signing_time_may_be_at_most_five_minutes_ahead() {
    allowed(|l| l.signed_at = NOW + 300);
    assert_eq!(refused(|l| l.signed_at = NOW + 301), "not-yet-valid");
}

#[test]
fn a_token_expires_after_its_lifetime() {
    allowed(|l| l.now = NOW + 899);
    assert_eq!(refused(|l| l.now = NOW + 900), "expired");
    let short = |now| move |l: &mut Login| (l.expires_in, l.now) = (60, now);
    allowed(short(NOW + 59));
    assert_eq!(refused(short(NOW + 60)), "expired");
}

#[test]
fn a_token_expires_with_the_credentials_that_signed_it() {
    let temporary = |now| {
        move |l: &mut Login| {
            l.key = keys().remove(1);
            l.now = now;
        }
    };
    allowed(temporary(NOW + 599));
    assert_eq!(refused(temporary(NOW + 600)), "expired");
}

#[test]
fn a_lifetime_over_900_is_refused() {
    let token = Login::default().token();
    let longer = token.replace("X-Amz-Expires=900", "X-Amz-Expires=901");
    assert_eq!(
        Login::default().answer_to(&longer),
        Err("lifetime-too-long")
    );
}

#[test]
fn an_unknown_access_key_is_refused() {
    assert_eq!(
        refused(|l| l.key = key("OTHER", None, None)),
        "unknown-access-key"
    );
}

#[test]
fn a_session_token_must_belong_to_the_key() {
    for wrong in [
        key("TEMPORARY", None, None),
        key("TEMPORARY", Some("another"), None),
        key("LONG", Some("session/token+="), None),
    ] {
        assert_eq!(refused(|l| l.key = wrong.clone()), "wrong-session-token");
    }
}

#[test]
fn another_secret_makes_a_wrong_signature() {
    let wrong = Credentials::new("LONG", "secret of another", None, None, "test");
    let refusal = refused(|l| l.key.credentials = wrong.clone());
    assert_eq!(refusal, "wrong-signature");
}

#[test]
fn the_refusal_of_the_policies_names_the_arn() {
    let login = Login {
        signed_user: "postgres",
        user: "postgres",
        ..Login::default()
    };
    let refusal = verify(&login.token(), "postgres", &server(), &keys(), at(NOW)).unwrap_err();
    assert_eq!(refusal.id(), "not-allowed");
    let arn = "arn:aws:rds-db:eu-central-1:123456789012:dbuser:db-ABC/postgres";
    assert!(refusal.to_string().contains(arn), "{refusal}");
}

/// Logs in with a key that has these policies and `aws:username`.
fn with_policies(statements: &str, username: &str) -> Result<String, String> {
    let text = format!(r#"{{"Version": "2012-10-17", "Statement": [{statements}]}}"#);
    let mut key = key("LONG", None, None);
    key.policies = vec![Policy::from_json(&text).unwrap()];
    key.variables =
        Variables::new(Service::Rds, [format!("aws:username={username}").as_str()]).unwrap();
    let answer = verify(&Login::default().token(), USER, &server(), &[key], at(NOW));
    let accepted = answer.map(|accepted| accepted.to_string());
    accepted.map_err(|refusal| format!("{}: {refusal}", refusal.id()))
}

const ALLOW: &str = r#"{"Effect": "Allow", "Action": "*", "Resource": "*"}"#;
const IF_MFA: &str = r#"{"Effect": "Allow", "Action": "*", "Resource": "*",
    "Condition": {"Bool": {"aws:MultiFactorAuthPresent": "true"}}}"#;
const DENY_WITHOUT_MFA: &str = r#"{"Effect": "Deny", "NotAction": "iam:*", "Resource": "*",
    "Condition": {"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}}}"#;

#[test]
fn a_deny_with_an_unknown_condition_is_ignored_and_named() {
    let line = with_policies(&format!("{ALLOW}, {DENY_WITHOUT_MFA}"), "jane").unwrap();
    let ignored = "; ignored: a Deny that applies if the condition BoolIfExists \
                   aws:MultiFactorAuthPresent \"false\" holds (policy 1, Statement 2)";
    assert!(line.ends_with(ignored), "{line}");
}

#[test]
fn an_allow_with_an_unknown_condition_is_ignored_and_named() {
    for statements in [IF_MFA.to_owned(), format!("{IF_MFA}, {DENY_WITHOUT_MFA}")] {
        let line = with_policies(&statements, "jane").unwrap_err();
        let ignored = ": ignored: a statement that may not apply: allowed if the condition \
                       Bool aws:MultiFactorAuthPresent \"true\" holds (policy 1, Statement 1)";
        assert!(
            line.starts_with("not-allowed: ") && line.contains(ignored),
            "{line}"
        );
    }
}

#[test]
fn a_deny_whose_wildcard_may_match_a_colon_counts() {
    let deny = r#"{"Effect": "Deny", "Action": "*",
        "Resource": "arn:aws:rds-db:eu-central-1:123456789012:*/iam_user"}"#;
    let line = with_policies(&format!("{ALLOW}, {deny}"), "jane").unwrap_err();
    assert!(
        line.starts_with("not-allowed: ")
            && line.contains("unless")
            && line.contains("whether a wildcard matches a colon")
            && !line.contains("ignored"),
        "{line}"
    );
}

#[test]
fn a_known_variable_decides() {
    let own = r#"{"Effect": "Allow", "Action": "rds-db:connect",
        "Resource": "arn:aws:rds-db:*:*:dbuser:*/${aws:username}"}"#;
    with_policies(own, USER).unwrap();
    let line = with_policies(own, "jane").unwrap_err();
    assert!(line.ends_with(": not allowed by any statement"), "{line}");
    let deny = r#"{"Effect": "Deny", "Action": "*", "Resource": "*",
        "Condition": {"StringEquals": {"aws:username": "jane"}}}"#;
    let both = format!("{ALLOW}, {deny}");
    with_policies(&both, "joe").unwrap();
    let line = with_policies(&both, "jane").unwrap_err();
    assert!(
        line.ends_with(": denied by policy 1, Statement 2"),
        "{line}"
    );
}

#[test]
fn a_trailing_dot_does_not_change_the_endpoint() {
    allowed(|l| l.hostname = "mydb.abc123.eu-central-1.rds.amazonaws.com.");
}

#[test]
fn any_order_of_parameters_is_accepted() {
    let login = Login {
        key: keys().remove(1),
        ..Login::default()
    };
    let token = login.token();
    let (head, query) = token.split_once('?').unwrap();
    let mut parameters: Vec<_> = query.split('&').collect();
    parameters.sort();
    let sorted = format!("{head}?{}", parameters.join("&"));
    parameters.reverse();
    let reversed = format!("{head}?{}", parameters.join("&"));
    for other in [sorted, reversed] {
        login.answer_to(&other).expect("the login is allowed");
    }
}

/// Signs like SDKs that sign the host as given: the token prints and signs the same text.
fn signed_as_given(printed: &str, host: &str) -> String {
    let key = keys().remove(0);
    let request = PeerRequest {
        host,
        username: USER,
        region: "eu-central-1",
        credentials: &key.credentials,
        signing_time: at(NOW),
        expires_in: 900,
    };
    let own = Login::default().token();
    let (_, query) = own.split_once("/?").unwrap();
    let (query, _) = query.rsplit_once('=').unwrap();
    format!("{printed}/?{query}={}", request.signature())
}

/// Signers that get `""` as the session token sign it. RDS Proxy then reports a missing value.
#[test]
fn an_empty_session_token_is_malformed_although_its_signature_is_right() {
    let credentials = Credentials::new("LONG", "secret of LONG", Some(String::new()), None, "test");
    let host = format!("{HOST}:5432");
    let request = PeerRequest {
        host: &host,
        username: USER,
        region: "eu-central-1",
        credentials: &credentials,
        signing_time: at(NOW),
        expires_in: 900,
    };
    let login = Login::default();
    let own = login.token();
    let (query, _) = own.rsplit_once("&X-Amz-Signature=").unwrap();
    let signature = request.signature();
    let token = format!("{query}&X-Amz-Security-Token=&X-Amz-Signature={signature}");
    assert_eq!(login.answer_to(&token), Err("malformed"));
}

#[test]
fn each_way_of_signing_the_host_is_accepted_and_reported() {
    let upper = "MYDB.abc123.eu-central-1.rds.amazonaws.com";
    let signed_host = |printed: &str, host: &str| {
        let token = signed_as_given(printed, host);
        verify(&token, USER, &server(), &keys(), at(NOW)).map(|accepted| accepted.signed_host)
    };
    let with_port = |host: &str, port: u16| format!("{host}:{port}");
    for (printed, host) in [
        (with_port(HOST, 5432), with_port(HOST, 5432)),
        (with_port(upper, 5432), with_port(HOST, 5432)),
        (with_port(upper, 5432), with_port(upper, 5432)),
        (with_port(HOST, 443), HOST.to_owned()),
        (HOST.to_owned(), HOST.to_owned()),
        (with_port(HOST, 443), with_port(HOST, 443)),
        (with_port(upper, 443), upper.to_owned()),
        (with_port(upper, 443), with_port(upper, 443)),
    ] {
        assert_eq!(signed_host(&printed, &host), Ok(host), "{printed}");
    }
    let other = signed_host(&with_port(HOST, 5432), HOST).unwrap_err();
    assert_eq!(other.id(), "wrong-signature");
}
