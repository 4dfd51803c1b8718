//! Tests what `check` reports: allowed or denied, by which statement, and which statements nearly
//! apply.

#![expect(clippy::unwrap_used, reason = "a helper that panics fails its test")]

use rdsign::Service;
use rdsign::policy::{
    Check, ConnectResource, Decision, Policy, Variables, Wildcards, connect_policy, connect_sql,
};

const ARN: &str = "arn:aws:rds-db:eu-central-1:123456789012:dbuser:db-ABCDEF/iam_user";

/// Checks without variables.
fn check(policies: &[Policy], resource: &ConnectResource) -> Check {
    rdsign::policy::check(policies, resource, &Variables::default())
}

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

fn policy(statements: &str) -> Policy {
    Policy::from_json(&format!(
        r#"{{"Version":"2012-10-17","Statement":[{statements}]}}"#
    ))
    .unwrap()
}

fn allow(action: &str, resource: &str) -> String {
    format!(r#"{{"Effect":"Allow","Action":"{action}","Resource":"{resource}"}}"#)
}

fn checked(statements: &str) -> Check {
    check(&[policy(statements)], &wanted())
}

/// Returns the IDs of the differences of the first near miss.
fn differences(action: &str, resource: &str) -> Vec<&'static str> {
    let answer = checked(&allow(action, resource));
    assert_eq!(answer.decision, Decision::NotAllowed, "{action} {resource}");
    let near_miss = answer.near_misses.first();
    near_miss.map_or_else(Vec::new, |near_miss| {
        near_miss.differences.iter().map(|d| d.id()).collect()
    })
}

#[test]
fn an_allow_that_applies_is_named_without_near_misses() {
    let statements = [allow("s3:*", "*"), allow("rds-db:connect", ARN)].join(",");
    let answer = checked(&statements);
    let Decision::Allowed { statement } = &answer.decision else {
        panic!("{answer:?}");
    };
    assert_eq!((statement.policy, statement.statement), (0, 2));
    assert_eq!((answer.arn.as_str(), answer.near_misses.len()), (ARN, 0));
}

#[test]
fn each_near_miss_lists_its_differences() {
    let connect = "rds-db:connect";
    for (action, from, to, expected) in [
        ("rds:connect", "", "", vec!["action-service"]),
        ("rds:*", "", "", vec!["action-service"]),
        ("rds-db:Connection", "", "", vec!["action"]),
        ("rds:DescribeDBInstances", "", "", vec!["action"]),
        (connect, "aws:", "aws-cn:", vec!["partition"]),
        (connect, "rds-db:", "rds:", vec!["resource-service"]),
        (connect, "eu-central-1", "eu-west-1", vec!["region"]),
        (connect, "123456789012", "123456789013", vec!["account"]),
        (connect, "123456789012", "", vec!["account"]),
        (connect, "dbuser:", "dbuser/", vec!["dbuser-slash"]),
        (connect, "F/iam", "F:iam", vec!["username-colon"]),
        (
            connect,
            "dbuser:db-ABCDEF/iam_user",
            "db:mydb",
            vec!["not-a-dbuser"],
        ),
        (
            connect,
            "dbuser:db-ABCDEF",
            "dbUser:db-ABCDEF",
            vec!["not-a-dbuser"],
        ),
        (
            connect,
            "rds-db:eu-central-1:123456789012:dbuser:db-ABCDEF/iam_user",
            "rds:eu-central-1:123456789012:db:mydb",
            vec!["resource-service", "not-a-dbuser"],
        ),
        (connect, "db-ABCDEF", "mydb", vec!["not-a-resource-id"]),
        (connect, "db-ABCDEF", "db-abcdef", vec!["resource-id-case"]),
        (connect, "db-ABCDEF", "db-XYZ", vec!["resource-id"]),
        (connect, "db-ABCDEF", "cluster-ABCDEF", vec!["resource-id"]),
        (connect, "iam_user", "IAM_User", vec!["username-case"]),
        (connect, "iam_user", "other", vec!["username"]),
        (connect, "/iam_user", "", vec!["no-username"]),
        (
            "rds:connect",
            "dbuser:",
            "dbuser/",
            vec!["action-service", "dbuser-slash"],
        ),
        (
            connect,
            "dbuser:db-ABCDEF/iam",
            "dbuser/mydb/Iam",
            vec!["dbuser-slash", "not-a-resource-id", "username-case"],
        ),
    ] {
        let resource = ARN.replacen(from, to, 1);
        assert_eq!(
            differences(action, &resource),
            expected,
            "{action} {resource}"
        );
    }
}

