//! Tests statements with conditions and policy variables: what the known values decide, and what
//! stays open.

#![expect(clippy::unwrap_used, reason = "a helper that panics fails its test")]

use rdsign::Service;
use rdsign::policy::{Check, ConnectResource, Decision, Policy, Variables, check};

const ARN: &str = "arn:aws:rds-db:eu-central-1:123456789012:dbuser:db-ABCDEF/iam_user";

fn wanted() -> ConnectResource {
    ConnectResource {
        service: Service::Rds,
        partition: "aws".to_owned(),
        region: "eu-central-1".to_owned(),
        account_id: "123456789012".to_owned(),
        resource_id: "db-ABCDEF".to_owned(),
        username: "iam_user".to_owned(),
    }
}

fn checked(statements: &[String], variables: &[&str]) -> Check {
    let text = format!(
        r#"{{"Version":"2012-10-17","Statement":[{}]}}"#,
        statements.join(",")
    );
    let policy = Policy::from_json(&text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    let variables = Variables::new(Service::Rds, variables.iter().copied()).unwrap();
    check(&[policy], &wanted(), &variables)
}

fn decided(statements: &[String], variables: &[&str]) -> String {
    checked(statements, variables).decision.to_string()
}

fn statement(effect: &str, resource: &str, condition: &str) -> String {
    format!(
        r#"{{"Effect":"{effect}","Action":"rds-db:connect","Resource":"{resource}",
            "Condition":{condition}}}"#
    )
}

fn allow(resource: &str) -> String {
    statement("Allow", resource, "{}")
}

/// An Allow on everything that depends on one condition.
fn allow_if(operator: &str, key: &str, values: &str) -> String {
    let condition = format!(r#"{{"{operator}":{{"{key}":{values}}}}}"#);
    statement("Allow", "*", &condition)
}

fn user(name: &str) -> String {
    format!("arn:aws:rds-db:*:*:dbuser:*/{name}")
}

#[test]
fn statements_that_cannot_match_are_skipped_whatever_they_contain() {
    for other in [
        r#"{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::b/${aws:username}/*",
            "Condition":{"Bool":{"aws:SecureTransport":"true"}}}"#,
        r#"{"Effect":"Deny","Action":"s3:*","Resource":"*","Condition":{"IpAddress":{"aws:SourceIp":"1.2.3.4"}}}"#,
        r#"{"Effect":"Deny","NotAction":["rds-db:*","iam:*"],"Resource":"*",
            "Condition":{"BoolIfExists":{"aws:MultiFactorAuthPresent":"false"}}}"#,
        r#"{"Effect":"Deny","Action":"*","NotResource":"arn:aws:rds-db:*","Condition":{"Null":{"a:b":true}}}"#,
        r#"{"Effect":"Deny","Action":"*","Resource":"arn:aws:rds-db:*:*:dbuser:db-XYZ/${aws:username}"}"#,
        r#"{"Effect":"Deny","Action":"*","Resource":"arn:aws:rds-db:*:*:dbuser:*/x${aws:username}"}"#,
        r#"{"Effect":"Deny","Action":"rds:*","Resource":"*","Condition":{"Unknown":{"x":[1,2.5,true]}}}"#,
    ] {
        let statements = [other.to_owned(), allow(ARN)];
        assert_eq!(
            decided(&statements, &[]),
            "allowed by policy 1, Statement 2",
            "{other}"
        );
    }
}

#[test]
fn empty_condition_is_no_condition() {
    for condition in ["{}", r#"{"StringEquals":{}}"#] {
        let statements = [statement("Allow", ARN, condition)];
        assert_eq!(
            decided(&statements, &[]),
            "allowed by policy 1, Statement 1"
        );
    }
}

#[test]
fn variable_in_a_resource_gets_its_value() {
    for (name, variables, expected) in [
        ("${aws:username}", &["aws:username=iam_user"][..], true),
        ("${aws:username}", &["AWS:UserName=iam_user"], true),
        ("${AWS:USERNAME}", &["aws:username=iam_user"], true),
        ("${aws:username}", &["aws:username=IAM_user"], false),
        ("iam_${aws:username}", &["aws:username=user"], true),
        ("${aws:username}", &["aws:username=*"], false),
        (
            "${aws:PrincipalTag/a}_${aws:username}",
            &["aws:username=user", "aws:PrincipalTag/A=iam"],
            true,
        ),
        ("${aws:username, 'other'}", &["aws:username=iam_user"], true),
        (
            "${aws:username, 'iam_user'}",
            &["aws:username=other"],
            false,
        ),
        ("${*}", &[], false),
        ("iam${?}user", &[], false),
        ("${db_user}", &[], false),
        ("${AWS::StackName}", &[], false),
    ] {
        let decision = checked(&[allow(&user(name))], variables).decision;
        let decided = matches!(decision, Decision::Allowed { .. } | Decision::NotAllowed);
        assert!(decided, "{name}: {decision}");
        assert_eq!(decision.is_allowed(), expected, "{name} {variables:?}");
    }
}

