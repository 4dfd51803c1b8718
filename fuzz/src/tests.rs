//! Runs the bodies without nightly Rust: with seeds that are changed at random, and with inputs of the
//! structure that each target reads.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use proptest::test_runner::{TestError, TestRunner};

use crate::{TARGETS, check, seeds};

/// A change of an input.
#[derive(Clone, Debug)]
enum Change {
    Replace(Index, usize, Vec<u8>),
    Copy(Index, usize, Index),
    Case(Index),
}

fn change() -> impl Strategy<Value = Change> {
    let text = prop_oneof![
        4 => select(seeds::words().0).prop_map(|word| word.as_bytes().to_vec()),
        2 => "[ -~\n\t]{0,3}".prop_map(String::into_bytes),
        1 => "\\PC{1,2}".prop_map(String::into_bytes),
        1 => vec(any::<u8>(), 1..4),
    ];
    let length = prop_oneof![Just(0_usize), 0..4_usize, 0..40_usize];
    let index = any::<Index>;
    prop_oneof![
        6 => (index(), length, text).prop_map(|(at, length, text)| Change::Replace(at, length, text)),
        2 => (index(), 1..80_usize, index()).prop_map(|(at, length, to)| Change::Copy(at, length, to)),
        1 => index().prop_map(Change::Case),
    ]
}

fn changed(mut input: Vec<u8>, change: &Change) -> Vec<u8> {
    let place = |index: &Index| index.index(input.len() + 1);
    let range = |at: &Index, length: usize| place(at)..(place(at) + length).min(input.len());
    match change {
        Change::Replace(at, length, text) => {
            let range = range(at, *length);
            input.splice(range, text.iter().copied());
        }
        Change::Copy(at, length, to) => {
            let (copy, to) = (input[range(at, *length)].to_vec(), place(to));
            input.splice(to..to, copy);
        }
        Change::Case(at) => {
            let at = place(at);
            if let Some(byte) = input.get_mut(at) {
                *byte ^= if byte.is_ascii_alphabetic() { 0x20 } else { 0 };
            }
        }
    }
    input
}

fn changed_seed(target: &'static str) -> impl Strategy<Value = Vec<u8>> {
    (select(seeds::of(target)), vec(change(), 0..6))
        .prop_map(|(seed, changes)| changes.iter().fold(seed.into_bytes(), changed))
}

/// A user name, a lifetime and an age, and what is changed in the token.
fn login() -> impl Strategy<Value = String> {
    let place = || 0..600_usize;
    let text = select(seeds::words().0).prop_map(str::to_owned);
    let text = prop_oneof![text, "[ -~]{0,2}", "%[0-9A-F]{2}"];
    let change = prop_oneof![
        (place(), 0..4_usize, text).prop_map(|(at, length, text)| format!("{at} {length} {text}")),
        (place(), 0..100_usize, place())
            .prop_map(|(at, length, to)| format!("@{at} {length} {to}")),
    ];
    let numbers = (1..902_i64).prop_flat_map(|life| {
        let age = prop_oneof![-310..910_i64, life - 3..life + 3, -303..-297_i64];
        (Just(life), age, 0..2, 0..2)
    });
    ("\\PC{1,20}", numbers, vec(change, 0..4)).prop_map(
        |(username, (life, age, key, port), changes)| {
            format!(
                "{username}\n{life} {age} {key} {port}\n{}",
                changes.join("\n")
            )
        },
    )
}

