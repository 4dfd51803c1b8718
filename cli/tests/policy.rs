//! `rdsign policy` and `rdsign policy check` as users call them: the documents and reports they
//! print, and their exit statuses.

#![expect(clippy::unwrap_used, reason = "a helper that panics fails its test")]

use std::path::PathBuf;

use assert_cmd::Command;

const TARGET: [&str; 6] = [
    "--region",
    "eu-central-1",
    "--account",
    "123456789012",
    "--resource-id",
    "db-ABCDEFGHIJKL01234",
];
const ARN: &str = "arn:aws:rds-db:eu-central-1:123456789012:dbuser:db-ABCDEFGHIJKL01234/iam_user";

struct Output {
    status: i32,
    stdout: String,
    stderr: String,
}

fn run(arguments: &[&str], input: &str) -> Output {
    let mut command = Command::cargo_bin("rdsign").unwrap();
    let command = command.env_clear().args(arguments).write_stdin(input);
    let output = command.output().unwrap();
    Output {
        status: output.status.code().unwrap(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

fn policy(usernames: &[&str]) -> String {
    let usernames = usernames.iter().flat_map(|name| ["--username", name]);
    let arguments: Vec<&str> = ["policy"]
        .into_iter()
        .chain(TARGET)
        .chain(usernames)
        .collect();
    let output = run(&arguments, "");
    assert_eq!((output.status, output.stderr.as_str()), (0, ""));
    output.stdout
}

fn check(arguments: &[&str], input: &str) -> Output {
    let user = ["--username", "iam_user"];
    run(
        &[&["policy", "check"], arguments, &TARGET, &user].concat(),
        input,
    )
}

#[test]
fn the_policy_is_least_privilege_and_passes_its_own_check() {
    let text = policy(&["iam_user", "other"]);
    let json: serde_json::Value = serde_json::from_str(&text).unwrap();
    let other = ARN.replace("iam_user", "other");
    assert_eq!(
        json,
        serde_json::json!({
            "Version": "2012-10-17",
            "Statement": [
                {"Effect": "Allow", "Action": "rds-db:connect", "Resource": [ARN, other]}
            ],
        })
    );
    let output = check(&["-"], &text);
    assert_eq!((output.status, output.stderr.as_str()), (0, ""));
    assert_eq!(
        output.stdout,
        format!("allowed by -, Statement 1\n  rds-db:connect\n  {ARN}\n")
    );
}

#[test]
fn clusters_proxies_wildcards_and_partitions_are_supported() {
    for (region, id, username, arn) in [
        (
            "us-gov-west-1",
            "cluster-ABC",
            "u",
            "arn:aws-us-gov:rds-db:us-gov-west-1:123456789012:dbuser:cluster-ABC/u",
        ),
        (
            "cn-north-1",
            "prx-0ab",
            "u",
            "arn:aws-cn:rds-db:cn-north-1:123456789012:dbuser:prx-0ab/u",
        ),
        (
            "us-east-1",
            "*",
            "app_*",
            "arn:aws:rds-db:us-east-1:123456789012:dbuser:*/app_*",
        ),
    ] {
        let output = run(
            &[
                "policy",
                "--region",
                region,
                "--account",
                "123456789012",
                "--resource-id",
                id,
                "--username",
                username,
            ],
            "",
        );
        let json: serde_json::Value = serde_json::from_str(&output.stdout).unwrap();
        assert_eq!(json["Statement"][0]["Resource"], arn);
    }
}

#[test]
fn sql_needs_only_the_users() {
    let output = run(
        &[
            "policy",
            "--sql",
            "--username",
            "iam_user",
            "--username",
            "o\"x",
        ],
        "",
    );
    assert_eq!((output.status, output.stderr.as_str()), (0, ""));
    assert_eq!(
        output.stdout,
        "CREATE USER \"iam_user\" WITH LOGIN;\nGRANT rds_iam TO \"iam_user\";\n\
         CREATE USER \"o\"\"x\" WITH LOGIN;\nGRANT rds_iam TO \"o\"\"x\";\n"
    );
    let output = run(&["policy", "--sql", "--username", "app_*"], "");
    assert_eq!((output.status, output.stdout.as_str()), (2, ""));
    assert!(
        output
            .stderr
            .starts_with("rdsign: INVALID_USERNAME: username: \"app_*\" contains * or ?")
    );
}

const CLUSTER: [&str; 8] = [
    "--service",
    "dsql",
    "--region",
    "us-east-1",
    "--account",
    "123456789012",
    "--resource-id",
    "4abcdefghijklmnopqrstuvwxy",
];

#[test]
fn the_policy_for_dsql_has_a_statement_for_each_action_and_passes_its_own_check() {
    let arn = "arn:aws:dsql:us-east-1:123456789012:cluster/4abcdefghijklmnopqrstuvwxy";
    let users = ["app", "admin", "other"].map(|user| ["--username", user]);
    let output = run(&[&["policy"], &CLUSTER[..], &users.concat()].concat(), "");
    assert_eq!((output.status, output.stderr.as_str()), (0, ""));
    let json: serde_json::Value = serde_json::from_str(&output.stdout).unwrap();
    assert_eq!(
        json["Statement"],
        serde_json::json!([
            {"Effect": "Allow", "Action": "dsql:DbConnect", "Resource": arn},
            {"Effect": "Allow", "Action": "dsql:DbConnectAdmin", "Resource": arn},
        ])
    );
    for (user, action, statement) in [("app", "DbConnect", 1), ("admin", "DbConnectAdmin", 2)] {
        let arguments = ["policy", "check", "-", "--username", user];
        let checked = run(&[&arguments, &CLUSTER[..]].concat(), &output.stdout);
        let allowed = format!("allowed by -, Statement {statement}\n  dsql:{action}\n  {arn}\n");
        assert_eq!((checked.status, checked.stdout), (0, allowed));
    }
}

#[test]
fn a_policy_for_dsql_that_nearly_allows_a_login_is_explained() {
    let arn = "arn:aws:dsql:us-east-1:123456789012:cluster/4abcdefghijklmnopqrstuvwxy";
    let arguments = ["policy", "check", "-", "--username", "admin"];
    for (action, resource, part) in [
        (
            "dsql:DbConnect",
            arn,
            "a login needs \"dsql:DbConnectAdmin\"",
        ),
        (
            "dsql:*",
            "arn:aws:dsql:us-east-1:123456789012:cluster/4abc",
            "The resource is \"cluster/4abc\"",
        ),
        (
            "dsql:*",
            "arn:aws:dsql:us-west-2:123456789012:cluster/*",
            "The region is \"us-west-2\"",
        ),
    ] {
        let statement = format!(
            r#"{{"Version": "2012-10-17", "Statement": [{{"Effect": "Allow", "Action": "{action}", "Resource": "{resource}"}}]}}"#
        );
        let output = run(&[&arguments, &CLUSTER[..]].concat(), &statement);
        assert_eq!(output.status, 1, "{}", output.stdout);
        let text = output.stdout.replace("\n ", "");
        assert!(text.contains(part), "{text}");
    }
    // Unlike for rds-db, AWS evaluates where a login comes from.
    let condition = format!(
        r#"{{"Version": "2012-10-17", "Statement": [{{"Effect": "Allow", "Action": "dsql:DbConnectAdmin", "Resource": "{arn}", "Condition": {{"StringEquals": {{"aws:SourceVpc": "vpc-1"}}}}}}]}}"#
    );
    let value = ["--variable", "aws:SourceVpc=vpc-1"];
    let output = run(&[&arguments, &CLUSTER[..], &value].concat(), &condition);
    assert_eq!(output.status, 0, "{}{}", output.stdout, output.stderr);
}

#[test]
fn sql_for_dsql_creates_the_role_and_grants_it_to_an_iam_identity() {
    let sql = ["policy", "--service", "dsql", "--sql", "--username"];
    let arn = "arn:aws:iam::123456789012:role/app";
    let output = run(&[&sql[..], &["o\"x", "--iam-arn", arn]].concat(), "");
    assert_eq!((output.status, output.stderr.as_str()), (0, ""));
    assert_eq!(
        output.stdout,
        format!("CREATE ROLE \"o\"\"x\" WITH LOGIN;\nAWS IAM GRANT \"o\"\"x\" TO '{arn}';\n")
    );
    for (arguments, part) in [
        (&["app"][..], "iam arn: missing; accepted: --iam-arn"),
        (
            &["admin", "--iam-arn", arn],
            "needs only dsql:DbConnectAdmin",
        ),
        (
            &["app", "--iam-arn", "arn:aws:iam::123456789012:role/x'y"],
            "iam arn: \"arn:aws:iam::123456789012:role/x'y\" is not the ARN of an IAM role or user",
        ),
    ] {
        let output = run(&[&sql[..], arguments].concat(), "");
        assert_eq!((output.status, output.stdout.as_str()), (2, ""));
        assert!(output.stderr.contains(part), "{}", output.stderr);
    }
    let rds = ["policy", "--sql", "--username", "app", "--iam-arn", arn];
    let output = run(&rds, "");
    assert!(
        output.stderr.contains("--service dsql"),
        "{}",
        output.stderr
    );
}

#[test]
fn the_resource_id_of_dsql_is_that_of_a_cluster() {
    for id in ["db-ABC", "4ABCDEFGHIJKLMNOPQRSTUVWXY", "4abc"] {
        let mut arguments = CLUSTER;
        arguments[7] = id;
        let user = ["policy", "--username", "app"];
        let output = run(&[&user[..], &arguments].concat(), "");
        assert_eq!((output.status, output.stdout.as_str()), (2, ""));
        assert!(
            output.stderr.contains("26 lower-case letters"),
            "{}",
            output.stderr
        );
    }
    let mut arguments = CLUSTER;
    arguments[7] = "*";
    let user = ["policy", "--username", "app"];
    let output = run(&[&user[..], &arguments].concat(), "");
    assert!(output.stdout.contains(":cluster/*\""), "{}", output.stdout);
}

#[test]
fn a_near_miss_is_reported_with_its_file_and_status_1() {
    let text = policy(&["Iam_user"]).replace("dbuser:", "dbuser/");
    let text = text.replace("\"Effect\"", "\"Sid\": \"Mine\", \"Effect\"");
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("policy-check");
    std::fs::create_dir_all(&folder).unwrap();
    let (near, far) = (folder.join("near.json"), folder.join("far.json"));
    std::fs::write(&near, text).unwrap();
    std::fs::write(
        &far,
        r#"{"Statement": {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}}"#,
    )
    .unwrap();
    let (near, far) = (near.to_str().unwrap(), far.to_str().unwrap());
    let output = check(&[far, near], "");
    assert_eq!((output.status, output.stderr.as_str()), (1, ""));
    assert_eq!(
        output.stdout,
        format!(
            "denied by default: no statement allows it\n  rds-db:connect\n  {ARN}\n\n\
             nearly allowed by {near}, Statement 1 (Sid \"Mine\")\n  \
             A slash follows dbuser: write dbuser: instead of dbuser/.\n  \
             User name \"Iam_user\" differs from \"iam_user\" only in case.\n"
        )
    );
    let output = check(&[far, near, "--json"], "");
    assert_eq!(output.status, 1);
    let json: serde_json::Value = serde_json::from_str(&output.stdout).unwrap();
    assert_eq!(
        (&json["allowed"], &json["resource"]),
        (&false.into(), &ARN.into())
    );
    let near_miss = &json["near_misses"][0];
    assert_eq!(
        (&near_miss["policy"], &near_miss["sid"]),
        (&near.into(), &"Mine".into())
    );
    assert_eq!(near_miss["differences"][1]["id"], "username-case");
}

#[test]
fn a_deny_is_named() {
    let deny = r#"{"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"},
        {"Sid": "NoLogins", "Effect": "Deny", "Action": "rds-db:*", "Resource": "*"}]}"#;
    let output = check(&["-"], deny);
    assert_eq!(output.status, 1);
    let first = "denied by -, Statement 2 (Sid \"NoLogins\")\n";
    assert!(output.stdout.starts_with(first), "{}", output.stdout);
}

/// A policy of these statements.
fn of(statements: &[&str]) -> String {
    let statements = statements.join(",");
    format!(r#"{{"Version": "2012-10-17", "Statement": [{statements}]}}"#)
}

const OWN: &str = r#"{"Sid": "Own", "Effect": "Allow", "Action": "rds-db:connect",
    "Resource": "arn:aws:rds-db:*:*:dbuser:*/${aws:username}"}"#;

#[test]
fn a_login_that_depends_on_a_variable_ends_with_3_and_its_value_decides() {
    let text = of(&[OWN]);
    let output = check(&["-"], &text);
    assert_eq!((output.status, output.stderr.as_str()), (3, ""));
    assert_eq!(
        output.stdout,
        format!(
            "allowed if aws:username is \"iam_user\" (-, Statement 1 (Sid \"Own\"))\n  \
             rds-db:connect\n  {ARN}\n\n\
             Pass the values that you know, such as --variable aws:username=VALUE.\n"
        )
    );
    for (name, status) in [("iam_user", 0), ("jane", 1)] {
        let variable = format!("aws:username={name}");
        let output = check(&["-", "--variable", &variable], &text);
        assert_eq!((output.status, output.stderr.as_str()), (status, ""));
    }
    let output = check(&["-", "--variable", "aws:username"], &text);
    assert_eq!((output.status, output.stdout.as_str()), (2, ""));
    let start = "rdsign: variable: \"aws:username\" has no value; accepted: KEY=VALUE";
    assert!(output.stderr.starts_with(start), "{}", output.stderr);
}

#[test]
fn only_keys_that_may_be_passed_are_advised() {
    let if_equal = |key: &str, value: &str| {
        format!(
            r#"{{"Effect": "Allow", "Action": "*", "Resource": "*",
                "Condition": {{"StringEquals": {{"{key}": "{value}"}}}}}}"#
        )
    };
    for (key, advice) in [
        ("username", None),
        (r"aws:\u001b[31m", None),
        (r"aws:\u202e", None),
        ("aws:SourceIp", None),
        ("aws:x=y", None),
        ("aws:PrincipalTag/team", Some("aws:PrincipalTag/team=VALUE")),
        (
            "aws:PrincipalTag/cost center",
            Some("'aws:PrincipalTag/cost center=VALUE'"),
        ),
    ] {
        let output = check(&["-"], &of(&[&if_equal(key, "x")]));
        assert_eq!((output.status, output.stderr.as_str()), (3, ""));
        assert!(!output.stdout.contains('\u{1b}'), "{:?}", output.stdout);
        let (_, shown) = output.stdout.split_once(" --variable ").unzip();
        assert_eq!(shown, advice.map(|key| format!("{key}.\n")).as_deref());
    }
    let both = of(&[&if_equal("username", "x"), &if_equal("aws:userid", "x")]);
    assert!(
        check(&["-"], &both)
            .stdout
            .ends_with(" aws:userid=VALUE.\n")
    );
    // The key is known, but a variable in its value is not.
    let inner = of(&[&if_equal("aws:username", "${aws:userid}")]);
    let output = check(&["-", "--variable", "aws:username=x"], &inner);
    assert!(
        output.stdout.ends_with(" aws:userid=VALUE.\n"),
        "{}",
        output.stdout
    );
}

