//! Tests statements whose effect is in doubt: a value is unknown, a placeholder was not filled in,
//! or AWS does not document what a wildcard matches. A decision that depends on it stays open.

#![expect(clippy::unwrap_used, reason = "a helper that panics fails its test")]

use rdsign::Service;
use rdsign::policy::{Check, ConnectResource, Decision, Policy, Variables, check};

const USERS: &str = "arn:aws:rds-db:eu-central-1:123456789012:dbuser:db-ABCDEF";

fn statement(effect: &str, element: &str, resource: &str, condition: &str) -> String {
    format!(
        r#"{{"Effect":"{effect}","Action":"rds-db:connect","{element}":"{resource}",
            "Condition":{condition}}}"#
    )
}

fn allow(resource: &str) -> String {
    statement("Allow", "Resource", resource, "{}")
}

fn deny(resource: &str) -> String {
    statement("Deny", "Resource", resource, "{}")
}

fn all_but(effect: &str, resource: &str) -> String {
    statement(effect, "NotResource", resource, "{}")
}

fn on(effect: &str, condition: &str) -> String {
    statement(effect, "Resource", "*", condition)
}

fn user(name: &str) -> String {
    format!("{USERS}/{name}")
}

fn checked(statements: &[String], username: &str, variables: &[&str]) -> Check {
    let text = format!(
        r#"{{"Version":"2012-10-17","Statement":[{}]}}"#,
        statements.join(",")
    );
    let policy = Policy::from_json(&text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    let resource = ConnectResource {
        service: Service::Rds,
        partition: "aws".to_owned(),
        region: "eu-central-1".to_owned(),
        account_id: "123456789012".to_owned(),
        resource_id: "db-ABCDEF".to_owned(),
        username: username.to_owned(),
    };
    let variables = Variables::new(Service::Rds, variables.iter().copied()).unwrap();
    check(&[policy], &resource, &variables)
}

fn decided(statements: &[String], username: &str, variables: &[&str]) -> String {
    checked(statements, username, variables)
        .decision
        .to_string()
}

/// Returns the IDs of the requirements of the only open statement.
fn ids(answer: &Check) -> Vec<&'static str> {
    let Decision::Undecided { allows, denies, .. } = &answer.decision else {
        panic!("{}", answer.decision);
    };
    let [open] = &[&allows[..], &denies[..]].concat()[..] else {
        panic!("{allows:?} {denies:?}");
    };
    open.requirements.iter().map(|open| open.id()).collect()
}

#[test]
fn placeholder_that_would_widen_access_leaves_the_decision_open() {
    let known = ["aws:username=jane"];
    let compared = |operator: &str| {
        format!(r#"{{"{operator}":{{"aws:username":["joe","${{blocked_user}}"]}}}}"#)
    };
    let in_place = "arn:aws:rds-db:${aws:RequestedRegion}:123456789012:dbuser:*/*";
    for statements in [
        vec![all_but("Allow", &user("${admin_user}"))],
        vec![all_but("Allow", &user("${AWS::StackName}"))],
        vec![all_but("Allow", in_place)],
        vec![allow("*"), deny(&user("${blocked_user}"))],
        vec![allow("*"), deny(&user("j${self:x}"))],
        vec![allow("*"), deny(in_place)],
        vec![on("Allow", &compared("StringNotEquals"))],
        vec![on("Allow", &compared("StringNotLikeIfExists"))],
        vec![on("Allow", &compared("StringNotEqualsIgnoreCase"))],
        vec![allow("*"), on("Deny", &compared("StringEquals"))],
        vec![allow("*"), on("Deny", &compared("StringLike"))],
    ] {
        let answer = checked(&statements, "jane", &known);
        assert_eq!(ids(&answer), ["placeholder"], "{statements:?}");
    }
    assert_eq!(
        decided(&[allow("*"), deny(in_place)], "jane", &[]),
        format!(
            "allowed by policy 1, Statement 1, unless {in_place:?} matches, which depends on \
             ${{aws:RequestedRegion}}, which IAM does not replace here (policy 1, Statement 2)"
        )
    );
    assert_eq!(
        decided(&[all_but("Allow", &user("${admin_user}"))], "jane", &[]),
        format!(
            "allowed if {:?} does not match, which depends on ${{admin_user}}, which was not filled \
             in (policy 1, Statement 1)",
            user("${admin_user}")
        )
    );
    assert_eq!(
        decided(&[on("Allow", &compared("StringNotEquals"))], "jane", &known),
        "allowed if the condition StringNotEquals aws:username \"joe\" or \"${blocked_user}\" \
         holds, which depends on ${blocked_user}, which was not filled in (policy 1, Statement 1)"
    );
}

#[test]
fn placeholder_that_would_narrow_access_matches_nothing() {
    let known = ["aws:username=jane"];
    let compared =
        |operator: &str| format!(r#"{{"{operator}":{{"aws:username":"${{blocked_user}}"}}}}"#);
    for statements in [
        vec![allow(&user("${db_user}"))],
        vec![allow("*"), all_but("Deny", &user("${db_user}"))],
        vec![on("Allow", &compared("StringEquals"))],
        vec![allow("*"), on("Deny", &compared("StringNotLike"))],
    ] {
        let answer = checked(&statements, "jane", &known);
        assert!(
            matches!(
                answer.decision,
                Decision::NotAllowed | Decision::ExplicitlyDenied { .. }
            ),
            "{statements:?}: {}",
            answer.decision
        );
    }
    // Whatever stands for the placeholder, the pattern does not match.
    let other = [allow("*"), deny(&user("x${blocked_user}"))];
    assert!(checked(&other, "jane", &[]).decision.is_allowed());
}

#[test]
fn wildcard_that_may_match_a_colon_leaves_the_decision_open() {
    let account = "arn:aws:rds-db:eu-central-1:123456789012";
    for (resource, username) in [
        (format!("{account}:*/jane"), "jane"),
        (user("*b"), "a:b"),
        (user("a?b"), "a:b"),
    ] {
        let answer = checked(&[allow(&resource)], username, &[]);
        assert_eq!(ids(&answer), ["wildcard-colon"], "{resource}");
        assert_eq!(
            answer.decision.to_string(),
            format!(
                "allowed if {resource:?} matches, which depends on whether a wildcard matches a \
                 colon: AWS does not document it (policy 1, Statement 1)"
            )
        );
        for statements in [
            vec![allow("*"), deny(&resource)],
            vec![all_but("Allow", &resource)],
            vec![allow("*"), all_but("Deny", &resource)],
        ] {
            let answer = checked(&statements, username, &[]);
            assert_eq!(ids(&answer), ["wildcard-colon"], "{statements:?}");
        }
    }
    let with_variable = user("*b${aws:username}");
    let answer = checked(&[allow(&with_variable)], "a:bc", &[]);
    assert_eq!(ids(&answer), ["wildcard-colon"]);
    assert_eq!(
        answer.decision.to_string(),
        format!(
            "allowed if {with_variable:?} matches, which depends on aws:username and on whether a \
             wildcard matches a colon: AWS does not document it (policy 1, Statement 1)"
        )
    );
    // Both readings agree.
    for (resource, username) in [
        ("*".to_owned(), "a:b"),
        (format!("{account}:*"), "a:b"),
        (user("*"), "a:b"),
        (user("*b"), "ab"),
    ] {
        let answer = checked(&[allow(&resource)], username, &[]);
        assert!(answer.decision.is_allowed(), "{resource}");
    }
}
