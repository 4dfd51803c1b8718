//! Tests `verify` for logins to Aurora DSQL: each refusal next to a login that is allowed.

#![expect(clippy::unwrap_used, reason = "a helper that panics fails its test")]

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rdsign::names::{Endpoint, Region};
use rdsign::policy::{Policy, Variables};
use rdsign::verify::{AccessKey, Grant, Refusal, Server, verify};
use rdsign::{Credentials, Service, Signer};

const HOST: &str = "4abcdefghijklmnopqrstuvwxy.dsql.eu-central-1.on.aws";
const RDS: &str = "mydb.abc123.eu-central-1.rds.amazonaws.com";
const CLUSTER: &str = "arn:aws:dsql:eu-central-1:123456789012:cluster/4abcdefghijklmnopqrstuvwxy";
const OWNER: &str = "arn:aws:iam::123456789012:role/app";
const NOW: u64 = 1_724_709_600;
const WEEK: u32 = 604_800;

fn at(seconds: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(seconds)
}

fn allow(action: &str, resource: &str, condition: &str) -> String {
    format!(
        r#"{{"Version": "2012-10-17", "Statement": {{"Effect": "Allow", "Action": "{action}",
           "Resource": "{resource}"{condition}}}}}"#
    )
}

/// A login of `app`, which the policy and a grant allow. Tests change one part of it.
struct Login {
    hostname: &'static str,
    /// The service to sign for, if it is not that of the host name.
    service: Option<&'static str>,
    signed_user: &'static str,
    user: &'static str,
    policy: String,
    variables: Variables,
    arn: Option<&'static str>,
    grants: Vec<Grant>,
    expires_in: u32,
    now: u64,
}

fn grant(role: &str, to: &str) -> Grant {
    Grant {
        role: role.to_owned(),
        to: vec!["OTHER".to_owned(), to.to_owned()],
    }
}

impl Default for Login {
    fn default() -> Self {
        Self {
            hostname: HOST,
            service: None,
            signed_user: "app",
            user: "app",
            policy: allow("dsql:DbConnect", CLUSTER, ""),
            variables: Variables::default(),
            arn: None,
            grants: vec![grant("other", "KEY"), grant("app", "KEY")],
            expires_in: 900,
            now: NOW,
        }
    }
}

impl Login {
    fn as_admin() -> Self {
        Self {
            signed_user: "admin",
            user: "admin",
            policy: allow("dsql:DbConnectAdmin", CLUSTER, ""),
            grants: Vec::new(),
            ..Self::default()
        }
    }

    fn credentials() -> Credentials {
        Credentials::new("KEY", "secret of KEY", None, None, "test")
    }

    fn token(&self) -> String {
        let mut signer = Signer::builder()
            .hostname(self.hostname)
            .username(self.signed_user)
            .region("eu-central-1")
            .expires_in(self.expires_in)
            .credentials(Self::credentials());
        if let Some(service) = self.service {
            signer = signer.service(service);
        }
        let token = signer.build().unwrap().token_at(at(NOW));
        token.unwrap().into_value()
    }

    fn answer_to(&self, token: &str) -> Result<String, Refusal> {
        let server = Server {
            endpoints: vec![
                Endpoint::new(RDS, 5432).unwrap(),
                Endpoint::new(HOST, 15432).unwrap(),
                Endpoint::new("localhost", 15432).unwrap(),
            ],
            region: Region::new("eu-central-1").unwrap(),
            account_id: "123456789012".to_owned(),
            resource_id: "db-ABC".to_owned(),
            grants: self.grants.clone(),
        };
        let key = AccessKey {
            credentials: Self::credentials(),
            arn: self.arn.map(str::to_owned),
            policies: vec![Policy::from_json(&self.policy).unwrap()],
            variables: self.variables.clone(),
        };
        verify(token, self.user, &server, &[key], at(self.now)).map(|accepted| accepted.to_string())
    }

    fn allowed(&self) -> String {
        self.answer_to(&self.token()).expect("the login is allowed")
    }

    /// Returns the id and the text of the refusal.
    fn refused(&self) -> (&'static str, String) {
        let refusal = self.answer_to(&self.token());
        let refusal = refusal.expect_err("the login is refused");
        (refusal.id(), refusal.to_string())
    }
}

fn refused(change: impl Fn(&mut Login)) -> (&'static str, String) {
    let mut login = Login::default();
    login.allowed();
    change(&mut login);
    login.refused()
}

#[test]
fn a_role_needs_the_action_and_a_grant() {
    let line = Login::default().allowed();
    assert!(
        line.contains(&format!("\"{CLUSTER}\"; host {HOST}")),
        "{line}"
    );
    for grants in [
        vec![],
        vec![grant("App", "KEY"), grant("other", "KEY")],
        vec![grant("app", "YEK")],
    ] {
        let (id, line) = refused(|login| login.grants = grants.clone());
        assert_eq!(id, "not-granted");
        assert!(
            line.starts_with("role \"app\" is not granted to access key \"KEY\""),
            "{line}"
        );
    }
}

#[test]
fn a_grant_may_name_the_owner_of_the_key() {
    let owned = |arn: Option<&'static str>| Login {
        arn,
        grants: vec![grant("app", OWNER)],
        ..Login::default()
    };
    owned(Some(OWNER)).allowed();
    assert_eq!(owned(None).refused().0, "not-granted");
    let other = Some("arn:aws:iam::123456789012:role/other");
    assert_eq!(owned(other).refused().0, "not-granted");
}