#[test]
fn what_was_not_filled_in_is_a_near_miss() {
    let connect = "rds-db:connect";
    for (rest, expected, message) in [
        (
            "<REGION>:<ACCOUNT-ID>:dbuser:<DB-RESOURCE-ID>/<DB-USERNAME>",
            "placeholder",
            "<REGION>, <ACCOUNT-ID>, <DB-RESOURCE-ID>, <DB-USERNAME> are placeholders that were not",
        ),
        (
            "${db_region}:${aws_account}:dbuser:${database_rid}/${database_user}",
            "placeholder",
            "${db_region}, ${aws_account}, ${database_rid}, ${database_user} are placeholders",
        ),
        (
            "${AWS::Region}:${AWS::AccountId}:dbuser:*/iam_user",
            "placeholder",
            "${AWS::Region}, ${AWS::AccountId} are",
        ),
        (
            "*:*:dbuser:*/${self:custom.user}",
            "placeholder",
            "${self:custom.user} is a",
        ),
        (
            "*:*:dbuser:${var.ids[0]}/iam_user",
            "placeholder",
            "${var.ids[0]} is a",
        ),
        (
            "*:*:dbuser:*/{{ user }}",
            "placeholder",
            "{{ user }} is a placeholder that was",
        ),
        ("*:%ACCOUNT%:dbuser:*/*", "placeholder", "%ACCOUNT% is a"),
        ("*:[account]:dbuser:*/*", "placeholder", "[account] is a"),
        (
            "REGION:ACCOUNT_ID:dbuser:RESOURCE-ID/*",
            "placeholder",
            "REGION, ACCOUNT_ID, RESOURCE-ID",
        ),
        (
            "*:*:dbuser:*/iam_{aws:userid}",
            "placeholder",
            "{aws:userid} is a",
        ),
        (
            "*:*:dbuser:*/ iam_user",
            "white-space",
            "A space stands before \"iam_user\": remove it.",
        ),
        (
            "*:*:dbuser: */iam_user",
            "white-space",
            "A space stands before \"*/iam_user\"",
        ),
        (
            "*:*:dbuser:*/iam_user ",
            "white-space",
            "A space stands after ",
        ),
        (
            "${aws:RequestedRegion}:*:dbuser:*/iam_user",
            "variable-not-replaced",
            "IAM does not replace ${aws:RequestedRegion} here",
        ),
    ] {
        let resource = format!("arn:aws:rds-db:{rest}");
        assert_eq!(differences(connect, &resource), [expected], "{rest}");
        let answer = checked(&allow(connect, &resource));
        let shown = answer.near_misses[0].differences[0].to_string();
        assert!(shown.starts_with(message), "{shown}");
    }
    let wrong = "arn:aws:rds-db:<REGION>:123456789013:dbuser:db-ABCDEF/iam_user";
    assert_eq!(differences(connect, wrong), ["placeholder", "account"]);
}