#[test]
fn escaped_wildcards_and_dollars_are_plain_characters() {
    let mut resource = wanted();
    for (name, username) in [("${*}", "*"), ("a${?}b", "a?b"), ("${$}{x}", "${x}")] {
        resource.username = username.to_owned();
        let text = format!(
            r#"{{"Version":"2012-10-17","Statement":{}}}"#,
            allow(&user(name))
        );
        let policies = [Policy::from_json(&text).unwrap()];
        let decision = check(&policies, &resource, &Variables::default()).decision;
        assert!(decision.is_allowed(), "{name}: {decision}");
    }
}

#[test]
fn unknown_variable_leaves_the_decision_open_and_names_the_value_needed() {
    for (resource, expected) in [
        (user("${aws:username}"), "aws:username is \"iam_user\""),
        (user("iam_${aws:username}"), "aws:username is \"user\""),
        (
            ARN.replace("iam_user", "${saml:sub}"),
            "saml:sub is \"iam_user\"",
        ),
        (
            user("*${aws:username}"),
            "aws:username makes \"arn:aws:rds-db:*:*:dbuser:*/*${aws:username}\" match",
        ),
        (
            user("${aws:PrincipalTag/x}${aws:username}"),
            "aws:PrincipalTag/x and aws:username make \"arn:aws:rds-db:*:*:dbuser:*/\
             ${aws:PrincipalTag/x}${aws:username}\" match",
        ),
        (
            user("${aws:SourceIp}"),
            "aws:SourceIp is \"iam_user\", but AWS does not support aws:SourceIp for rds-db",
        ),
    ] {
        let decision = decided(&[allow(&resource)], &[]);
        assert_eq!(
            decision,
            format!("allowed if {expected} (policy 1, Statement 1)")
        );
    }
}

