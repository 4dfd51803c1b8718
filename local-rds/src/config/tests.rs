//! Tests a valid configuration, and the same one with one change.

use std::time::{Duration, SystemTime};

use rdsign::names::Endpoint;

use super::{Config, default};

const VALID: &str = r#"
region = "ap-northeast-1"
account_id = "123456789012"
resource_id = "db-ABC"
endpoints = ["mydb.example.com", "tunnel.example.com:6543", "[::1]", "[::1]:6543"]
postgres_password = "hunter2"

[[access_keys]]
access_key_id = "AKIAONE"
secret_access_key = "hunter3"

[[access_keys]]
access_key_id = "ASIATWO"
secret_access_key = "hunter4"
session_token = "hunter5"
expires_at = 2026-01-01T00:00:00Z
policies = ['{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}']
"#;

fn problem(old: &str, new: &str) -> String {
    assert!(VALID.contains(old), "{old}");
    Config::parse(&VALID.replace(old, new), 5432, &[]).unwrap_err()
}

#[test]
fn endpoints_without_a_port_get_the_server_s_port() {
    let config = Config::parse(VALID, 15432, &["added.example.com".to_owned()]).unwrap();
    let endpoints: Vec<_> = config
        .server
        .endpoints
        .iter()
        .map(Endpoint::to_string)
        .collect();
    let expected = [
        "added.example.com:15432",
        "mydb.example.com:15432",
        "tunnel.example.com:6543",
        "[::1]:15432",
        "[::1]:6543",
    ];
    assert_eq!(endpoints, expected);
}

#[test]
fn optional_fields_may_be_omitted() {
    let config = Config::parse(VALID, 5432, &[]).unwrap();
    assert_eq!(config.clock_offset_seconds, 0);
    let [one, two] = &config.access_keys[..] else {
        panic!("two keys");
    };
    assert!(one.credentials.session_token().is_none() && one.credentials.expiry().is_none());
    assert!(one.policies.is_empty());
    assert_eq!(two.credentials.session_token(), Some("hunter5"));
    let expiry = two
        .credentials
        .expiry()
        .map(rdsign::timestamp::format_rfc3339);
    assert_eq!(expiry.as_deref(), Some("2026-01-01T00:00:00Z"));
}

#[test]
fn every_problem_names_its_field() {
    for (old, new, expected) in [
        ("region =", "regoin =", "line 2: unknown field `regoin`"),
        (
            "account_id = \"123456789012\"",
            "",
            "missing field `account_id`",
        ),
        ("ap-northeast-1", "Tokyo", "region: "),
        ("123456789012", "1234-5678-9012", "account_id: "),
        ("db-ABC", "mydb", "resource_id: "),
        ("db-ABC", "db-", "resource_id: "),
        ("mydb.example.com", "my db", "endpoints[0]: hostname: "),
        (
            "mydb.example.com",
            "mydb.example.com:0",
            "endpoints[0]: port: ",
        ),
        (
            "mydb.example.com",
            "mydb.example.com:65536",
            "endpoints[0]: hostname: ",
        ),
        ("hunter2", "", "postgres_password: "),
        ("hunter3", "", "access_keys[0].secret_access_key: "),
        ("hunter5", r"line\nbreak", "access_keys[1].session_token: "),
        ("00:00:00Z", "00:00:00", "access_keys[1].expires_at: "),
        ("}]}", "}]} {", "access_keys[1].policies[0]: "),
        (
            "policies = ",
            "variables = ['aws:username']\npolicies = ",
            "access_keys[1].variables: accepted: KEY=VALUE, such as aws:username=jane",
        ),
        (
            "ASIATWO",
            "AKIAONE",
            "access_keys[1].access_key_id: AKIAONE appears twice",
        ),
    ] {
        let problem = problem(old, new);
        assert!(
            problem.starts_with(expected) || problem.contains(&format!(": {expected}")),
            "{problem}"
        );
    }
}

/// A configuration with an endpoint of DSQL only, which needs no resource ID.
const DSQL: &str = r#"
region = "eu-central-1"
account_id = "123456789012"
endpoints = ["4abcdefghijklmnopqrstuvwxy.dsql.eu-central-1.on.aws"]
postgres_password = "hunter2"

[[access_keys]]
access_key_id = "AKIAONE"
secret_access_key = "hunter3"
arn = "arn:aws:iam::123456789012:role/app"
variables = ["aws:SourceVpc=vpc-1"]

[[iam_grants]]
role = "app"
to = ["AKIAONE", "arn:aws:iam::123456789012:user/Other"]
"#;