#[test]
fn a_deny_with_a_condition_is_reported_with_the_statement_that_allows_otherwise() {
    let allow =
        format!(r#"{{"Effect": "Allow", "Action": "rds-db:connect", "Resource": "{ARN}"}}"#);
    let deny = |condition: &str| {
        format!(r#"{{"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": {condition}}}"#)
    };
    let office = deny(r#"{"NotIpAddress": {"aws:SourceIp": "192.0.2.0/24"}}"#);
    let mfa = deny(r#"{"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}}"#);
    let text = of(&[&allow, &office, &mfa]);
    let output = check(&["-"], &text);
    assert_eq!((output.status, output.stderr.as_str()), (3, ""));
    assert_eq!(
        output.stdout,
        format!(
            "allowed unless the condition NotIpAddress aws:SourceIp \"192.0.2.0/24\" holds, but\n\
             AWS does not support aws:SourceIp for rds-db (-, Statement 2)\n\
             and unless the condition BoolIfExists aws:MultiFactorAuthPresent \"false\" holds\n\
             (-, Statement 3)\notherwise allowed by -, Statement 1\n  rds-db:connect\n  {ARN}\n\n\
             Pass the values that you know, such as --variable aws:MultiFactorAuthPresent=VALUE.\n"
        )
    );
    let without_mfa = ["-", "--variable", "aws:MultiFactorAuthPresent=false"];
    let output = check(&without_mfa, &text);
    assert_eq!(output.status, 1);
    assert!(
        output.stdout.starts_with("denied by -, Statement 3\n"),
        "{}",
        output.stdout
    );
    let output = check(&["-", "--json"], &text);
    let json: serde_json::Value = serde_json::from_str(&output.stdout).unwrap();
    assert_eq!(output.status, 3);
    assert_eq!(
        (&json["allowed"], &json["by"]["statement"]),
        (&().into(), &1.into())
    );
    assert_eq!(
        json["conditions"][0]["requirements"][0]["id"],
        "unsupported-key"
    );
    assert_eq!(
        json["conditions"][1]["requirements"][0]["keys"][0],
        "aws:MultiFactorAuthPresent"
    );
}

#[test]
fn several_ways_to_be_allowed_are_listed() {
    let tagged = r#"{"Effect": "Allow", "Action": "rds-db:*", "Resource": "*",
        "Condition": {"StringEquals": {"aws:PrincipalTag/team": "db"}}}"#;
    let deny = tagged.replace("Allow", "Deny").replace("team", "guest");
    let output = check(&["-"], &of(&[OWN, tagged, &deny]));
    assert_eq!(output.status, 3);
    let lines: Vec<&str> = output.stdout.lines().collect();
    assert_eq!(
        lines[..4],
        [
            "allowed if aws:username is \"iam_user\" (-, Statement 1 (Sid \"Own\"))",
            "or if the condition StringEquals aws:PrincipalTag/team \"db\" holds (-, Statement",
            "2)",
            "but not if the condition StringEquals aws:PrincipalTag/guest \"db\" holds (-,",
        ]
    );
}

#[test]
fn statements_about_other_services_are_skipped() {
    let allow =
        format!(r#"{{"Effect": "Allow", "Action": "rds-db:connect", "Resource": "{ARN}"}}"#);
    let other = r#"{"Effect": "Allow", "Action": "s3:GetObject",
        "Resource": "arn:aws:s3:::b/${aws:username}/*",
        "Condition": {"Bool": {"aws:SecureTransport": "true"}}}"#;
    let output = check(&["-"], &of(&[&allow, other]));
    assert_eq!((output.status, output.stderr.as_str()), (0, ""));
    assert!(
        output.stdout.starts_with("allowed by -, Statement 1\n"),
        "{}",
        output.stdout
    );
}

#[test]
fn files_of_windows_are_read_or_their_encoding_is_named() {
    let text = policy(&["iam_user"]);
    let output = check(&["-"], &format!("\u{feff}{text}"));
    assert_eq!((output.status, output.stderr.as_str()), (0, ""));
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("policy-encodings");
    std::fs::create_dir_all(&folder).unwrap();
    let file = folder.join("policy.json");
    let marked = format!("\u{feff}{text}");
    let utf16 = |to_bytes: fn(u16) -> [u8; 2], text: &str| -> Vec<u8> {
        text.encode_utf16().flat_map(to_bytes).collect()
    };
    let named =
        "policy: encoded as UTF-16; accepted: UTF-8, as `iconv -f UTF-16 -t UTF-8` writes it";
    for (bytes, problem) in [
        (utf16(u16::to_le_bytes, &marked), named),
        (utf16(u16::to_be_bytes, &marked), named),
        (utf16(u16::to_le_bytes, &text), named),
        (utf16(u16::to_be_bytes, &text), named),
        (
            b"{\"Id\": \"\xe9\"}".to_vec(),
            "policy: byte 9 is not UTF-8; accepted: UTF-8",
        ),
    ] {
        std::fs::write(&file, bytes).unwrap();
        let file = file.to_str().unwrap();
        let output = check(&[file], "");
        assert_eq!((output.status, output.stdout.as_str()), (2, ""));
        assert_eq!(output.stderr, format!("rdsign: {file}: {problem}\n"));
    }
}

#[test]
fn an_unreadable_policy_ends_with_2_and_the_position_in_its_file() {
    let output = check(&["-"], "{\n  \"Statement\": []]\n}");
    assert_eq!((output.status, output.stdout.as_str()), (2, ""));
    assert!(
        output.stderr.starts_with("rdsign: -: policy: not JSON: "),
        "{}",
        output.stderr
    );
    assert!(
        output.stderr.ends_with(" at line 2 column 18\n"),
        "{}",
        output.stderr
    );
    let long = policy(&["iam_user"]) + &" ".repeat(1 << 20);
    let output = check(&["-"], &long);
    assert_eq!((output.status, output.stdout.as_str()), (2, ""));
    let message = "rdsign: -: policy: longer than 1 MiB; accepted: at most 1 MiB\n";
    assert_eq!(output.stderr, message);
    let missing = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/missing.json");
    let output = check(&[missing], "");
    assert_eq!((output.status, output.stdout.as_str()), (2, ""));
    assert!(
        output.stderr.starts_with(&format!("rdsign: {missing}: ")),
        "{}",
        output.stderr
    );
}

#[test]
fn invalid_flags_end_with_2_and_name_the_field() {
    for (flag, value, message) in [
        ("--region", "EU", "rdsign: INVALID_REGION: region: "),
        ("--account", "1", "rdsign: account: "),
        ("--resource-id", "mydb", "rdsign: resource id: "),
        ("--username", "", "rdsign: INVALID_USERNAME: username: "),
    ] {
        let mut arguments: Vec<&str> = [&TARGET[..], &["--username", "iam_user"]].concat();
        let at = arguments.iter().position(|known| *known == flag).unwrap();
        arguments[at + 1] = value;
        for command in [&["policy"][..], &["policy", "check", "-"]] {
            let output = run(&[command, &arguments].concat(), &policy(&["iam_user"]));
            assert_eq!((output.status, output.stdout.as_str()), (2, ""), "{flag}");
            assert!(output.stderr.starts_with(message), "{}", output.stderr);
        }
    }
}

#[test]
fn a_login_to_check_has_no_wildcards() {
    for (id, user, message) in [
        ("*", "u", "rdsign: resource id: \"*\" is not a resource ID"),
        (
            "db-ABC",
            "*",
            "rdsign: INVALID_USERNAME: username: \"*\" contains * or ?, which are wildcards in a \
             policy; accepted: the name of one database user\n",
        ),
        (
            "db-ABC",
            "app_?",
            "rdsign: INVALID_USERNAME: username: \"app_?\" ",
        ),
    ] {
        let login = ["--resource-id", id, "--username", user];
        let arguments = [&["policy", "check", "-"], &login[..], &TARGET[..4]].concat();
        let output = run(&arguments, &policy(&["iam_user"]));
        assert_eq!((output.status, output.stdout.as_str()), (2, ""));
        assert!(output.stderr.starts_with(message), "{}", output.stderr);
    }
}

#[test]
fn missing_arguments_are_named() {
    for arguments in [
        vec!["policy", "--username", "u"],
        vec!["policy", "--sql"],
        vec!["policy", "check", "-"],
    ] {
        let output = run(&arguments, "");
        assert_eq!((output.status, output.stdout.as_str()), (2, ""));
        assert!(
            output
                .stderr
                .contains(": missing; accepted: rdsign policy "),
            "{}",
            output.stderr
        );
    }
}