/// A token whose parameters are in any order, and encoded or not.
fn token() -> impl Strategy<Value = String> {
    let value = || "[ -%'-~]{1,4}|%2B|%25|%C3%A9|é|aB3dE6gH9jK2mN5p|%26%3D";
    let session = proptest::option::of("[A-Za-z0-9+/=]{1,40}|%2F{1,9}|xaB3dE6gH9jK2mN5pQ8");
    let credential =
        "(A|A%2[Ff]B|aB3dE6gH9jK2mN5pQ8)(%2F|/)20240826(/|%2F)us-east-1/rds-db%2faws4_request";
    let before = "([a-zA-Z.]{1,10}|\\[::1\\])(:[0-9]{1,5})?/";
    (
        before,
        value(),
        session,
        credential,
        proptest::option::of(value()),
        "[0-9a]{64}",
    )
        .prop_flat_map(|(before, user, session, credential, more, signature)| {
            let mut parameters = [
                "Action=connect".to_owned(),
                format!("DBUser={user}"),
                "X-Amz-Algorithm=AWS4-HMAC-SHA256".to_owned(),
                format!("X-Amz-Credential={credential}"),
                "X-Amz-Date=20240826T220000Z".to_owned(),
                "X-Amz-Expires=900".to_owned(),
                "X-Amz-SignedHeaders=host".to_owned(),
                format!("X-Amz-Signature={signature}"),
            ]
            .to_vec();
            parameters.extend(session.map(|token| format!("X-Amz-Security-Token={token}")));
            parameters.extend(more.map(|more| format!("{more}=")));
            (Just(before), Just(parameters).prop_shuffle())
        })
        .prop_map(|(before, parameters)| format!("{before}?{}", parameters.join("&")))
}

/// Lines that set options of the C ABI.
fn c_options() -> impl Strategy<Value = String> {
    let hostname = "hostname=((DB|my\\.db)\\.abc\\.us-east-1\\.rds\\.amazonaws\\.com|db|a b)";
    let number = select(vec![
        i64::MIN,
        -1,
        0,
        1,
        443,
        900,
        901,
        65_535,
        65_536,
        i64::MAX,
    ]);
    let number = ("port|expires_in|credentials_timeout|time", number)
        .prop_map(|(name, number)| format!("{name}={number}"));
    let key = "(access_key_id|secret_access_key|session_token)=(A|\\PC{0,3}|[A-Za-z0-9+/]{20,40})";
    let other = "(username|region|profile|role_arn)(=(us-east-1|us-east-1a|\\PC{0,9}))?";
    let keys = "access_key_id=A\nsecret_access_key=[A-Za-z0-9]{20}";
    let line = prop_oneof![3 => number, 1 => key, 1 => other];
    (hostname, "username=\\PC{1,9}", keys, vec(line, 0..4)).prop_map(
        |(hostname, username, keys, lines)| {
            format!("{hostname}\n{username}\n{keys}\n{}", lines.join("\n"))
        },
    )
}

/// Settings of a connection string or a URI, quoted and spaced in all ways.
fn connection_string() -> impl Strategy<Value = String> {
    let keyword = select(vec![
        "host",
        "hostaddr",
        "port",
        "user",
        "password",
        "dbname",
        "sslmode",
        "gssencmode",
        "service",
        "requiressl",
        "ssl",
        "options",
        "HOST",
        "ho st",
        "",
    ]);
    let value = "db\\.example|DB\\.example\\.|other|verify-full|require|disable|hunter2hunter2hunter2\
                 |a\\\\? ?b|'a b'|'a|\\\\|%64b\\.example|";
    let blank = "[ \t\n]{0,2}";
    let setting = (keyword, blank, blank, value, "[ \n]{0,1}").prop_map(
        |(keyword, before, after, value, end)| format!("{keyword}{before}={after}{value}{end}"),
    );
    let parameter = (select(vec!["host", "sslmode", "service", "user"]), value)
        .prop_map(|(keyword, value)| format!("{keyword}={value}"));
    let uri = (
        "(u(:hunter2hunter2hunter2)?@)?(db\\.example|other|\\[::1\\]|)(:5432)?(/app)?\\??",
        vec(parameter, 0..3),
    )
        .prop_map(|(before, parameters)| format!("postgresql://{before}{}", parameters.join("&")));
    let text = prop_oneof![2 => vec(setting, 0..5).prop_map(|all| all.concat()), 1 => uri];
    ("(require|verify-full)?", text).prop_map(|(mode, text)| format!("{mode}\n{text}"))
}