#[test]
fn grants_name_keys_of_the_file_or_arns() {
    let config = Config::parse(DSQL, 5432, &[]).unwrap();
    let arn = config.access_keys[0].arn.as_deref();
    assert_eq!(arn, Some("arn:aws:iam::123456789012:role/app"));
    let [grant] = &config.server.grants[..] else {
        panic!("one grant");
    };
    assert_eq!((grant.role.as_str(), grant.to.len()), ("app", 2));
    for (old, new, expected) in [
        (
            "role = \"app\"",
            "role = \"admin\"",
            "iam_grants[0].role: accepted: a database role other than admin",
        ),
        ("role = \"app\"", "role = \"\"", "iam_grants[0].role: "),
        (
            "to = [\"AKIAONE\"",
            "to = [\"AKIATWO\"",
            "iam_grants[0].to[0]: accepted: the access_key_id of a key",
        ),
        (":user/Other", ":group/Other", "iam_grants[0].to[1]: "),
        (
            "role/app",
            "role/",
            "access_keys[0].arn: accepted: the ARN of an IAM role or user",
        ),
        ("role = ", "rule = ", "line 14: unknown field `rule`"),
        (
            "[\"4abcdefghijklmnopqrstuvwxy.dsql.eu-central-1.on.aws\"]",
            "[\"mydb\"]",
            "resource_id: missing, but an endpoint is one of RDS",
        ),
        (
            "[\"4abc",
            "[\"mydb\", \"4abc",
            "resource_id: missing, but an endpoint is one of RDS",
        ),
        (
            "4abcdefghijklmnopqrstuvwxy.dsql.eu-central-1.on.aws\"]",
            "mydb\"]\nresource_id = \"db-A\"",
            "access_keys[0].variables: ",
        ),
    ] {
        assert!(DSQL.contains(old), "{old}");
        let problem = Config::parse(&DSQL.replace(old, new), 5432, &[]).unwrap_err();
        assert!(problem.starts_with(expected), "{new}: {problem}");
    }
}

#[test]
fn the_default_lets_the_same_keys_connect_to_dsql() {
    let cluster = "4abcdefghijklmnopqrstuvwxy.dsql.cn-north-1.on.aws".to_owned();
    let rds = "mydb.abc123.cn-north-1.rds.amazonaws.com.cn".to_owned();
    let parsed = |endpoints: &[String]| {
        let text = default::text(endpoints).unwrap();
        let config = Config::parse(&text, 5432, &[]).unwrap();
        let ids = config.access_keys.iter();
        let ids: Vec<_> = ids
            .map(|key| key.credentials.access_key_id().to_owned())
            .collect();
        (text, config, ids)
    };
    let (text, config, ids) = parsed(std::slice::from_ref(&cluster));
    assert_eq!((ids[0].as_str(), ids.len()), ("AKIALOCALADMIN000001", 5));
    assert_eq!(config.server.grants.len(), 2);
    assert!(
        !text.contains("resource_id") && !text.contains("rds-db"),
        "{text}"
    );
    let arn = "arn:aws-cn:dsql:cn-north-1:123456789012:cluster/4abcdefghijklmnopqrstuvwxy";
    assert_eq!(text.matches(arn).count(), 4);
    assert_eq!(text.matches("dsql:DbConnectAdmin").count(), 1);

    let (text, _, ids) = parsed(&[rds, cluster]);
    assert_eq!(ids[0], "AKIALOCALIAMUSER0001");
    assert_eq!(ids[4], "AKIALOCALADMIN000001");
    assert_eq!(text.matches("\"rds-db:connect\"").count(), 3);
    assert_eq!(text.matches(arn).count(), 4);
}

#[test]
fn no_problem_quotes_a_secret() {
    for (old, new) in [
        ("\"hunter3\"", "\"hunter3"),
        ("\"hunter3\"", "hunter3"),
        ("\"hunter3\"", "[\"hunter3\"]"),
        ("\"hunter3\"", "\"hunter3\" \"hunter3\""),
        ("secret_access_key = \"hunter3\"", "policies = \"hunter3\""),
        (
            "secret_access_key = \"hunter3\"",
            "variables = [\"hunter3\"]\nsecret_access_key = \"x\"",
        ),
        (
            "secret_access_key = \"hunter3\"",
            "expires_at = \"hunter3\"",
        ),
        (
            "[[access_keys]]\naccess_key_id = \"AKIAONE\"",
            "[access_keys]",
        ),
        ("\"hunter3\"", "\"hunter3\\q\""),
        (
            "\"hunter3\"",
            "\"hunter3\"\nsecret_access_key = \"hunter3\"",
        ),
    ] {
        let problem = problem(old, new);
        assert!(!problem.contains("hunter"), "{problem}");
    }
}

#[test]
fn the_clock_can_be_ahead_and_behind() {
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1000);
    let at = |offset: i64| {
        let text = format!("clock_offset_seconds = {offset}\n{VALID}");
        Config::parse(&text, 5432, &[]).map(|config| config.server_time(now))
    };
    assert_eq!(at(30), Ok(now + Duration::from_secs(30)));
    assert_eq!(at(-30), Ok(now - Duration::from_secs(30)));
    for too_far in [i64::MAX, i64::MIN] {
        assert!(at(too_far).is_err_and(|problem| problem.starts_with("clock_offset_seconds: ")));
    }
}

#[test]
fn the_default_is_a_valid_configuration() {
    let text = default::text(&[]).unwrap();
    let config = Config::parse(&text, 5432, &[]).unwrap();
    assert_eq!(config.access_keys.len(), 4);
    let token = config.access_keys[2].credentials.session_token();
    assert_eq!(token.map(str::len), Some(1000));
    let again = default::text(&[]).unwrap();
    assert_ne!(text, again, "secrets are random");
}

#[test]
fn the_default_uses_the_region_of_the_given_endpoint() {
    let given = ["mydb.abc123.cn-north-1.rds.amazonaws.com.cn".to_owned()];
    let text = default::text(&given).unwrap();
    let config = Config::parse(&text, 5432, &[]).unwrap();
    assert_eq!(config.server.region.as_str(), "cn-north-1");
    assert_eq!(config.server.endpoints[0].hostname(), given[0]);
    assert!(text.contains("arn:aws-cn:rds-db:cn-north-1:"));
}