#[test]
fn a_variable_is_plain_text_without_a_version() {
    let resource = "arn:aws:rds-db:*:*:dbuser:*/${aws:username}";
    let text = format!(r#"{{"Statement":{}}}"#, allow("rds-db:connect", resource));
    let answer = check(&[Policy::from_json(&text).unwrap()], &wanted());
    let difference = &answer.near_misses[0].differences[0];
    assert_eq!(difference.id(), "variable-not-replaced");
    assert!(
        difference
            .to_string()
            .contains("\"Version\": \"2012-10-17\"")
    );
}

#[test]
fn odd_characters_are_no_placeholders_if_the_resource_matches() {
    let resource = ConnectResource {
        username: "<a b>".into(),
        ..wanted()
    };
    let text = connect_policy(std::slice::from_ref(&resource));
    let policies = [Policy::from_json(&text.replace("rds-db:connect", "rds:connect")).unwrap()];
    let answer = check(&policies, &resource);
    let ids: Vec<_> = answer.near_misses[0]
        .differences
        .iter()
        .map(|d| d.id())
        .collect();
    assert_eq!(ids, ["action-service"]);
}

#[test]
fn the_message_of_a_near_miss_says_how_to_fix_it() {
    for (wrong, right, expected) in [
        ("rds:", "rds-db:", "write rds-db: instead of rds:"),
        ("dbuser/", "dbuser:", "write dbuser: instead of dbuser/"),
        ("mydb", "db-ABCDEF", "write \"db-ABCDEF\""),
    ] {
        let resource = ARN.replacen(right, wrong, 1);
        let answer = checked(&allow("rds-db:connect", &resource));
        let message = answer.near_misses[0].differences[0].to_string();
        assert!(message.contains(expected), "{message}");
        let fixed = resource.replacen(wrong, right, 1);
        assert!(
            checked(&allow("rds-db:connect", &fixed))
                .decision
                .is_allowed()
        );
    }
}

#[test]
fn the_ids_of_a_cluster_and_an_instance_are_named_as_such() {
    let resource = ARN.replace("db-ABCDEF", "cluster-ABCDEF");
    let answer = checked(&allow("rds-db:connect", &resource));
    assert_eq!(
        answer.near_misses[0].differences[0].to_string(),
        "Resource ID \"cluster-ABCDEF\" belongs to an Aurora cluster, but \"db-ABCDEF\" belongs to \
         an instance."
    );
}

#[test]
fn the_nearest_of_several_resources_is_reported() {
    let other = ARN.replace("db-ABCDEF/iam_user", "db-XYZ/other");
    let near = ARN.replace("iam_user", "Iam_user");
    let statement = format!(
        r#"{{"Sid":"Mine","Effect":"Allow","Action":["s3:*","rds-db:connect"],
            "Resource":["{other}","{near}"]}}"#
    );
    let answer = checked(&statement);
    assert_eq!(answer.near_misses.len(), 1);
    let near_miss = &answer.near_misses[0];
    assert_eq!(near_miss.statement.sid.as_deref(), Some("Mine"));
    assert_eq!(near_miss.differences[0].id(), "username-case");
}

#[test]
fn statements_about_something_else_are_not_near_misses() {
    for statement in [
        allow("s3:GetObject", "arn:aws:s3:::bucket/*"),
        allow("rds-db:connect", "arn:aws:s3:::bucket/*"),
        // Only the service is the same.
        allow(
            "rds-db:connect",
            "arn:aws-cn:rds-db:cn-north-1:1:dbuser:db-X/y",
        ),
        allow("rds-db:connect", ARN)
            .replace("Allow", "Deny")
            .replace("iam_user", "Iam_user"),
        allow("rds-db:connect", "*").replace("Resource", "NotResource"),
    ] {
        let answer = checked(&statement);
        assert_eq!(answer.near_misses, [], "{statement}");
        assert!(!answer.decision.is_allowed(), "{statement}");
    }
}

#[test]
fn a_deny_that_applies_is_named_without_near_misses() {
    let denying = allow("rds-db:*", "*").replace("Allow", "Deny");
    let near = allow("rds:connect", ARN);
    let answer = checked(&[near, allow("*", "*"), denying].join(","));
    let Decision::ExplicitlyDenied { statement } = &answer.decision else {
        panic!("{answer:?}");
    };
    assert_eq!((statement.statement, answer.near_misses.len()), (3, 0));
}

#[test]
fn json_names_the_policies() {
    let policies = [
        policy(&allow("rds-db:connect", &ARN.replace("iam_user", "other"))),
        policy(&allow("rds:connect", ARN)),
    ];
    let answer = check(&policies, &wanted());
    let json: serde_json::Value = serde_json::from_str(&answer.to_json(&["a", "b"])).unwrap();
    let mut without_messages = json.clone();
    for near_miss in without_messages["near_misses"].as_array_mut().unwrap() {
        for difference in near_miss["differences"].as_array_mut().unwrap() {
            let message = difference["message"].take();
            assert!(message.as_str().unwrap().ends_with('.'), "{message}");
        }
    }
    let expected = serde_json::json!({
        "allowed": false,
        "decision": "not-allowed",
        "action": "rds-db:connect",
        "resource": ARN,
        "by": null,
        "conditions": [],
        "near_misses": [
            {"policy": "a", "statement": 1, "sid": null,
                "differences": [{"id": "username", "message": null}]},
            {"policy": "b", "statement": 1, "sid": null,
                "differences": [{"id": "action-service", "message": null}]},
        ],
    });
    assert_eq!(without_messages, expected);
}

