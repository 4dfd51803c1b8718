//! `rdsign token` as users call it: flags, libpq's variables, errors and exit statuses. No test
//! reads the files of this machine's user.

#![expect(clippy::unwrap_used, reason = "a helper that panics fails its test")]

use assert_cmd::Command;

const HOST: &str = "prod-instance.us-east-1.rds.amazonaws.com";

/// Runs rdsign with the keys of the known token and an otherwise empty environment.
fn rdsign(arguments: &[&str]) -> Command {
    let mut command = Command::cargo_bin("rdsign").unwrap();
    command.env_clear().args(arguments);
    command.env("AWS_ACCESS_KEY_ID", "akid");
    command.env("AWS_SECRET_ACCESS_KEY", "secret");
    // Keeps out this machine's credentials and its metadata service.
    command.env("AWS_EC2_METADATA_DISABLED", "true");
    command.env("AWS_CONFIG_FILE", "/dev/null");
    command.env("AWS_SHARED_CREDENTIALS_FILE", "/dev/null");
    command
}

struct Output {
    status: i32,
    stdout: String,
    stderr: String,
}

fn run(mut command: Command) -> Output {
    let output = command.output().unwrap();
    Output {
        status: output.status.code().unwrap(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

fn printed(command: Command) -> String {
    let output = run(command);
    assert_eq!((output.status, output.stderr.as_str()), (0, ""));
    output.stdout
}

fn error(command: Command) -> (i32, String) {
    let output = run(command);
    assert_eq!(output.stdout, "");
    (output.status, output.stderr)
}

const FLAGS: [&str; 8] = [
    "--hostname",
    HOST,
    "--port",
    "3306",
    "--username",
    "peccy",
    "--signing-time",
    "2024-08-26T22:00:00Z",
];

fn with_flags(name: &str, more: &[&str]) -> Command {
    rdsign(&[&[name], &FLAGS[..], more].concat())
}

#[test]
fn the_known_token_is_printed_with_one_newline() {
    let token = printed(with_flags("token", &[]));
    assert!(token.starts_with(&format!("{HOST}:3306/?Action=connect&DBUser=peccy&")));
    let signature = "dd0cba843009474347af724090233265628ace491ea17ce3eb3da098b983ad89\n";
    assert!(token.ends_with(signature), "{token}");
}

#[test]
fn the_aws_cli_s_name_and_flags_give_the_same_token() {
    let own = printed(with_flags("token", &[]));
    let region = ["--region", "us-east-1"];
    assert_eq!(printed(with_flags("generate-db-auth-token", &region)), own);
}

const CLUSTER: &str = "4abcdefghijklmnopqrstuvwxy.dsql.us-east-1.on.aws";

fn dsql(name: &str, more: &[&str]) -> Command {
    let time = ["--signing-time", "2024-08-26T22:00:00Z"];
    rdsign(&[&[name, "--hostname", CLUSTER], &time[..], more].concat())
}

#[test]
fn a_token_for_dsql_has_the_action_of_its_user_in_every_command() {
    for (user, action, name) in [
        ("app", "DbConnect&", "generate-db-connect-auth-token"),
        (
            "admin",
            "DbConnectAdmin&",
            "generate-db-connect-admin-auth-token",
        ),
    ] {
        let token = printed(dsql("token", &["--username", user, "--port", "15432"]));
        let start = format!("{CLUSTER}/?Action={action}X-Amz-Algorithm=");
        assert!(token.starts_with(&start), "{token}");
        assert!(token.contains("%2Fus-east-1%2Fdsql%2F"), "{token}");
        let aws = ["--region", "us-east-1", "--output", "text"];
        assert_eq!(printed(dsql(name, &aws)), token);
        let of_a_week = printed(dsql(name, &["--expires-in", "604800"]));
        assert!(of_a_week.contains("&X-Amz-Expires=604800&"), "{of_a_week}");
    }
}

#[test]
fn the_host_name_for_the_aws_cli_s_dsql_commands_may_come_from_pghost() {
    let time = ["--signing-time", "2024-08-26T22:00:00Z"];
    let name = "generate-db-connect-auth-token";
    let mut command = rdsign(&[&[name], &time[..]].concat());
    command.env("PGHOST", CLUSTER).env("PGPORT", "1");
    assert_eq!(printed(command), printed(dsql(name, &[])));
}

#[test]
fn the_service_may_be_given_for_an_alias_but_not_contradict_the_host_name() {
    let flags = ["--username", "app", "--region", "us-east-1"];
    let alias = ["token", "--hostname", "db.example.com", "--service", "dsql"];
    let token = printed(rdsign(&[&alias[..], &flags].concat()));
    assert!(token.starts_with("db.example.com/?Action=DbConnect&"));
    for (hostname, service, accepted) in [
        (CLUSTER, "rds", "accepted: dsql, or no service"),
        (HOST, "dsql", "accepted: rds, or no service"),
        ("db.example.com", "DSQL", "accepted: rds or dsql"),
    ] {
        let target = ["token", "--hostname", hostname, "--service", service];
        let (status, text) = error(rdsign(&[&target[..], &flags].concat()));
        assert_eq!(status, 2);
        assert!(
            text.starts_with("rdsign: SERVICE_MISMATCH: service: "),
            "{text}"
        );
        assert!(text.trim_end().ends_with(accepted), "{text}");
    }
    let rds = ["generate-db-connect-auth-token", "--hostname", HOST];
    let (_, text) = error(rdsign(&rds));
    assert!(text.starts_with("rdsign: SERVICE_MISMATCH: "), "{text}");
}

#[test]
fn the_aws_cli_s_dsql_commands_know_its_flags_and_no_user() {
    let name = "generate-db-connect-auth-token";
    for (more, part) in [
        (&["--no-sign-request"][..], "--no-sign-request: "),
        (
            &["--cli-input-json", "{}"],
            "--hostname, --region and --expires-in",
        ),
        (&["--region", "file://region"], "--region: "),
        (&["--username", "app"], "--username"),
        (&["--port", "5432"], "--port"),
        (&["--expires-in", "604801"], "1 to 604800 seconds"),
    ] {
        let (status, text) = error(dsql(name, more));
        assert_eq!(status, 2, "{text}");
        assert!(text.contains(part), "{part}: {text}");
    }
}

#[test]
fn global_flags_of_the_aws_cli_that_keep_the_token_are_ignored() {
    let own = printed(with_flags("token", &[]));
    for flags in [
        &["--output", "text", "--output=json", "--query", "x"][..],
        &["--debug", "--debug", "--v2-debug", "--color=off"],
        &["--no-cli-pager", "--no-paginate", "--no-cli-auto-prompt"],
        &["--cli-read-timeout", "1", "--cli-connect-timeout=0"],
        &[
            "--cli-binary-format",
            "base64",
            "--cli-error-format",
            "json",
        ],
        &["--no-verify-ssl", "--endpoint-url", "http://x"],
        &["--ca-bundle", "/nonexistent"],
    ] {
        assert_eq!(printed(with_flags("generate-db-auth-token", flags)), own);
        // rdsign's own name for the command keeps refusing flags that do nothing.
        assert_eq!(error(with_flags("token", flags)).0, 2, "{flags:?}");
    }
}

#[test]
fn flags_and_files_that_would_change_the_token_are_refused_with_a_reason() {
    for flags in [
        &["--no-sign-request"][..],
        &["--cli-auto-prompt"],
        &["--cli-input-json", "{}"],
        &["--cli-input-yaml=x"],
        &["--generate-cli-skeleton"],
        &["--generate-cli-skeleton", "input"],
    ] {
        let (status, message) = error(with_flags("generate-db-auth-token", flags));
        assert_eq!(status, 2, "{message}");
        let flag = flags[0].split('=').next().unwrap();
        assert!(
            message.starts_with(&format!("rdsign: {flag}: ")),
            "{message}"
        );
        assert!(message.contains("; accepted: "), "{message}");
    }
    for flag in ["--hostname", "--username"] {
        for file in ["file://name", "fileb:///name"] {
            let mut arguments = FLAGS;
            let at = arguments.iter().position(|given| *given == flag).unwrap();
            arguments[at + 1] = file;
            let command = rdsign(&[&["generate-db-auth-token"], &arguments[..]].concat());
            let (status, message) = error(command);
            assert_eq!(status, 2, "{message}");
            let start = format!("rdsign: {flag}: \"{file}\" names a file");
            assert!(message.starts_with(&start), "{message}");
        }
    }
}

#[test]
fn libpq_s_variables_replace_missing_flags() {
    let mut command = rdsign(&["token", "--signing-time", "2024-08-26T22:00:00Z"]);
    command.env("PGHOST", HOST).env("PGPORT", "3306");
    command.env("PGUSER", "peccy");
    assert_eq!(printed(command), printed(with_flags("token", &[])));
}

#[test]
fn flags_override_libpq_s_variables() {
    let mut command = with_flags("token", &[]);
    command.env("PGHOST", "other").env("PGPORT", "1");
    command.env("PGUSER", "other");
    assert_eq!(printed(command), printed(with_flags("token", &[])));
}

#[test]
fn the_session_token_and_the_lifetime_are_used() {
    let mut command = with_flags("token", &["--expires-in", "60"]);
    command.env("AWS_SESSION_TOKEN", "to/ken");
    let token = printed(command);
    assert!(token.contains("&X-Amz-Expires=60&"), "{token}");
    assert!(token.contains("&X-Amz-Security-Token=to%2Fken&"), "{token}");
}

#[test]
fn a_host_name_without_a_region_uses_the_environment() {
    let arguments = ["token", "--hostname", "localhost", "--username", "u"];
    let mut both = rdsign(&arguments);
    both.env("AWS_REGION", "eu-west-1");
    both.env("AWS_DEFAULT_REGION", "eu-west-2");
    assert!(printed(both).contains("%2Feu-west-1%2Frds-db%2F"));
    let mut default = rdsign(&arguments);
    default.env("AWS_REGION", "");
    default.env("AWS_DEFAULT_REGION", "eu-west-2");
    assert!(printed(default).contains("%2Feu-west-2%2Frds-db%2F"));
    let (status, message) = error(rdsign(&arguments));
    assert_eq!(status, 2);
    assert!(
        message.starts_with("rdsign: REGION_REQUIRED: region: "),
        "{message}"
    );
}

#[test]
fn invalid_input_ends_with_2_its_code_and_the_field() {
    for (flags, code, field) in [
        (
            ["--hostname", "https://x"],
            "INVALID_HOSTNAME",
            "hostname: ",
        ),
        (["--port", "-1"], "INVALID_PORT", "port: -1 "),
        (["--port", "65536"], "INVALID_PORT", "port: 65536 "),
        (["--username", ""], "INVALID_USERNAME", "username: "),
        (["--region", "EU"], "INVALID_REGION", "region: "),
        (["--region", "eu-west-1"], "REGION_MISMATCH", "region: "),
        (
            ["--expires-in", "901"],
            "INVALID_EXPIRES_IN",
            "expires in: 901",
        ),
        (
            ["--signing-time", "noon"],
            "INVALID_SIGNING_TIME",
            "signing time: ",
        ),
    ] {
        let mut arguments: Vec<&str> = FLAGS.to_vec();
        match arguments.iter().position(|flag| *flag == flags[0]) {
            Some(at) => arguments[at + 1] = flags[1],
            None => arguments.extend(flags),
        }
        let (status, message) = error(rdsign(&[&["token"], &arguments[..]].concat()));
        assert_eq!(status, 2, "{message}");
        let start = format!("rdsign: {code}: {field}");
        assert!(message.starts_with(&start), "{message}");
    }
}

#[test]
fn an_invalid_port_in_the_environment_is_quoted() {
    let mut command = rdsign(&["token", "--hostname", HOST, "--username", "u"]);
    command.env("PGPORT", "fünf");
    let (status, message) = error(command);
    assert_eq!(status, 2);
    assert!(
        message.contains("INVALID_PORT") && message.contains("fünf"),
        "{message}"
    );
}

#[test]
fn a_missing_field_is_named() {
    let (status, message) = error(rdsign(&["token"]));
    assert_eq!(status, 2);
    assert!(
        message.starts_with("rdsign: INVALID_HOSTNAME: "),
        "{message}"
    );
    let (_, message) = error(rdsign(&["token", "--hostname", HOST]));
    assert!(
        message.starts_with("rdsign: INVALID_USERNAME: "),
        "{message}"
    );
}

#[test]
fn errors_for_the_command_line_name_the_field_and_what_is_accepted() {
    for (arguments, message) in [
        (
            vec!["token"],
            "INVALID_HOSTNAME: hostname: missing; accepted: the host name of an RDS or DSQL endpoint \
             (--hostname or PGHOST)",
        ),
        (
            vec!["token", "--hostname", "a:5432,b:5432"],
            "INVALID_HOSTNAME: hostname: \"a:5432,b:5432\" is a list of hosts; accepted: ",
        ),
        (
            vec!["token", "--hostname", HOST],
            "INVALID_USERNAME: username: missing; accepted: a database user name without control \
             characters (--username or PGUSER)",
        ),
        (
            vec!["token", "--port", "abc"],
            "INVALID_PORT: port: \"abc\" is not a port; accepted: 1 to 65535 (--port or PGPORT)",
        ),
        (
            vec![
                "token",
                "--region",
                "us-east-2b",
                "--hostname",
                "a.example",
                "--username",
                "u",
            ],
            "INVALID_REGION: region: \"us-east-2b\" is an availability zone; accepted: its region, \
             us-east-2",
        ),
        (
            vec!["token", "--expires-in", "15m"],
            "expires in: \"15m\" is not a number of seconds; accepted: 1 to 900",
        ),
        (
            vec!["token", "--credentials-timeout", "-1"],
            "credentials timeout: \"-1\" is not a number of seconds; accepted: more than 0",
        ),
        (
            vec!["proxy", "--drain", "-1"],
            "drain: \"-1\" is not a number of seconds; accepted: 0 to 86400",
        ),
        (
            vec!["proxy", "--any-user=true"],
            "--any-user: a value was given; accepted: --any-user without one",
        ),
        (
            vec!["doctor", "--timeout", "0"],
            "timeout: \"0\" is not a number of seconds; accepted: 1 to 600",
        ),
        (
            vec!["doctor", "--hostaddr", "localhost"],
            "hostaddr: \"localhost\" is not an IP address; accepted: an IPv4 or IPv6 address",
        ),
        (
            vec!["exec", "--hostport", "0", "psql"],
            "hostport: \"0\" is not a port; accepted: 1 to 65535",
        ),
        (
            vec!["local", "--port", "http"],
            "port: \"http\" is not a port; accepted: 1 to 65535",
        ),
        (
            vec!["local", "--", "no-such-program-0815"],
            "no-such-program-0815: No such file or directory",
        ),
        (
            vec!["token", "--prot", "1"],
            "--prot: unknown; accepted: --port",
        ),
        (
            vec!["token", "--host", "x"],
            "--host: unknown; accepted: --hostname",
        ),
        (
            vec!["policy", "check", "--user=x", "x"],
            "--user: unknown; accepted: --username",
        ),
        (
            vec!["local", "--host", "x"],
            "--host: unknown; accepted: what `rdsign local --help` lists",
        ),
        (
            vec!["token", "extra"],
            "extra: unknown; accepted: what `rdsign token --help` lists",
        ),
        (
            vec!["local", "psql", "-c", "select 1"],
            "psql: unknown; accepted: -- psql",
        ),
        (
            vec!["token", "--hostname"],
            "--hostname: has no value; accepted: --hostname <HOST>",
        ),
        (
            vec!["token", "--port", "1", "--port", "2"],
            "--port: given twice; accepted: once",
        ),
        (
            vec!["tokn"],
            "command: \"tokn\" is unknown; accepted: token",
        ),
        (vec!["exec"], "COMMAND: missing; accepted: rdsign exec "),
        (
            vec!["completions", "tcsh"],
            "SHELL: \"tcsh\" is unknown; accepted: bash, elvish, fish, powershell, zsh",
        ),
        (
            vec!["pgpass", "--dbname", "a\nb"],
            "dbname: \"a\\nb\" contains a control character",
        ),
    ] {
        let (status, text) = error(rdsign(&arguments));
        let expected = if arguments.contains(&"no-such-program-0815") {
            127
        } else {
            2
        };
        assert_eq!(status, expected, "{arguments:?}");
        let start = format!("rdsign: {message}");
        assert!(text.starts_with(&start), "{arguments:?}: {text}");
        assert_eq!(text.lines().count(), 1, "{text}");
    }
}

#[test]
fn exec_needs_no_dashes_before_the_program() {
    for words in [
        &[
            "sh",
            "-c",
            "echo $PGUSER $PGDATABASE $1 $2",
            "sh",
            "--dbname",
            "x",
        ][..],
        &[
            "--",
            "sh",
            "-c",
            "echo $PGUSER $PGDATABASE $1 $2",
            "sh",
            "--dbname",
            "x",
        ],
    ] {
        let flags = [
            "exec",
            "--hostname",
            HOST,
            "--username",
            "u",
            "--dbname",
            "app",
        ];
        let mut command = rdsign(&[&flags[..], words].concat());
        command.env("PATH", "/usr/bin:/bin");
        command.env("HOME", std::env::temp_dir());
        assert_eq!(printed(command), "u app --dbname x\n");
    }
}

#[test]
fn missing_keys_end_with_1_and_list_the_sources() {
    let mut command = with_flags("token", &[]);
    command.env_remove("AWS_ACCESS_KEY_ID");
    command.env_remove("AWS_SECRET_ACCESS_KEY");
    let (status, message) = error(command);
    assert_eq!(status, 1);
    assert!(
        message.starts_with("rdsign: CREDENTIALS_NOT_FOUND: "),
        "{message}"
    );
    for source in [
        "environment: AWS_ACCESS_KEY_ID is not set.",
        "profile: ",
        "web identity: ",
        "container: ",
        "instance metadata: ",
    ] {
        assert!(message.contains(source), "{message}");
    }
}

#[test]
fn credentials_shows_neither_secret_nor_session_token() {
    let mut command = rdsign(&["credentials"]);
    command.env("AWS_SESSION_TOKEN", "sessiontoken");
    command.env("AWS_CREDENTIAL_EXPIRATION", "2031-01-01T00:00:00Z");
    let shown = printed(command);
    for part in ["environment", "akid (temporary)", "2031-01-01T00:00:00Z"] {
        assert!(shown.contains(part), "{shown}");
    }
    assert!(!shown.contains("secret") && !shown.contains("sessiontoken"));
}

#[test]
fn the_kind_of_a_key_is_that_of_its_prefix() {
    for (id, session_token, shown, kind, warning) in [
        (
            "ASIAEXAMPLE000000001",
            "",
            "temporary; session token missing",
            "temporary",
            "session token: missing, ",
        ),
        ("ASIAEXAMPLE000000001", "x", "temporary", "temporary", ""),
        (
            "AKIAEXAMPLE000000001",
            "x",
            "long-lived; session token of another key",
            "long-lived",
            "session token: belongs ",
        ),
        ("AKIAEXAMPLE000000001", "", "long-lived", "long-lived", ""),
        ("akid", "x", "temporary", "temporary", ""),
    ] {
        let run = |arguments: &[&str]| {
            let mut command = rdsign(arguments);
            command.env("AWS_ACCESS_KEY_ID", id);
            command.env("AWS_SESSION_TOKEN", session_token);
            let output = command.output().unwrap();
            let text = |bytes| String::from_utf8(bytes).unwrap();
            (text(output.stdout), text(output.stderr))
        };
        let (text, warnings) = run(&["credentials"]);
        assert!(
            text.contains(&format!("\naccess key id:  {id} ({shown})\n")),
            "{text}"
        );
        assert_eq!(warnings.is_empty(), warning.is_empty(), "{warnings}");
        assert!(warnings.contains(warning), "{warnings}");
        let (json, _) = run(&["credentials", "--json"]);
        assert!(json.contains(&format!("\"kind\": \"{kind}\"")), "{json}");
    }
}

#[test]
fn no_flag_accepts_keys() {
    for flag in ["--access-key-id", "--secret-access-key", "--session-token"] {
        let (status, _) = error(with_flags("token", &[flag, "x"]));
        assert_eq!(status, 2);
    }
}

#[test]
fn completions_know_the_commands() {
    for shell in ["bash", "zsh", "fish"] {
        let script = printed(rdsign(&["completions", shell]));
        assert!(script.contains("generate-db-auth-token"), "{shell}");
    }
}

#[test]
fn help_shows_an_example() {
    let help = printed(rdsign(&["token", "--help"]));
    assert!(help.contains("PGPASSWORD=$(rdsign token"), "{help}");
}