fn arguments() -> impl Strategy<Value = String> {
    let program = select(vec![
        "psql",
        "pg_dump",
        "pgbench",
        "createdb",
        "psql-17",
        "env",
        "pg_isready",
    ]);
    let argument = prop_oneof![
        "-[XAtcdhfpUvn]{1,3}(db\\.example|other|host=x)?",
        "--(host|ho|dbname|file|set|command|version)(=(db\\.example|host=other|a b))?",
        "(host=)?(db\\.example|other)|--|-|app|\\\\c( a){0,4}|x=y",
    ];
    (program, vec(argument, 0..6))
        .prop_map(|(program, arguments)| [vec![program.to_owned()], arguments].concat().join("\n"))
}

/// Lines of both AWS files.
fn aws_files() -> impl Strategy<Value = String> {
    let section = "\\[(profile )?(a|b|c d|'c d'|default|DEFAULT|sso-session s|services s)\\]?";
    let name = select(vec![
        "aws_access_key_id",
        "aws_secret_access_key",
        "aws_session_token",
        "role_arn",
        "source_profile",
        "credential_source",
        "credential_process",
        "sso_session",
        "sso_account_id",
        "sso_role_name",
        "web_identity_token_file",
        "login_session",
        "services",
        "duration_seconds",
        "Region",
    ]);
    let value = "a|b|s|Environment|wJalrXUtnFEMIK7MDENGbPx|arn:aws:iam::1:role/r| #c|900|";
    let setting = (name, " ?[=:] ?", value)
        .prop_map(|(name, equals, value)| format!("{name}{equals}{value}"));
    let line = prop_oneof![2 => section, 6 => setting, 1 => " [a-z]{0,3}=?1?", 1 => "[#;\u{0}-\u{ff}]{0,5}"];
    let text = || vec(line.clone(), 0..12).prop_map(|lines| lines.join("\n"));
    ("(a|b|c d|default)?", "(AWS_PROFILE=a)?", text(), text()).prop_map(
        |(profile, variables, config, keys)| {
            format!("{profile}\n{variables}\n{config}\n----\n{keys}")
        },
    )
}

/// A policy of the right structure, whose values may be wrong.
fn policy() -> impl Strategy<Value = String> {
    let resource = "(db-ABC|\\*|db-\\?BC|db)[/:](iam_user|\\*|[i?]*am_user|\\$\\{aws:username\\}|\\$\\{\\*\\})"
        .prop_map(|user| format!("\"arn:aws:rds-db:eu-central-1:123456789012:dbuser:{user}\""));
    let list = |one: BoxedStrategy<String>| {
        let many = vec(one.clone(), 0..3).prop_map(|all| format!("[{}]", all.join(",")));
        prop_oneof![one, many]
    };
    let action = select(vec![
        "\"*\"",
        "\"rds-db:connect\"",
        "\"RDS-DB:Con*\"",
        "\"rds:?onnect\"",
        "\"s3:Get\"",
        "1",
    ]);
    let condition = select(vec![
        "{}",
        r#"{"StringEquals":{"aws:username":["jane","x"]}}"#,
        r#"{"ForAllValues:StringNotLike":{"aws:TagKeys":"*"}}"#,
        r#"{"NumericLessThanIfExists":{"aws:MultiFactorAuthAge":"10"}}"#,
        r#"{"Null":{"aws:username":"true"}}"#,
        r#"{"Bool":{"aws:SecureTransport":false},"DateLessThan":{"aws:EpochTime":0}}"#,
    ]);
    let statement = (
        "(Allow|Deny|allow)",
        "(Not)?Action",
        list(action.prop_map(str::to_owned).boxed()),
        "(Not)?Resource",
        list(prop_oneof![Just("\"*\"".to_owned()), resource].boxed()),
        condition,
    )
        .prop_map(|(effect, action, actions, resource, resources, condition)| {
            format!(
                r#"{{"Effect":"{effect}","{action}":{actions},"{resource}":{resources},"Condition":{condition}}}"#
            )
        });
    let version = select(vec!["2012-10-17", "2008-10-17"]);
    let username = select(vec!["iam_user", "*", "a:b", "\"", "IAM_USER"]);
    (username, version, vec(statement, 0..4)).prop_map(|(username, version, statements)| {
        let statements = statements.join(",");
        format!(
            "aws\teu-central-1\t123456789012\tdb-ABC\t{username}\naws:username=jane\n\
             {{\"Version\":\"{version}\",\"Statement\":[{statements}]}}"
        )
    })
}