#[test]
fn valid_resources_are_accepted() {
    for id in ["db-ABC123", "cluster-abc", "prx-0a1b"] {
        let resource = ConnectResource {
            resource_id: id.to_owned(),
            ..wanted()
        };
        resource.check(Wildcards::Refused).unwrap();
    }
    for id in ["*", "db-*", "cluster-ABC*", "c*", "prx-???", "d?-ABC"] {
        let resource = ConnectResource {
            resource_id: id.to_owned(),
            username: "app_*".to_owned(),
            ..wanted()
        };
        resource.check(Wildcards::Allowed).unwrap();
        assert!(resource.check(Wildcards::Refused).is_err(), "{id}");
    }
    let chinese = ConnectResource {
        partition: "aws-cn".to_owned(),
        region: "cn-north-1".to_owned(),
        ..wanted()
    };
    chinese.check(Wildcards::Refused).unwrap();
}

#[test]
fn the_error_for_an_invalid_resource_names_the_part() {
    type Change = fn(&mut ConnectResource);
    let changes: [(Change, &str); 14] = [
        (|r| r.region = "EU".into(), "region: \"EU\" "),
        (|r| r.region = "*".into(), "region: \"*\" "),
        (|r| r.partition = "aws-cn".into(), "partition: \"aws-cn\" "),
        (|r| r.account_id = "12345678901".into(), "account: "),
        (|r| r.account_id = "1234-5678-9012".into(), "account: "),
        (|r| r.account_id = "*".into(), "account: "),
        (|r| r.resource_id = "mydb".into(), "resource id: \"mydb\" "),
        (|r| r.resource_id = "db-".into(), "resource id: "),
        (|r| r.resource_id = "db-A/b".into(), "resource id: "),
        (|r| r.resource_id = "my*".into(), "resource id: "),
        (|r| r.resource_id = "db-*/x".into(), "resource id: "),
        (|r| r.username = String::new(), "username: "),
        (|r| r.username = "a\nb".into(), "username: "),
        (|r| r.username = "a\u{fffd}".into(), "username: "),
    ];
    for (change, start) in changes {
        let mut resource = wanted();
        change(&mut resource);
        let message = resource.check(Wildcards::Allowed).unwrap_err().to_string();
        assert!(message.starts_with(start), "{message}");
        assert!(message.contains("accepted: "), "{message}");
    }
}

#[test]
fn a_written_policy_allows_its_user_and_no_other() {
    for username in ["iam_user", "o\"neil", "a:b/c"] {
        let resource = ConnectResource {
            username: username.to_owned(),
            ..wanted()
        };
        let policies =
            [Policy::from_json(&connect_policy(std::slice::from_ref(&resource))).unwrap()];
        assert!(
            check(&policies, &resource).decision.is_allowed(),
            "{username}"
        );
        assert!(
            !check(
                &policies,
                &ConnectResource {
                    username: "x".into(),
                    ..resource
                }
            )
            .decision
            .is_allowed()
        );
    }
}

#[test]
fn names_in_sql_are_quoted() {
    assert_eq!(
        connect_sql("iam_user").unwrap(),
        "CREATE USER \"iam_user\" WITH LOGIN;\nGRANT rds_iam TO \"iam_user\";\n"
    );
    assert_eq!(
        connect_sql("Robert\"; DROP TABLE x; --").unwrap(),
        "CREATE USER \"Robert\"\"; DROP TABLE x; --\" WITH LOGIN;\n\
         GRANT rds_iam TO \"Robert\"\"; DROP TABLE x; --\";\n"
    );
}

#[test]
fn sql_is_refused_for_names_that_cannot_be_one_user() {
    connect_sql(&"é".repeat(31)).unwrap();
    for name in ["", "*", "app_?", "a\0b", &"é".repeat(32)] {
        let message = connect_sql(name).unwrap_err().to_string();
        assert!(message.starts_with("username: "), "{message}");
    }
}

