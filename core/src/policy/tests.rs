//! Tests how policies are written, parsed, matched and evaluated.

use super::matching::{Colons, matches};
use super::pattern::{Syntax, tokens};
use super::placeholder::name_length;
use super::{ConnectResource, Decision, Policy, StatementId, Variables, connect_policy};
use crate::names::Service;

const CONNECT_ACTION: &str = "rds-db:connect";

const ALICE: &str = "arn:aws:rds-db:us-east-1:123456789012:dbuser:db-ABC/alice";

/// Evaluates without variables.
fn evaluate(policies: &[Policy], action: &str, resource: &str) -> Decision {
    super::evaluate(policies, action, resource, &Variables::default())
}

fn policy(text: &str) -> Policy {
    Policy::from_json(text).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

/// Returns a policy with these statements. Each is the inside of a JSON object.
fn of(statements: &[&str]) -> Policy {
    let statements: Vec<_> = statements
        .iter()
        .map(|inside| format!("{{{inside}}}"))
        .collect();
    let statements = statements.join(",");
    policy(&format!(
        r#"{{"Version":"2012-10-17","Statement":[{statements}]}}"#
    ))
}

fn allow(resource: &str) -> String {
    format!(r#""Effect":"Allow","Action":"rds-db:connect","Resource":"{resource}""#)
}

fn deny(resource: &str) -> String {
    format!(r#""Effect":"Deny","Action":"rds-db:connect","Resource":"{resource}""#)
}

fn allows(statements: &[&str], resource: &str) -> bool {
    evaluate(&[of(statements)], CONNECT_ACTION, resource).is_allowed()
}

fn resource_allows(pattern: &str, resource: &str) -> bool {
    allows(&[&allow(pattern)], resource)
}

fn action_allows(element: &str) -> bool {
    allows(
        &[&format!(r#""Effect":"Allow",{element},"Resource":"*""#)],
        ALICE,
    )
}

/// Returns the error for a document that must be rejected.
fn refusal(text: &str) -> String {
    match Policy::from_json(text) {
        Ok(policy) => panic!("read as {policy:?}\n{text}"),
        Err(error) => error.to_string(),
    }
}

/// Returns the error for a second statement that must be rejected, after a valid one.
fn statement_refusal(inside: &str) -> String {
    let first = allow("*");
    refusal(&format!(
        r#"{{"Version":"2012-10-17","Statement":[{{{first}}},{{{inside}}}]}}"#
    ))
}

fn alice() -> ConnectResource {
    ConnectResource {
        service: Service::Rds,
        partition: "aws".into(),
        region: "us-east-1".into(),
        account_id: "123456789012".into(),
        resource_id: "db-ABC".into(),
        username: "alice".into(),
    }
}

#[test]
fn arn_has_a_colon_after_dbuser_and_a_slash_before_the_username() {
    assert_eq!(alice().arn(), ALICE);
}

#[test]
fn policy_for_one_resource_is_least_privilege_and_indented() {
    let expected = r#"{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Effect": "Allow",
      "Action": "rds-db:connect",
      "Resource": "arn:aws:rds-db:us-east-1:123456789012:dbuser:db-ABC/alice"
    }
  ]
}"#;
    assert_eq!(connect_policy(&[alice()]), expected);
}

#[test]
fn policy_for_two_resources_lists_them_in_order() {
    let bob = ConnectResource {
        username: "bob".into(),
        ..alice()
    };
    let text = connect_policy(&[alice(), bob.clone()]);
    let json: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(
        json["Statement"][0]["Resource"],
        serde_json::json!([ALICE, bob.arn()])
    );
}

#[test]
fn written_policy_allows_its_own_users_and_no_other() {
    let quote = ConnectResource {
        username: r#"o"neil\ \ é"#.into(),
        ..alice()
    };
    let policies = [policy(&connect_policy(&[alice(), quote.clone()]))];
    let decide = |resource: &str| evaluate(&policies, CONNECT_ACTION, resource).is_allowed();
    assert!(decide(ALICE));
    assert!(decide(&quote.arn()));
    assert!(!decide(&ALICE.replace("alice", "bob")));
}

#[test]
fn wildcard_in_a_written_username_stays_a_wildcard() {
    let any_app = ConnectResource {
        username: "app_*".into(),
        ..alice()
    };
    let policies = [policy(&connect_policy(&[any_app]))];
    let decide = |name| {
        let resource = ALICE.replace("alice", name);
        evaluate(&policies, CONNECT_ACTION, &resource).is_allowed()
    };
    assert!(decide("app_billing"));
    assert!(!decide("admin"));
}

#[test]
fn policy_for_no_resources_grants_nothing() {
    let message = refusal(&connect_policy(&[]));
    assert!(
        message.starts_with("Statement 1: Resource is an empty list"),
        "{message}"
    );
}

#[test]
fn wildcard_resources_of_the_rds_guide_match() {
    for pattern in [
        "*",
        "arn:aws:rds-db:*:*:dbuser:*/*",
        "arn:aws:rds-db:us-east-1:123456789012:dbuser:*/*",
        "arn:aws:rds-db:us-east-1:123456789012:dbuser:db-ABC/*",
        "arn:aws:rds-db:us-east-1:123456789012:dbuser:db-ABC/alice",
        "arn:aws:rds-db:us-east-?:123456789012:dbuser:db-???/a*e",
        "arn:*:rds-db:*:*:dbuser:*/alice",
    ] {
        assert!(resource_allows(pattern, ALICE), "{pattern}");
    }
}

#[test]
fn resource_that_differs_in_any_part_does_not_match() {
    for pattern in [
        "arn:aws-cn:rds-db:us-east-1:123456789012:dbuser:db-ABC/alice",
        "arn:aws:rds:us-east-1:123456789012:dbuser:db-ABC/alice",
        "arn:aws:rds-db:us-east-2:123456789012:dbuser:db-ABC/alice",
        "arn:aws:rds-db:us-east-1:123456789013:dbuser:db-ABC/alice",
        "arn:aws:rds-db:us-east-1:123456789012:dbuser/db-ABC/alice",
        "arn:aws:rds-db:us-east-1:123456789012:db:db-ABC/alice",
        "arn:aws:rds-db:us-east-1:123456789012:dbuser:db-ABD/alice",
        "arn:aws:rds-db:us-east-1:123456789012:dbuser:db-ABC/alic",
        "arn:aws:rds-db:us-east-1:123456789012:dbuser:db-ABC/alice2",
        "arn:aws:rds-db:us-east-1:123456789012:dbuser:db-ABC/alice?",
        "arn:aws:rds-db:us-east-1:123456789012:dbuser:db-ABC/",
        "arn:aws:rds-db:us-east-?:123456789012:dbuser:db-????/alice",
        "arn:aws:rds-db:*:*:dbuser/*",
    ] {
        assert!(!resource_allows(pattern, ALICE), "{pattern}");
    }
}

#[test]
fn partition_is_compared() {
    let in_china = "arn:aws-cn:rds-db:cn-north-1:123456789012:dbuser:db-ABC/alice";
    assert!(resource_allows(
        "arn:aws-cn:rds-db:*:*:dbuser:*/*",
        in_china
    ));
    assert!(!resource_allows("arn:aws:rds-db:*:*:dbuser:*/*", in_china));
    assert!(!resource_allows("arn:aws-cn:rds-db:*:*:dbuser:*/*", ALICE));
}

#[test]
fn resource_is_case_sensitive() {
    let upper = ALICE.replace("alice", "Alice");
    assert!(resource_allows(&upper, &upper));
    assert!(!resource_allows(&upper, ALICE));
    assert!(!resource_allows(ALICE, &upper));
    assert!(!resource_allows(&ALICE.replace("db-ABC", "db-abc"), ALICE));
}

#[test]
fn one_resource_of_a_list_is_enough() {
    let list = r#""Effect":"Allow","Action":["s3:GetObject","rds-db:connect"],
        "Resource":["arn:aws:s3:::bucket/*","arn:aws:rds-db:*:*:dbuser:db-ABC/*"]"#;
    assert!(allows(&[list], ALICE));
    assert!(!allows(&[list], &ALICE.replace("db-ABC", "db-XYZ")));
}

#[test]
fn star_crosses_a_slash() {
    assert!(resource_allows("arn:aws:rds-db:*:*:dbuser:*", ALICE));
    assert!(resource_allows("arn:aws:rds-db:*:*:dbuser:db*alice", ALICE));
}

#[test]
fn star_that_ends_a_segment_crosses_colons() {
    assert!(resource_allows("arn:aws:rds-db:*", ALICE));
    assert!(resource_allows("arn:aws:rds-db:us-east-1:*", ALICE));
    assert!(resource_allows("arn:aws:rds-db:*:db-ABC/alice", ALICE));
    assert!(!resource_allows("arn:aws:rds-db:*:db-XYZ/alice", ALICE));
    let colon = ALICE.replace("alice", "al:ice");
    assert!(resource_allows(
        "arn:aws:rds-db:*:*:dbuser:db-ABC/*",
        &colon
    ));
}

#[test]
fn other_wildcards_of_an_allow_stay_in_their_segment() {
    let colon = ALICE.replace("alice", "al:ice");
    assert!(!resource_allows(
        "arn:aws:rds-db:*:*:dbuser:db-ABC/a*e",
        &colon
    ));
    assert!(!resource_allows(
        "arn:aws:rds-db:*:*:dbuser:db-ABC/al?ice",
        &colon
    ));
    assert!(!resource_allows("arn:aws:rds-db:*:*:dbuser?*/*", ALICE));
}

#[test]
fn wildcards_of_a_deny_or_not_resource_cross_colons() {
    let colon = ALICE.replace("alice", "al:ice");
    let user = "arn:aws:rds-db:*:*:dbuser:db-ABC/a*e";
    assert!(!allows(&[&allow("*"), &deny(user)], &colon));
    let all_but = format!(r#""Effect":"Allow","Action":"*","NotResource":"{user}""#);
    assert!(!allows(&[&all_but], &colon));
    let deny_all_but = format!(r#""Effect":"Deny","Action":"*","NotResource":"{user}""#);
    assert!(!allows(&[&allow("*"), &deny_all_but], &colon));
    assert!(allows(&[&allow("*"), &deny_all_but], ALICE));
}

#[test]
fn wildcards_in_the_requested_resource_are_plain_characters() {
    let star = ALICE.replace("alice", "*");
    assert!(!resource_allows(ALICE, &star));
    assert!(!resource_allows(ALICE, "*"));
    assert!(resource_allows(&star, &star));
}

#[test]
fn not_resource_means_every_other_resource() {
    let all_but = format!(
        r#""Effect":"Allow","Action":"rds-db:connect","NotResource":["{ALICE}","arn:aws:s3:::b"]"#
    );
    assert!(!allows(&[&all_but], ALICE));
    assert!(allows(&[&all_but], &ALICE.replace("alice", "bob")));
}

#[test]
fn actions_that_cover_connect_match() {
    for action in [
        "*",
        "rds-db:*",
        "rds-db:connect",
        "rds-db:conn*",
        "rds-db:c?nnect",
        "RDS-DB:Connect",
        "Rds-Db:CONN*",
    ] {
        assert!(
            action_allows(&format!(r#""Action":"{action}""#)),
            "{action}"
        );
    }
}

#[test]
fn actions_that_do_not_cover_connect_do_not_match() {
    for action in [
        "rds:connect",
        "rds:*",
        "rds-db:connec",
        "rds-db:connect2",
        "rds-db:?connect",
        "rds-db-x:*",
    ] {
        assert!(
            !action_allows(&format!(r#""Action":"{action}""#)),
            "{action}"
        );
    }
}

#[test]
fn requested_action_is_compared_without_case() {
    let policies = [of(&[&allow("*")])];
    assert!(evaluate(&policies, "RDS-DB:CONNECT", ALICE).is_allowed());
    assert!(!evaluate(&policies, "rds:connect", ALICE).is_allowed());
}

#[test]
fn not_action_means_every_other_action() {
    assert!(action_allows(r#""NotAction":"rds:*""#));
    assert!(action_allows(r#""NotAction":["iam:*","s3:*"]"#));
    assert!(!action_allows(r#""NotAction":"rds-db:*""#));
    assert!(!action_allows(r#""NotAction":["iam:*","RDS-DB:connect"]"#));
    assert!(!action_allows(r#""NotAction":"*""#));
}

#[test]
fn deny_with_not_action_spares_what_it_names() {
    let spares = |action: &str| format!(r#""Effect":"Deny","NotAction":"{action}","Resource":"*""#);
    assert!(allows(&[&allow("*"), &spares("rds-db:connect")], ALICE));
    assert!(!allows(&[&allow("*"), &spares("rds:connect")], ALICE));
}

#[test]
fn nothing_is_allowed_without_an_allow() {
    assert_eq!(evaluate(&[], CONNECT_ACTION, ALICE), Decision::NotAllowed);
    let other = of(&[&deny("arn:aws:rds-db:*:*:dbuser:db-XYZ/*")]);
    assert_eq!(
        evaluate(&[other], CONNECT_ACTION, ALICE),
        Decision::NotAllowed
    );
}

#[test]
fn deny_beats_allow_in_either_order() {
    assert!(!allows(&[&allow("*"), &deny(ALICE)], ALICE));
    assert!(!allows(&[&deny(ALICE), &allow("*")], ALICE));
    let bob = ALICE.replace("alice", "bob");
    assert!(allows(&[&deny(ALICE), &allow("*")], &bob));
}

#[test]
fn deny_in_one_policy_beats_allow_in_another() {
    let allowing = of(&[&allow(ALICE)]);
    let denying = of(&[
        &allow("arn:aws:s3:::b"),
        &format!(r#""Sid":"NoAlice",{}"#, deny("*")),
    ]);
    let statement = |policy| StatementId {
        policy,
        statement: 2,
        sid: Some("NoAlice".into()),
    };
    let after = evaluate(&[allowing.clone(), denying.clone()], CONNECT_ACTION, ALICE);
    assert_eq!(
        after,
        Decision::ExplicitlyDenied {
            statement: statement(1)
        }
    );
    let before = evaluate(&[denying, allowing], CONNECT_ACTION, ALICE);
    assert_eq!(
        before,
        Decision::ExplicitlyDenied {
            statement: statement(0)
        }
    );
}

#[test]
fn decision_names_the_first_statement_that_applies() {
    let first = of(&[&allow("arn:aws:rds-db:*:*:dbuser:db-XYZ/*")]);
    let second = of(&[&deny("arn:aws:s3:::b"), &allow(ALICE), &allow("*")]);
    let statement = StatementId {
        policy: 1,
        statement: 2,
        sid: None,
    };
    let decision = evaluate(&[first, second], CONNECT_ACTION, ALICE);
    assert_eq!(decision, Decision::Allowed { statement });
}

#[test]
fn decisions_are_displayed_as_text() {
    let statement = StatementId {
        policy: 0,
        statement: 2,
        sid: Some("NoAdmin".into()),
    };
    let plain = StatementId {
        sid: None,
        ..statement.clone()
    };
    let denied = Decision::ExplicitlyDenied { statement };
    assert_eq!(
        denied.to_string(),
        r#"denied by policy 1, Statement 2 (Sid "NoAdmin")"#
    );
    let allowed = Decision::Allowed { statement: plain };
    assert_eq!(allowed.to_string(), "allowed by policy 1, Statement 2");
    assert_eq!(
        Decision::NotAllowed.to_string(),
        "not allowed by any statement"
    );
}

#[test]
fn empty_sid_is_treated_as_missing() {
    let policies = [of(&[&format!(r#""Sid":"",{}"#, allow("*"))])];
    let Decision::Allowed { statement } = evaluate(&policies, CONNECT_ACTION, ALICE) else {
        panic!("not allowed");
    };
    assert_eq!(statement.sid, None);
}

#[test]
fn statement_may_be_an_object_or_a_list() {
    let statement = allow("*");
    for text in [
        format!(r#"{{"Statement":{{{statement}}}}}"#),
        format!(r#"{{"Statement":[{{{statement}}}]}}"#),
        format!(r#"{{"Statement":[{{{statement}}}],"Id":"mine","Version":"2008-10-17"}}"#),
        format!(r#"{{"Version":"2012-10-17","Id":"","Statement":{{{statement}}}}}"#),
    ] {
        assert!(
            evaluate(&[policy(&text)], CONNECT_ACTION, ALICE).is_allowed(),
            "{text}"
        );
    }
}

#[test]
fn json_errors_name_line_and_column() {
    assert_eq!(
        refusal("{\n  \"Version\": \"2012-10-17\"\n  \"Statement\": []\n}"),
        "policy: not JSON: expected `,` or `}` at line 3 column 3"
    );
    for text in [
        "",
        "{",
        "{\"Statement\":[]}}",
        "nonsense",
        "\u{feff}\u{feff}{}",
    ] {
        assert!(refusal(text).contains(" at line 1 column "), "{text}");
    }
    assert!(refusal(&"[".repeat(100_000)).contains("recursion limit"));
}

#[test]
fn document_that_is_not_an_object_is_refused() {
    for (text, kind) in [
        ("[]", "a list"),
        ("\"x\"", "a string"),
        ("1", "a number"),
        ("-1", "a number"),
        ("1.5", "a number"),
        ("true", "true or false"),
        ("null", "null"),
    ] {
        assert_eq!(
            refusal(text),
            format!("policy: is {kind}; accepted: an object")
        );
    }
}

#[test]
fn top_level_mistakes_are_refused() {
    let statement = allow("*");
    let with = |rest: &str| refusal(&format!(r#"{{"Statement":{{{statement}}}{rest}}}"#));
    assert_eq!(
        with(r#","Version":"2012-10-18""#),
        r#"policy: Version is "2012-10-18"; accepted: 2012-10-17, 2008-10-17"#
    );
    assert_eq!(
        with(r#","Version":null"#),
        "policy: Version is null; accepted: a string"
    );
    assert_eq!(
        with(r#","Version":20121017"#),
        "policy: Version is a number; accepted: a string"
    );
    assert_eq!(
        with(r#","Id":["x"]"#),
        "policy: Id is a list; accepted: a string"
    );
    assert_eq!(
        with(r#","statement":[]"#),
        r#"policy: unknown element "statement"; accepted: Version, Id, Statement"#
    );
    assert_eq!(
        with(r#","Condition":{}"#),
        r#"policy: unknown element "Condition"; accepted: Version, Id, Statement"#
    );
    assert!(with(r#","Principal":"*""#).starts_with("policy: Principal is for resource-based"));
    assert_eq!(
        refusal(r#"{"Version":"2012-10-17"}"#),
        "policy: Statement is missing"
    );
    assert_eq!(
        refusal(r#"{"Statement":[]}"#),
        "policy: Statement is an empty list; accepted: one or more"
    );
    assert_eq!(
        refusal(r#"{"Statement":"x"}"#),
        "Statement 1: is a string; accepted: an object"
    );
}

#[test]
fn unknown_element_is_refused_with_its_statement() {
    let accepted = "accepted: Sid, Effect, Action, NotAction, Resource, NotResource, Condition";
    for effect in ["Allow", "Deny"] {
        let inside = format!(
            r#""Effect":"{effect}","Action":"*","Resource":"*","Conditon":{{"Bool":{{}}}}"#
        );
        assert_eq!(
            statement_refusal(&inside),
            format!(r#"Statement 2: unknown element "Conditon"; {accepted}"#)
        );
    }
    let lower = r#""Effect":"Allow","action":"*","Resource":"*""#;
    assert_eq!(
        statement_refusal(lower),
        format!(r#"Statement 2: unknown element "action"; {accepted}"#)
    );
}

#[test]
fn condition_of_the_wrong_type_is_refused_with_its_statement() {
    for (condition, message) in [
        ("null", "Condition is null; accepted: an object"),
        ("[]", "Condition is a list; accepted: an object"),
        (
            r#"{"Bool":"true"}"#,
            "Bool is a string; accepted: an object",
        ),
        (
            r#"{"Bool":{"a:b":null}}"#,
            "Bool a:b is or contains null; accepted: a string or a list of strings",
        ),
        (
            r#"{"Bool":{"a:b":[{}]}}"#,
            "Bool a:b is or contains an object; accepted: a string or a list of strings",
        ),
        (
            r#"{"StringEquals":{"aws:username":[]}}"#,
            "StringEquals aws:username is an empty list; accepted: a string or a list of strings",
        ),
        (
            r#"{"NumericEquals":{"a:b":[]}}"#,
            "NumericEquals a:b is an empty list; accepted: a string or a list of strings",
        ),
        (
            r#"{"Bool":{"a:b":["true","yes"]}}"#,
            r#"Bool a:b is or contains "yes"; accepted: true, false"#,
        ),
        (
            r#"{"BoolIfExists":{"a:b":0}}"#,
            r#"BoolIfExists a:b is or contains "0"; accepted: true, false"#,
        ),
        (
            r#"{"Null":{"a:b":"true "}}"#,
            r#"Null a:b is or contains "true "; accepted: true, false"#,
        ),
        (
            r#"{"Bool":{"a:b":"true"},"Bool":{"a:b":"false"}}"#,
            "Bool occurs twice; accepted: once",
        ),
        (
            r#"{"Bool":{"a:b":"true","a:b":"false"}}"#,
            "a:b occurs twice; accepted: once",
        ),
    ] {
        let inside = format!(r#"{},"Condition":{condition}"#, allow("*"));
        assert_eq!(
            statement_refusal(&inside),
            format!("Statement 2: {message}")
        );
    }
}

#[test]
fn principal_is_refused() {
    for name in ["Principal", "NotPrincipal"] {
        let inside = format!(r#"{},"{name}":"*""#, deny("*"));
        assert_eq!(
            statement_refusal(&inside),
            format!(
                "Statement 2: {name} is for resource-based policies; an identity policy has none"
            )
        );
    }
}

#[test]
fn duplicate_element_is_refused() {
    for (inside, name) in [
        (
            r#""Effect":"Deny","Effect":"Allow","Action":"*","Resource":"*""#,
            "Effect",
        ),
        (
            r#""Effect":"Allow","Action":"*","Resource":"arn:aws:s3:::b","Resource":"*""#,
            "Resource",
        ),
        (
            r#""Effect":"Allow","Action":"*","Resource":"*","Action":"*""#,
            "Action",
        ),
        (
            r#""Sid":"a","Sid":"a","Effect":"Allow","Action":"*","Resource":"*""#,
            "Sid",
        ),
        (
            r#""Effect":"Deny","\u0045ffect":"Allow","Action":"*","Resource":"*""#,
            "Effect",
        ),
    ] {
        assert_eq!(
            statement_refusal(inside),
            format!("Statement 2: {name} occurs twice; accepted: once")
        );
    }
    let hidden = format!(
        r#"{{"Statement":{{{}}},"Statement":{{{}}}}}"#,
        deny("*"),
        allow("*")
    );
    assert_eq!(
        refusal(&hidden),
        "policy: Statement occurs twice; accepted: once"
    );
}

#[test]
fn effect_is_exactly_allow_or_deny() {
    for effect in ["allow", "ALLOW", "deny", "Allow ", ""] {
        assert_eq!(
            statement_refusal(&format!(
                r#""Effect":"{effect}","Action":"*","Resource":"*""#
            )),
            format!("Statement 2: Effect is {effect:?}; accepted: Allow, Deny")
        );
    }
    assert_eq!(
        statement_refusal(r#""Action":"*","Resource":"*""#),
        "Statement 2: Effect is missing; accepted: Allow, Deny"
    );
    assert_eq!(
        statement_refusal(r#""Effect":["Allow"],"Action":"*","Resource":"*""#),
        "Statement 2: Effect is a list; accepted: a string"
    );
}

#[test]
fn exactly_one_of_each_pair_is_required() {
    for (inside, message) in [
        (
            r#""Effect":"Allow","Resource":"*""#,
            "Action is missing; accepted: Action or NotAction",
        ),
        (
            r#""Effect":"Deny","Action":"*""#,
            "Resource is missing; accepted: Resource or NotResource",
        ),
        (
            r#""Effect":"Allow","Action":"*","NotAction":"s3:*","Resource":"*""#,
            "Action and NotAction are both present; accepted: one of them",
        ),
        (
            r#""Effect":"Allow","Action":"*","Resource":"*","NotResource":[]"#,
            "Resource and NotResource are both present; accepted: one of them",
        ),
    ] {
        assert_eq!(statement_refusal(inside), format!("Statement 2: {message}"));
    }
}

#[test]
fn empty_list_is_refused() {
    for name in ["Action", "NotAction"] {
        let message = statement_refusal(&format!(r#""Effect":"Deny","{name}":[],"Resource":"*""#));
        assert!(message.starts_with(&format!("Statement 2: {name} is an empty list; accepted: ")));
    }
    for name in ["Resource", "NotResource"] {
        let message = statement_refusal(&format!(r#""Effect":"Deny","Action":"*","{name}":[]"#));
        assert!(message.starts_with(&format!("Statement 2: {name} is an empty list; accepted: ")));
    }
}

#[test]
fn lists_contain_only_strings() {
    for (value, kind) in [
        ("1", "a number"),
        ("null", "null"),
        (r#"["*",null]"#, "null"),
        (r#"["*",["*"]]"#, "a list"),
        (r#"{"a":"*"}"#, "an object"),
    ] {
        let end = format!("is or contains {kind}; accepted: a string or a list of strings");
        assert_eq!(
            statement_refusal(&format!(
                r#""Effect":"Deny","Action":{value},"Resource":"*""#
            )),
            format!("Statement 2: Action {end}")
        );
        assert_eq!(
            statement_refusal(&format!(
                r#""Effect":"Deny","Action":"*","NotResource":{value}"#
            )),
            format!("Statement 2: NotResource {end}")
        );
    }
}

#[test]
fn action_that_could_never_match_is_refused() {
    for action in [
        "",
        "connect",
        ":connect",
        "rds-db:",
        "rds-db:a:b",
        "rds*:connect",
        "*:*",
        "r d:x",
        "**",
        "rds-db:a b",
        "rds-db:connect\u{a0}x",
        "rds-db:connect,s3:Get",
        "rds-db:connéct",
        "rds-db:a-b",
    ] {
        let message = statement_refusal(&format!(
            r#""Effect":"Deny","Action":"{action}","Resource":"*""#
        ));
        assert!(
            message.starts_with(&format!("Statement 2: Action {action:?} is invalid; ")),
            "{message}"
        );
    }
}

#[test]
fn resource_that_could_never_match_is_refused() {
    for resource in [
        "",
        "db-ABC",
        "**",
        "dbuser:db-ABC/alice",
        "ARN:aws:rds-db:us-east-1:123456789012:dbuser:db-ABC/alice",
        "arn::rds-db:us-east-1:123456789012:dbuser:db-ABC/alice",
        "arn:aws::us-east-1:123456789012:dbuser:db-ABC/alice",
        "arn:aws:rds*:us-east-1:123456789012:dbuser:db-ABC/alice",
        "arn:aws:rds-db:us-east-1:123456789012",
        "arn:aws:rds-db",
        "arn:aws:*",
        "arn:*",
    ] {
        let message = statement_refusal(&deny(resource));
        assert!(
            message.starts_with(&format!("Statement 2: Resource {resource:?} is invalid; ")),
            "{message}"
        );
    }
}

#[test]
fn spaces_and_placeholders_in_an_invalid_resource_are_named() {
    let placeholder = |name| format!(": {name:?} is a placeholder that was not filled in");
    for (resource, why) in [
        (&format!(" {ALICE}")[..], ": a space stands before it"),
        (&format!("\u{a0}{ALICE}"), ": a space stands before it"),
        ("* ", ": a space stands after it"),
        ("${db_arn}", &placeholder("${db_arn}")),
        ("see <ARN>", &placeholder("<ARN>")),
        ("alice", ""),
    ] {
        let message = statement_refusal(&deny(resource));
        let start = format!("Statement 2: Resource {resource:?} is invalid{why}; accepted: ");
        assert!(message.starts_with(&start), "{message}");
    }
}

#[test]
fn spaces_and_placeholders_in_an_action_are_named() {
    for name in ["Action", "NotAction"] {
        for (action, why) in [
            ("rds-db:connect ", "a space stands after it"),
            ("\\trds-db:connect", "a space stands before it"),
            (
                "rds-db:${action}",
                r#""${action}" is a placeholder that was not filled in"#,
            ),
        ] {
            let inside = format!(r#""Effect":"Deny","{name}":"{action}","Resource":"*""#);
            let message = statement_refusal(&inside);
            assert!(
                message.contains(&format!(" is invalid: {why}; ")),
                "{message}"
            );
        }
    }
}

#[test]
fn policy_that_occurs_twice_in_an_answer_is_refused() {
    let open = format!(r#"{{"Statement":{{{}}}}}"#, allow("*"));
    let closed = format!(r#"{{"Statement":{{{}}}}}"#, deny("*"));
    for name in ["PolicyDocument", "Document", "PolicyVersion"] {
        let text = format!(r#"{{"{name}":{open},"PolicyName":"x","{name}":{closed}}}"#);
        let error = Policy::from_json_or_answer(&text).unwrap_err();
        let expected = format!("policy: {name} occurs twice; accepted: once");
        assert_eq!(error.to_string(), expected);
        Policy::from_json_or_answer(&format!(r#"{{"{name}":{open},"PolicyName":"x"}}"#)).unwrap();
    }
}

#[test]
fn document_over_1_mib_is_refused() {
    let space = " ".repeat(1 << 20);
    let text = format!(r#"{{"Statement":{{{}}}}}{space}"#, allow("*"));
    let message = "policy: longer than 1 MiB; accepted: at most 1 MiB";
    assert_eq!(refusal(&text), message);
    let error = super::policy_text(text.as_bytes()).unwrap_err();
    assert_eq!(error.to_string(), message);
    policy(&text[..1 << 20]);
    super::policy_text(&text.as_bytes()[..1 << 20]).unwrap();
}

#[test]
fn repeated_key_is_found_among_many() {
    let keys: String = (0..30_000).map(|n| format!(r#""a:{n}":"x","#)).collect();
    let condition = |last: &str| {
        let condition = format!(r#"{{"StringEquals":{{{keys}"{last}":"x"}}}}"#);
        format!(r#"{},"Condition":{condition}"#, allow("*"))
    };
    of(&[&condition("a:new")]);
    assert_eq!(
        statement_refusal(&condition("a:29999")),
        "Statement 2: a:29999 occurs twice; accepted: once"
    );
}

#[test]
fn error_quotes_only_the_start_of_a_long_text() {
    let long = "x".repeat(100_000);
    for inside in [
        format!(r#""Effect":"Deny","Action":"{long}","Resource":"*""#),
        format!(r#""Effect":"Deny","Action":"*","Resource":"{long}""#),
        format!(r#""Effect":"{long}","Action":"*","Resource":"*""#),
        format!(r#""{long}":"Deny""#),
    ] {
        assert!(statement_refusal(&inside).len() < 300);
    }
}

#[test]
fn missing_end_of_a_variable_is_searched_once() {
    let syntax = Syntax {
        wildcards: true,
        variables: true,
    };
    let mut searches = 0;
    let text = "${aws:x}${a:b${a:b${";
    let tokens = tokens(text, syntax, |inner| {
        searches += 1;
        inner.find('}')
    });
    assert_eq!((searches, tokens.len()), (2, 1 + "${a:b${a:b${".len()));
}

#[test]
fn name_of_a_placeholder_ends_at_the_first_character_that_no_name_has() {
    for text in ["db user<db", "db user}", "db user", "db user\u{7}"] {
        let mut read = 0;
        let length = name_length(text.chars().inspect(|_| read += 1));
        assert_eq!(length, "db user".len(), "{text:?}");
        assert!(read <= length + 1, "{text:?}");
    }
}

#[test]
fn dollar_without_a_brace_is_a_plain_character() {
    let dollar = ALICE.replace("alice", "a$b{c}");
    assert!(resource_allows(&dollar, &dollar));
}

#[test]
fn policy_variable_is_plain_text_before_2012() {
    let resource = "arn:aws:rds-db:*:*:dbuser:*/${aws:username}";
    for version in ["", r#""Version":"2008-10-17","#] {
        let text = format!(r#"{{{version}"Statement":{{{}}}}}"#, allow(resource));
        let policies = [policy(&text)];
        let decide = |name| {
            let resource = ALICE.replace("alice", name);
            evaluate(&policies, CONNECT_ACTION, &resource).is_allowed()
        };
        assert!(!decide("alice"));
        assert!(decide("${aws:username}"));
    }
}

#[test]
fn question_mark_is_one_character_not_one_byte() {
    for name in ["é", "中", "🦀"] {
        assert!(
            matches("a?b", &format!("a{name}b"), Colons::Bound),
            "{name}"
        );
        assert!(
            !matches("a??b", &format!("a{name}b"), Colons::Bound),
            "{name}"
        );
    }
    assert!(!matches("a?b", "ab", Colons::Bound));
}

#[test]
fn many_stars_match_a_long_text_in_little_time() {
    let pattern = format!("{}b", "*a".repeat(200));
    let text = "a".repeat(5_000);
    for colons in [Colons::Bound, Colons::Plain] {
        assert!(!matches(&pattern, &text, colons));
        assert!(matches(&pattern, &format!("{text}b"), colons));
    }
}

/// Matches slowly but by the definition. The real matcher must agree with it.
fn matches_by_definition(pattern: &[u8], text: &[u8], colons: Colons) -> bool {
    let passes = |c: u8| c != b':' || colons == Colons::Plain;
    match (pattern, text) {
        ([], []) => true,
        ([b'*', rest @ ..], _) => {
            let free = matches!(rest, [] | [b':', ..]);
            (0..=text.len()).any(|taken| {
                text[..taken].iter().all(|&c| free || passes(c))
                    && matches_by_definition(rest, &text[taken..], colons)
            })
        }
        ([b'?', rest @ ..], [c, after @ ..]) => {
            passes(*c) && matches_by_definition(rest, after, colons)
        }
        ([p, rest @ ..], [c, after @ ..]) => p == c && matches_by_definition(rest, after, colons),
        _ => false,
    }
}

#[test]
fn matcher_agrees_with_the_definition_on_all_short_inputs() {
    fn words(letters: &str, longest: usize) -> Vec<String> {
        let mut words = vec![String::new()];
        let mut start = 0;
        for _ in 0..longest {
            let end = words.len();
            for index in start..end {
                for letter in letters.chars() {
                    let word = format!("{}{letter}", words[index]);
                    words.push(word);
                }
            }
            start = end;
        }
        words
    }
    let texts = words("a:*", 4);
    for pattern in words("a:*?", 5) {
        for text in &texts {
            for colons in [Colons::Bound, Colons::Plain] {
                assert_eq!(
                    matches(&pattern, text, colons),
                    matches_by_definition(pattern.as_bytes(), text.as_bytes(), colons),
                    "{pattern} {text} plain={}",
                    colons == Colons::Plain
                );
            }
        }
    }
}