#[test]
fn value_of_a_variable_may_be_empty() {
    let denied = statement("Deny", &user("iam_user${aws:PrincipalTag/suffix}"), "{}");
    let statements = [allow("*"), denied];
    assert_eq!(
        decided(&statements, &[]),
        "allowed by policy 1, Statement 1, unless aws:PrincipalTag/suffix is \"\" (policy 1, \
         Statement 2)"
    );
    for (value, expected) in [
        ("", "denied by policy 1, Statement 2"),
        ("x", "allowed by policy 1, Statement 1"),
    ] {
        let variable = format!("aws:PrincipalTag/suffix={value}");
        assert_eq!(decided(&statements, &[&variable]), expected);
    }
    let condition = allow_if("StringEquals", "aws:PrincipalTag/suffix", r#""""#);
    let empty = ["aws:PrincipalTag/suffix="];
    assert!(checked(&[condition], &empty).decision.is_allowed());
}

#[test]
fn default_of_a_variable_is_not_its_value() {
    let own = user("${aws:username, 'iam_user'}");
    assert_eq!(
        decided(&[allow(&own)], &[]),
        format!("allowed if aws:username makes {own:?} match (policy 1, Statement 1)")
    );
    let blocked = user("${aws:PrincipalTag/blocked, 'nobody'}");
    let statements = [allow("*"), statement("Deny", &blocked, "{}")];
    assert_eq!(
        decided(&statements, &[]),
        format!(
            "allowed by policy 1, Statement 1, unless aws:PrincipalTag/blocked makes {blocked:?} \
             match (policy 1, Statement 2)"
        )
    );
    for (value, allowed) in [("iam_user", false), ("nobody", true), ("", true)] {
        let variable = format!("aws:PrincipalTag/blocked={value}");
        let decision = checked(&statements, &[&variable]).decision;
        assert!(!matches!(decision, Decision::Undecided { .. }));
        assert_eq!(decision.is_allowed(), allowed, "{value:?}");
    }
    let values = r#""${aws:PrincipalTag/x, 'joe'}""#;
    let condition = allow_if("StringNotEquals", "aws:username", values);
    let decision = checked(&[condition], &["aws:username=jane"]).decision;
    assert!(matches!(decision, Decision::Undecided { .. }), "{decision}");
}

#[test]
fn unknown_variable_in_one_of_several_resources_names_every_value() {
    let both = format!(
        r#"{{"Effect":"Allow","Action":"rds-db:connect","Resource":["{}","{}"]}}"#,
        user("${aws:username}"),
        user("iam_${aws:username}")
    );
    assert_eq!(
        decided(std::slice::from_ref(&both), &[]),
        "allowed if aws:username is \"iam_user\" or \"user\" (policy 1, Statement 1)"
    );
    let negated = both.replace("Resource", "NotResource");
    assert_eq!(
        decided(&[negated], &[]),
        "allowed if aws:username is not \"iam_user\" or \"user\" (policy 1, Statement 1)"
    );
}

#[test]
fn operators_for_text_are_evaluated() {
    let jane = ["aws:username=jane"];
    for (operator, values, expected) in [
        ("StringEquals", r#""jane""#, true),
        ("StringEquals", r#""Jane""#, false),
        ("StringEquals", r#""j*""#, false),
        ("StringEquals", r#"["bob","jane"]"#, true),
        ("StringNotEquals", r#""jane""#, false),
        ("StringNotEquals", r#"["bob","jane"]"#, false),
        ("StringNotEquals", r#"["bob","eve"]"#, true),
        ("StringEqualsIgnoreCase", r#""JANE""#, true),
        ("StringNotEqualsIgnoreCase", r#""JANE""#, false),
        ("StringLike", r#""j?n*""#, true),
        ("StringLike", r#""J*""#, false),
        ("StringNotLike", r#""j*""#, false),
        ("StringNotLike", r#"["x*","y*"]"#, true),
        ("StringEqualsIfExists", r#""jane""#, true),
        ("StringNotLikeIfExists", r#""j*""#, false),
        ("StringEquals", r#""${aws:username}""#, true),
        ("StringEquals", r#""${aws:username, 'x'}""#, true),
        ("StringEquals", r#""${not_filled_in}""#, false),
        ("StringLike", r#""${*}""#, false),
        ("Bool", r#""true""#, false),
        ("Null", r#""false""#, true),
        ("Null", "true", false),
    ] {
        let decision = checked(&[allow_if(operator, "AWS:username", values)], &jane).decision;
        let decided = matches!(decision, Decision::Allowed { .. } | Decision::NotAllowed);
        assert!(decided, "{operator} {values}: {decision}");
        assert_eq!(decision.is_allowed(), expected, "{operator} {values}");
    }
}

#[test]
fn bool_accepts_json_and_text() {
    for (value, given, expected) in [
        ("true", "true", true),
        (r#""true""#, "True", true),
        ("false", "true", false),
        (r#"["false","true"]"#, "true", true),
    ] {
        let key = "aws:MultiFactorAuthPresent";
        let decision = checked(
            &[allow_if("Bool", key, value)],
            &[&format!("{key}={given}")],
        );
        assert_eq!(decision.decision.is_allowed(), expected, "{value} {given}");
    }
}

#[test]
fn condition_that_is_not_known_to_hold_leaves_the_decision_open() {
    for (operator, key, values, id, message) in [
        (
            "StringEquals",
            "aws:username",
            r#"["jane","joe"]"#,
            "condition",
            r#"the condition StringEquals aws:username "jane" or "joe" holds"#,
        ),
        (
            "Null",
            "aws:TokenIssueTime",
            "true",
            "condition",
            r#"the condition Null aws:TokenIssueTime "true" holds"#,
        ),
        (
            "ForAnyValue:StringLike",
            "aws:PrincipalOrgPaths",
            r#""o-1/*""#,
            "unsupported-operator",
            r#"the condition ForAnyValue:StringLike aws:PrincipalOrgPaths "o-1/*" holds, which rdsign does not evaluate"#,
        ),
        (
            "NumericLessThan",
            "aws:MultiFactorAuthAge",
            "3600",
            "unsupported-operator",
            r#"the condition NumericLessThan aws:MultiFactorAuthAge "3600" holds, which rdsign does not evaluate"#,
        ),
        (
            "NotIpAddress",
            "AWS:sourceip",
            r#""10.0.0.0/8""#,
            "unsupported-key",
            r#"the condition NotIpAddress AWS:sourceip "10.0.0.0/8" holds, but AWS does not support AWS:sourceip for rds-db"#,
        ),
        (
            "StringEquals",
            "aws:SourceVpce",
            r#""vpce-1""#,
            "unsupported-key",
            r#"the condition StringEquals aws:SourceVpce "vpce-1" holds, but AWS does not support aws:SourceVpce for rds-db"#,
        ),
    ] {
        let answer = checked(
            &[allow_if(operator, key, values)],
            &["aws:MultiFactorAuthAge=5"],
        );
        let Decision::Undecided {
            allowed_by: None,
            allows,
            denies,
        } = &answer.decision
        else {
            panic!("{operator}: {}", answer.decision);
        };
        assert!(denies.is_empty() && answer.near_misses.is_empty());
        let [requirement] = &allows[0].requirements[..] else {
            panic!("{allows:?}");
        };
        assert_eq!(
            (requirement.id(), requirement.to_string().as_str()),
            (id, message)
        );
        assert_eq!(requirement.keys(), [key]);
    }
}

#[test]
fn value_with_an_unknown_variable_leaves_the_condition_open() {
    let condition = allow_if("StringLike", "aws:username", r#""${aws:PrincipalTag/x}_*""#);
    let open = checked(std::slice::from_ref(&condition), &["aws:username=a_b"]);
    assert!(
        matches!(open.decision, Decision::Undecided { .. }),
        "{}",
        open.decision
    );
    let known = ["aws:username=a_b", "aws:PrincipalTag/x=a"];
    assert!(
        checked(std::slice::from_ref(&condition), &known)
            .decision
            .is_allowed()
    );
    assert_eq!(
        checked(&[condition], &["aws:username=ab"]).decision,
        Decision::NotAllowed
    );
}

#[test]
fn all_conditions_of_a_statement_must_hold() {
    let both = statement(
        "Allow",
        "*",
        r#"{"StringEquals":{"aws:username":"jane"},"DateLessThan":{"aws:CurrentTime":"2030-01-01T00:00:00Z"}}"#,
    );
    assert_eq!(
        decided(std::slice::from_ref(&both), &["aws:username=joe"]),
        "not allowed by any statement"
    );
    assert_eq!(
        decided(&[both], &["aws:username=jane"]),
        "allowed if the condition DateLessThan aws:CurrentTime \"2030-01-01T00:00:00Z\" holds, \
         which rdsign does not evaluate (policy 1, Statement 1)"
    );
}

#[test]
fn open_deny_leaves_only_an_allowed_login_open() {
    let mfa = r#"{"Effect":"Deny","NotAction":"iam:*","Resource":"*",
        "Condition":{"BoolIfExists":{"aws:MultiFactorAuthPresent":"false"}}}"#;
    let unless = "unless the condition BoolIfExists aws:MultiFactorAuthPresent \"false\" holds";
    assert_eq!(
        decided(&[allow("*"), mfa.to_owned()], &[]),
        format!("allowed by policy 1, Statement 1, {unless} (policy 1, Statement 2)")
    );
    assert_eq!(
        decided(&[allow(&user("${aws:username}")), mfa.to_owned()], &[]),
        format!(
            "allowed if aws:username is \"iam_user\" (policy 1, Statement 1), {unless} (policy 1, \
             Statement 2)"
        )
    );
    assert_eq!(
        decided(&[mfa.to_owned()], &[]),
        "not allowed by any statement"
    );
    let denied = [allow("*"), mfa.to_owned(), statement("Deny", "*", "{}")];
    assert_eq!(decided(&denied, &[]), "denied by policy 1, Statement 3");
    let statements = [allow("*"), mfa.to_owned()];
    let with = |value: &str| {
        decided(
            &statements,
            &[&format!("aws:MultiFactorAuthPresent={value}")],
        )
    };
    assert_eq!(with("false"), "denied by policy 1, Statement 2");
    assert_eq!(with("true"), "allowed by policy 1, Statement 1");
}

#[test]
fn control_characters_of_a_policy_do_not_reach_a_log() {
    let key = r"aws:\u001b[31m\n";
    let statements = [
        allow_if(r"Bool\n", key, r#""\u0007""#),
        allow(&user(&format!("${{{key}}}"))),
        allow(&user(&format!("${{{key}}}${{aws:x}}"))),
    ];
    let decision = decided(&statements, &[]);
    assert!(!decision.contains(char::is_control), "{decision:?}");
    assert_eq!(
        decision.matches("aws:\\u{1b}[31m\\n").count(),
        4,
        "{decision}"
    );
}

#[test]
fn two_statements_may_have_the_same_sid() {
    let statement = allow(ARN).replacen('{', r#"{"Sid":"Same","#, 1);
    let decision = decided(&[statement.clone(), statement], &[]);
    assert_eq!(decision, "allowed by policy 1, Statement 1 (Sid \"Same\")");
}

#[test]
fn open_allow_does_not_matter_next_to_one_that_applies() {
    let statements = [allow_if("Bool", "aws:SecureTransport", "true"), allow(ARN)];
    assert_eq!(
        decided(&statements, &[]),
        "allowed by policy 1, Statement 2"
    );
}

#[test]
fn condition_that_does_not_hold_is_a_near_miss() {
    let statement = allow_if("StringEquals", "aws:PrincipalTag/Team", r#""db""#);
    let answer = checked(&[statement], &["aws:principaltag/team=web"]);
    assert_eq!(answer.decision, Decision::NotAllowed);
    let difference = &answer.near_misses[0].differences[0];
    assert_eq!(
        (difference.id(), difference.to_string().as_str()),
        (
            "condition",
            "The condition StringEquals aws:PrincipalTag/Team \"db\" does not hold: \
             aws:PrincipalTag/Team is \"web\"."
        )
    );
}

#[test]
fn variable_with_another_value_is_a_near_miss() {
    let answer = checked(
        &[allow(&user("${aws:username}"))],
        &["aws:username=Iam_User"],
    );
    let difference = &answer.near_misses[0].differences[0];
    assert_eq!(difference.id(), "username-case");
}

#[test]
fn variables_are_key_and_value() {
    for (texts, problem) in [
        (&["aws:username"][..], "\"aws:username\" has no value"),
        (&["username=x"], "\"username\" is not a condition key"),
        (
            &["${aws:username}=x"],
            "\"${aws:username}\" is not a condition key",
        ),
        (&["aws:a b=x"], "\"aws:a b\" is not a condition key"),
        (
            &["aws:PrincipalTag/a\u{1b}=x"],
            "\"aws:PrincipalTag/a\\u{1b}\" is not a condition key",
        ),
        (
            &["aws:sourceip=1.2.3.4"],
            "aws:sourceip is not supported for rds-db by AWS",
        ),
        (&["a:b=1", "A:B=2"], "\"A:B\" is given twice"),
    ] {
        let error = Variables::new(Service::Rds, texts.iter().copied())
            .unwrap_err()
            .to_string();
        let accepted = "accepted: KEY=VALUE, such as aws:username=jane, once for each key";
        assert_eq!(error, format!("variable: {problem}; {accepted}"));
    }
    Variables::new(Service::Rds, ["aws:PrincipalTag/a=b=c"]).unwrap();
    let condition = allow_if("StringEquals", "aws:PrincipalTag/cost center", r#""db""#);
    let known = ["aws:PrincipalTag/cost center=db"];
    assert!(checked(&[condition], &known).decision.is_allowed());
}

#[test]
fn json_lists_what_an_open_decision_depends_on() {
    let statements = [
        allow(&user("${aws:username}")),
        statement("Deny", "*", r#"{"Bool":{"aws:SecureTransport":false}}"#),
    ];
    let json = checked(&statements, &[]).to_json(&["p"]);
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(
        json,
        serde_json::json!({
            "allowed": null,
            "decision": "undecided",
            "action": "rds-db:connect",
            "resource": ARN,
            "by": null,
            "conditions": [
                {"policy": "p", "statement": 1, "sid": null, "effect": "Allow", "requirements": [
                    {"id": "variable", "operator": null, "keys": ["aws:username"],
                        "values": ["iam_user"], "message": "aws:username is \"iam_user\""},
                ]},
                {"policy": "p", "statement": 2, "sid": null, "effect": "Deny", "requirements": [
                    {"id": "condition", "operator": "Bool", "keys": ["aws:SecureTransport"],
                        "values": ["false"],
                        "message": "the condition Bool aws:SecureTransport \"false\" holds"},
                ]},
            ],
            "near_misses": [],
        })
    );
}

#[test]
fn requirements_have_the_documented_ids() {
    let documented = include_str!("../../docs/errors.md");
    for id in [
        "variable",
        "condition",
        "unsupported-key",
        "unsupported-operator",
        "placeholder",
        "wildcard-colon",
    ] {
        assert!(documented.contains(&format!("| `{id}` |")), "{id}");
    }
}