#[test]
fn policies_in_the_output_of_the_aws_cli_are_read() {
    let document = connect_policy(&[wanted()]);
    for text in [
        document.clone(),
        format!(r#"{{"PolicyVersion": {{"Document": {document}, "VersionId": "v1"}}}}"#),
        format!(r#"{{"RoleName": "r", "PolicyName": "p", "PolicyDocument": {document}}}"#),
    ] {
        let policies = [Policy::from_json_or_answer(&text).unwrap()];
        assert!(check(&policies, &wanted()).decision.is_allowed(), "{text}");
    }
}

#[test]
fn a_template_is_named_with_what_is_accepted() {
    let document = connect_policy(&[wanted()]);
    let sub = |element: &str| {
        let arn = format!("\"{}\"", wanted().arn());
        assert!(document.contains(&arn));
        document.replace(&arn, &format!(r#"{{"{element}": "arn:${{AWS::Region}}"}}"#))
    };
    for (text, problem) in [
        (
            format!(
                r#"{{"Resources": {{"P": {{"Properties": {{"PolicyDocument": {document}}}}}}}}}"#
            ),
            "policy: a CloudFormation template",
        ),
        (
            format!(
                r#"{{"Type": "AWS::IAM::Policy", "Properties": {{"PolicyDocument": {document}}}}}"#
            ),
            "policy: a resource of CloudFormation",
        ),
        (
            r#"{"data": {"aws_iam_policy_document": {"x": {"statement": []}}}}"#.to_owned(),
            "policy: Terraform",
        ),
        (
            sub("Fn::Sub"),
            "Statement 1: Resource is or contains Fn::Sub of CloudFormation",
        ),
        (
            sub("Ref"),
            "Statement 1: Resource is or contains Ref of CloudFormation",
        ),
        (
            r#"{"Statement": [{"Fn::If": ["x"]}]}"#.to_owned(),
            "Statement 1: Fn::If of CloudFormation",
        ),
        (
            "# a policy\n\nAWSTemplateFormatVersion: 2010-09-09\nResources:\n  P:\n".to_owned(),
            "policy: not JSON: a CloudFormation template in YAML",
        ),
        (
            "---\nPolicyDocument:\n  Statement:\n".to_owned(),
            "policy: not JSON: a CloudFormation template in YAML",
        ),
        (
            "Version: \"2012-10-17\"\nStatement:\n- Effect: Allow\n".to_owned(),
            "policy: not JSON: YAML",
        ),
        (
            "data \"aws_iam_policy_document\" \"x\" {\n  statement {\n".to_owned(),
            "policy: not JSON: Terraform",
        ),
        (
            "resource \"aws_iam_policy\" \"x\" {\n  policy = jsonencode({\n".to_owned(),
            "policy: not JSON: Terraform",
        ),
    ] {
        let error = Policy::from_json_or_answer(&text).unwrap_err().to_string();
        let expected = format!(
            "{problem}; accepted: the JSON that IAM has after the deployment, as \
             `aws iam get-role-policy` or `get-policy-version` prints it"
        );
        assert_eq!(error, expected, "{text}");
    }
    for text in [
        "",
        "{\"Statement\": []]",
        "policy",
        "a b: c",
        "http://x",
        "{Effect: Allow}",
    ] {
        let error = Policy::from_json(text).unwrap_err().to_string();
        assert!(
            error.starts_with("policy: not JSON: ") && error.contains(" at line 1"),
            "{error}"
        );
    }
}

#[test]
fn a_policy_inside_a_policy_is_rejected() {
    let text = format!(
        r#"{{"Statement": {}, "PolicyDocument": {}}}"#,
        allow("s3:*", "*"),
        connect_policy(&[wanted()])
    );
    let error = Policy::from_json_or_answer(&text).unwrap_err().to_string();
    assert!(
        error.contains("unknown element \"PolicyDocument\""),
        "{error}"
    );
    assert!(
        Policy::from_json(&format!(
            r#"{{"PolicyDocument": {}}}"#,
            connect_policy(&[wanted()])
        ))
        .is_err()
    );
}