fn mixed(
    target: &'static str,
    structured: impl Strategy<Value = String> + 'static,
) -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        changed_seed(target),
        structured.prop_map(String::into_bytes)
    ]
}

fn run(target: &str, cases: u32, inputs: impl Strategy<Value = Vec<u8>>) {
    let config = ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::with_cases(cases)
    };
    let outcome = TestRunner::new(config).run(&inputs, |input| {
        check(target, &input);
        Ok(())
    });
    if let Err(TestError::Fail(reason, input)) = outcome {
        panic!("{reason}\ninput: {:?}", String::from_utf8_lossy(&input));
    }
}

#[test]
fn every_target_runs_under_libfuzzer() {
    let manifest = include_str!("../libfuzzer/Cargo.toml").lines();
    let programs = manifest.filter_map(|line| line.strip_prefix("path = \"targets/"));
    let programs: Vec<_> = programs
        .map(|path| path.trim_end_matches(".rs\""))
        .collect();
    assert_eq!(programs, TARGETS.map(|(name, _)| name));
    for name in programs {
        let path = format!("{}/libfuzzer/targets/{name}.rs", env!("CARGO_MANIFEST_DIR"));
        let program = std::fs::read_to_string(path).unwrap();
        assert!(
            program.contains(&format!("check(\"{name}\", data)")),
            "{name}"
        );
    }
}

#[test]
fn every_seed_keeps_the_promises() {
    for (target, _) in TARGETS {
        let seeds = seeds::of(target);
        assert!(seeds.len() > 1, "{target}");
        seeds.iter().for_each(|seed| check(target, seed.as_bytes()));
    }
}

#[test]
fn a_token_means_the_same_however_it_is_written() {
    run("parse", 1_500, mixed("parse", token()));
}

#[test]
fn a_report_shows_no_secret() {
    let shown = token().prop_map(|token| format!("\n{token}"));
    run("inspect", 1_500, mixed("inspect", shown));
}

#[test]
fn a_login_needs_what_was_signed() {
    run("verify", 1_500, mixed("verify", login()));
}

#[test]
fn a_policy_decides_the_same_however_it_is_written() {
    run("policy", 1_500, mixed("policy", policy()));
}

#[test]
fn a_configuration_is_read_or_its_problem_shows_no_secret() {
    run("local_config", 1_000, changed_seed("local_config"));
}

#[test]
fn the_aws_files_are_read_or_their_problem_shows_no_secret() {
    run("aws_files", 1_500, mixed("aws_files", aws_files()));
}

#[test]
fn a_saved_login_is_read_or_its_problem_shows_no_secret() {
    run("aws_logins", 1_000, changed_seed("aws_logins"));
}

#[test]
fn a_host_name_is_the_same_to_all_readers() {
    run("hostname", 1_000, changed_seed("hostname"));
}

#[test]
fn an_accepted_connection_string_reaches_no_other_server() {
    run(
        "libpq_strings",
        2_000,
        mixed("libpq_strings", connection_string()),
    );
}

#[test]
fn accepted_arguments_reach_no_other_server() {
    run(
        "libpq_arguments",
        2_000,
        mixed("libpq_arguments", arguments()),
    );
}

#[test]
fn options_of_c_end_in_a_token_or_in_a_clear_error() {
    run("c_options", 1_500, mixed("c_options", c_options()));
}