#[test]
fn only_admin_needs_the_action_for_admins_and_no_grant() {
    let line = Login::as_admin().allowed();
    assert!(line.contains(CLUSTER), "{line}");
    for (login, needed) in [
        (
            Login {
                policy: allow("dsql:DbConnect", CLUSTER, ""),
                grants: vec![grant("admin", "KEY")],
                ..Login::as_admin()
            },
            "dsql:DbConnectAdmin",
        ),
        (
            Login {
                policy: allow("dsql:DbConnectAdmin", CLUSTER, ""),
                ..Login::default()
            },
            "dsql:DbConnect",
        ),
    ] {
        let (id, line) = login.refused();
        assert_eq!(id, "not-allowed");
        assert!(
            line.contains(&format!("do not allow {needed} on ")),
            "{line}"
        );
    }
}

#[test]
fn the_action_of_the_token_must_be_the_user_s() {
    for (signed_user, user, problem) in [
        (
            "app",
            "admin",
            "the action DbConnect, but a login of user \"admin\" needs DbConnectAdmin",
        ),
        (
            "admin",
            "app",
            "the action DbConnectAdmin, but a login of user \"app\" needs DbConnect",
        ),
    ] {
        let (id, line) = refused(|login| (login.signed_user, login.user) = (signed_user, user));
        assert_eq!((id, line), ("wrong-user", format!("signed for {problem}")));
    }
    // Only the action is signed, so a token is for every role that the key may be.
    Login {
        signed_user: "other",
        ..Login::default()
    }
    .allowed();
}

#[test]
fn the_policy_must_name_the_cluster() {
    let other = CLUSTER.replace("4abc", "5abc");
    let (id, line) = refused(|login| login.policy = allow("dsql:*", &other, ""));
    assert_eq!(id, "not-allowed");
    assert!(line.contains(CLUSTER), "{line}");
}

#[test]
fn a_token_of_the_other_service_is_refused() {
    let (id, line) = refused(|login| login.hostname = RDS);
    assert_eq!(id, "not-allowed", "{line}");
    // Signers refuse these, so the tokens are changed. The service is checked before the signature.
    let token = Login::default().token();
    for (changed, id) in [
        (token.replacen(HOST, RDS, 1), "wrong-region-or-service"),
        (token.replace("%2Fdsql%2F", "%2Frds-db%2F"), "malformed"),
        (
            rds_token().replacen(&format!("{RDS}:5432"), &format!("{HOST}:15432"), 1),
            "wrong-region-or-service",
        ),
        (
            rds_token().replacen(&format!("{RDS}:5432"), &format!("{HOST}:1"), 1),
            "wrong-region-or-service",
        ),
        (token.replacen("/?", ":15432/?", 1), "malformed"),
        (
            token.replacen("&X-Amz-Date", "&DBUser=app&X-Amz-Date", 1),
            "malformed",
        ),
        (
            token.replace("eu-central-1%2F", "eu-west-1%2F"),
            "wrong-region-or-service",
        ),
        (token.replacen("4abc", "5abc", 1), "wrong-endpoint"),
    ] {
        let refusal = Login::default().answer_to(&changed).expect_err(&changed);
        assert_eq!(refusal.id(), id, "{changed}: {refusal}");
    }
}

/// A token of the same key for RDS.
fn rds_token() -> String {
    Login {
        hostname: RDS,
        ..Login::default()
    }
    .token()
}

#[test]
fn a_name_of_no_service_is_one_of_rds() {
    let (id, line) = refused(|login| (login.hostname, login.service) = ("localhost", Some("dsql")));
    assert_eq!(id, "wrong-region-or-service", "{line}");
    assert!(
        line.ends_with("but this server needs eu-central-1/rds-db"),
        "{line}"
    );
}

#[test]
fn a_token_may_be_valid_for_a_week() {
    let weekly = |now| Login {
        expires_in: WEEK,
        now,
        ..Login::default()
    };
    weekly(NOW + 604_799).allowed();
    assert_eq!(weekly(NOW + 604_800).refused().0, "expired");
    let token = weekly(NOW)
        .token()
        .replace("Expires=604800", "Expires=604801");
    let refusal = Login::default().answer_to(&token).unwrap_err();
    assert_eq!(
        refusal.to_string(),
        "its lifetime is 604801 s; accepted: 1 to 604800"
    );
    let token = rds_token().replace("Expires=900", "Expires=901");
    let refusal = Login::default().answer_to(&token).unwrap_err();
    assert_eq!(
        refusal.to_string(),
        "its lifetime is 901 s; accepted: 1 to 900"
    );
}

#[test]
fn another_signature_is_refused() {
    let token = Login::default().token();
    let (start, _) = token.split_once("Signature=").unwrap();
    let refusal = Login::default().answer_to(&format!("{start}Signature={}", "0".repeat(64)));
    assert_eq!(refusal.unwrap_err().id(), "wrong-signature");
}

#[test]
fn a_key_that_rds_does_not_support_counts() {
    let condition = r#", "Condition": {"StringEquals": {"aws:SourceVpc": "vpc-1"}}"#;
    let from = |vpc: &str, hostname| {
        let value = format!("aws:SourceVpc={vpc}");
        Login {
            hostname,
            policy: allow("*", "*", condition),
            variables: Variables::new(Service::Dsql, [value.as_str()]).unwrap(),
            ..Login::default()
        }
    };
    from("vpc-1", HOST).allowed();
    assert_eq!(from("vpc-2", HOST).refused().0, "not-allowed");
    let (id, line) = from("vpc-1", RDS).refused();
    assert_eq!(id, "not-allowed");
    assert!(
        line.contains("AWS does not support aws:SourceVpc for rds-db"),
        "{line}"
    );
}
