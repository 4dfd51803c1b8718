//! `rdsign inspect` as users call it: where the token comes from, what it is compared with, the
//! report and the exit status. No output may contain a secret; `run` checks that.

#![expect(clippy::unwrap_used, reason = "a helper that panics fails its test")]

use assert_cmd::Command;

const HOST: &str = "mydb.abc123.eu-central-1.rds.amazonaws.com";
const KEY: &str = "ASIAIOSFODNN7EXAMPLE";
const SECRET: &str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
const SESSION_TOKEN: &str = "IQoJb3JpZ2luX2VjEPlantedSessionToken//////////wEaCWV1LWNlbnRyYWw+a==";
const SIGNED: &str = "2024-08-26T22:00:00Z";
const A_MINUTE_LATER: &str = "2024-08-26T22:01:00Z";

/// Runs rdsign with temporary keys and an otherwise empty environment.
fn rdsign(arguments: &[&str]) -> Command {
    let mut command = Command::cargo_bin("rdsign").unwrap();
    command.env_clear().args(arguments);
    command.env("AWS_ACCESS_KEY_ID", KEY);
    command.env("AWS_SECRET_ACCESS_KEY", SECRET);
    command.env("AWS_SESSION_TOKEN", SESSION_TOKEN);
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

impl Output {
    /// Returns the ids of the findings, in order.
    fn ids(&self) -> Vec<&str> {
        let lines = self.stdout.lines();
        let ids = lines.filter_map(|line| {
            line.strip_prefix("error: ")
                .or(line.strip_prefix("warning: "))
        });
        ids.collect()
    }
}

/// Runs the command, and checks that its output contains no secret and no long line.
fn run(mut command: Command) -> Output {
    let output = command.output().unwrap();
    let output = Output {
        status: output.status.code().unwrap(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    };
    for text in [&output.stdout, &output.stderr] {
        for secret in [SECRET, SESSION_TOKEN, &signature(), "hunter2"] {
            let length = secret.len().min(16);
            for start in 0..=secret.len() - length {
                assert!(!text.contains(&secret[start..start + length]), "{text}");
            }
        }
        assert!(!text.contains('\x1b'), "{text}");
    }
    if !output.stdout.starts_with('{') {
        for line in output.stdout.lines() {
            assert!(line.chars().count() <= 80, "{line}");
        }
    }
    output
}

fn token_for(arguments: &[&str]) -> String {
    let own = ["token", "--username", "iam_user", "--signing-time", SIGNED];
    let output = rdsign(&[&own, arguments].concat()).output().unwrap();
    assert!(output.status.success());
    String::from_utf8(output.stdout)
        .unwrap()
        .trim_end()
        .to_owned()
}

fn token() -> String {
    token_for(&["--hostname", HOST])
}

fn signature() -> String {
    token().split("X-Amz-Signature=").nth(1).unwrap().to_owned()
}

/// Inspects text from standard input, as of a minute after the token was signed.
fn inspect(text: &str, arguments: &[&str]) -> Output {
    let mut command = rdsign(&[&["inspect", "-", "--at", A_MINUTE_LATER], arguments].concat());
    command.write_stdin(text);
    run(command)
}

#[test]
fn a_valid_token_is_printed_with_status_0() {
    let output = inspect(&token(), &["--verify"]);
    assert_eq!((output.status, output.stderr.as_str()), (0, ""));
    assert_eq!(
        output.stdout,
        "hostname:       mydb.abc123.eu-central-1.rds.amazonaws.com\n\
         port:           5432\n\
         username:       iam_user\n\
         region:         eu-central-1\n\
         access key id:  ASIAIOSFODNN7EXAMPLE (temporary)\n\
         signed at:      2024-08-26T22:00:00Z\n\
         expires at:     2024-08-26T22:15:00Z\n\
         time left:      14 min\n\
         signature:      right\n\
         \n\
         No problems found.\n"
    );
}

const CLUSTER: &str = "4abcdefghijklmnopqrstuvwxy.dsql.eu-central-1.on.aws";

#[test]
fn a_valid_token_for_dsql_shows_its_action_instead_of_port_and_user() {
    let text = token_for(&["--hostname", CLUSTER]);
    let flags = ["--verify", "--port", "5433", "--username", "iam_user"];
    let output = inspect(&text, &flags);
    assert_eq!((output.status, output.stderr.as_str()), (0, ""));
    assert_eq!(
        output.stdout,
        "hostname:       4abcdefghijklmnopqrstuvwxy.dsql.eu-central-1.on.aws\n\
         action:         DbConnect\n\
         region:         eu-central-1\n\
         service:        dsql\n\
         access key id:  ASIAIOSFODNN7EXAMPLE (temporary)\n\
         signed at:      2024-08-26T22:00:00Z\n\
         expires at:     2024-08-26T22:15:00Z\n\
         time left:      14 min\n\
         signature:      right\n\
         \n\
         No problems found.\n"
    );
    let output = inspect(&text, &["--username", "admin", "--json"]);
    let report: serde_json::Value = serde_json::from_str(&output.stdout).unwrap();
    let none = serde_json::Value::Null;
    assert_eq!((&report["port"], &report["username"]), (&none, &none));
    assert_eq!(report["action"], "DbConnect");
    assert_eq!(report["findings"][0]["id"], "wrong-user");
    let problem = report["findings"][0]["problem"].as_str().unwrap();
    assert!(problem.contains("DbConnectAdmin"), "{problem}");
}

#[test]
fn a_token_of_the_other_service_is_named_as_such() {
    let of_rds = token_for(&["--hostname", HOST]).replace(HOST, CLUSTER);
    let output = inspect(&of_rds, &[]);
    assert_eq!(
        (output.status, output.ids()),
        (1, vec!["wrong-region-or-service"])
    );
    let says = "It is signed for the service rds-db, but a login needs the service dsql.";
    assert!(output.stdout.contains(says), "{}", output.stdout);
    let of_dsql = token_for(&["--hostname", CLUSTER]).replace(CLUSTER, HOST);
    assert_eq!(inspect(&of_dsql, &[]).ids(), ["dsql-token"]);
    let alias = ["--hostname", "db.example.com", "--region", "eu-central-1"];
    let of_alias = token_for(&[&alias[..], &["--service", "dsql"]].concat());
    assert_eq!(inspect(&of_alias, &[]).ids(), ["not-an-rds-host"]);
    let output = inspect(&of_alias, &["--service", "rds"]);
    assert_eq!(output.ids(), ["dsql-token", "not-an-rds-host"]);
}

#[test]
fn a_finding_is_printed_with_advice_and_status_1() {
    let output = inspect(
        &token_for(&["--hostname", "localhost", "--region", "eu-central-1"]),
        &[],
    );
    assert_eq!((output.status, output.ids()), (1, vec!["loopback-host"]));
    let end = "error: loopback-host\n  \
               It is signed for localhost: this machine, or the local end of a tunnel.\n  \
               Sign for the endpoint that RDS shows, such as\n";
    assert!(output.stdout.contains(end), "{}", output.stdout);
}

#[test]
fn warnings_alone_end_with_0() {
    let output = inspect(&token_for(&["--hostname", HOST, "--port", "15432"]), &[]);
    assert_eq!((output.status, output.ids()), (0, vec!["unusual-port"]));
}

#[test]
fn the_argument_overrides_pgpassword_which_overrides_standard_input() {
    let now = ["--at", A_MINUTE_LATER];
    let token = token();
    let mut argument = rdsign(&[&["inspect", token.as_str()], &now[..]].concat());
    argument.env("PGPASSWORD", "hunter2").write_stdin("hunter2");
    assert_eq!(run(argument).status, 0);
    let mut password = rdsign(&[&["inspect"], &now[..]].concat());
    password.env("PGPASSWORD", &token).write_stdin("hunter2");
    assert_eq!(run(password).status, 0);
    let mut dash = rdsign(&[&["inspect", "-"], &now[..]].concat());
    dash.env("PGPASSWORD", "hunter2")
        .write_stdin(token.as_str());
    assert_eq!(run(dash).status, 0);
    for password in [None, Some("")] {
        let mut input = rdsign(&[&["inspect"], &now[..]].concat());
        input.envs(password.map(|text| ("PGPASSWORD", text)));
        input.write_stdin(token.as_str());
        assert_eq!(run(input).status, 0);
    }
}

#[test]
fn one_trailing_newline_on_standard_input_is_ignored() {
    assert_eq!(inspect(&format!("{}\n", token()), &[]).status, 0);
    assert_eq!(
        inspect(&format!("{}\n\n", token()), &[]).ids(),
        ["white-space"]
    );
    assert_eq!(
        inspect(&format!("{}\r\n", token()), &[]).ids(),
        ["white-space"]
    );
    let mut argument = rdsign(&["inspect", "--at", A_MINUTE_LATER]);
    argument.env("PGPASSWORD", format!("{}\n", token()));
    assert_eq!(run(argument).ids(), ["white-space"]);
}

#[test]
fn a_password_is_not_repeated() {
    for text in [
        "hunter2",
        "hunter2/?hunter2=hunter2",
        "postgres://u:hunter2@h:1/d?x-amz-hunter2",
    ] {
        let output = inspect(text, &["--verify"]);
        assert_eq!(output.status, 1);
        let json = inspect(text, &["--json"]);
        assert_eq!(json.status, 1);
    }
}

#[test]
fn bytes_that_are_not_utf_8_are_accepted() {
    let mut command = rdsign(&["inspect", "-"]);
    command.write_stdin(&b"\xff\xfe\x00\x80?X-Amz-Date=\xff"[..]);
    assert_eq!(run(command).status, 1);
}

#[test]
fn empty_input_is_a_finding() {
    assert_eq!(inspect("", &[]).ids(), ["empty"]);
}

#[test]
fn json_has_the_parts_and_the_findings() {
    let output = inspect(&format!("\"{}\"", token()), &["--json", "--verify"]);
    assert_eq!(output.status, 1);
    let json: serde_json::Value = serde_json::from_str(&output.stdout).unwrap();
    assert_eq!(json["hostname"], HOST);
    assert_eq!(json["seconds_left"], 840);
    assert_eq!(json["signature"], "right");
    let ids: Vec<_> = json["findings"].as_array().unwrap().iter().collect();
    assert_eq!(ids.len(), 1);
    assert_eq!(
        (&ids[0]["id"], &ids[0]["severity"]),
        (&"quoted".into(), &"error".into())
    );
}

#[test]
fn the_token_is_compared_with_libpq_s_variables() {
    let at = ["inspect", "--at", A_MINUTE_LATER];
    let with = |variables: &[(&str, &str)]| {
        let mut command = rdsign(&at);
        command.env("PGPASSWORD", token());
        command.envs(variables.iter().copied());
        run(command)
    };
    let output = with(&[("PGHOST", HOST), ("PGPORT", "5432"), ("PGUSER", "iam_user")]);
    assert_eq!(output.status, 0);
    assert!(
        output
            .stdout
            .contains("\ncompared with:  PGHOST, PGPORT, PGUSER\n")
    );
    let other = "other.abc123.eu-central-1.rds.amazonaws.com";
    let output = with(&[("PGHOST", other), ("PGUSER", "other")]);
    assert_eq!(output.ids(), ["wrong-endpoint", "wrong-user"]);
    assert_eq!(
        with(&[("PGHOST", HOST), ("PGPORT", "5433")]).ids(),
        ["wrong-endpoint"]
    );
    // A tunnel's address is dialed; no token is signed for it.
    assert_eq!(
        with(&[("PGHOST", "localhost"), ("PGPORT", "15432")]).status,
        0
    );
    let tunnel = [
        ("PGHOST", HOST),
        ("PGHOSTADDR", "127.0.0.1"),
        ("PGPORT", "15432"),
    ];
    assert_eq!(with(&tunnel).status, 0);
    // The tunnel's port was signed for by mistake, but RDS on this machine listens on any free port.
    let mut command = rdsign(&at);
    command.env(
        "PGPASSWORD",
        token_for(&["--hostname", HOST, "--port", "15432"]),
    );
    command.envs(tunnel);
    let mut here = rdsign(&at);
    here.envs(
        command
            .get_envs()
            .filter_map(|(name, value)| Some((name, value?))),
    );
    assert_eq!(run(command).ids(), ["unusual-port"]);
    here.env("RDSIGN_LOCAL_LOG", "log");
    assert_eq!(run(here).ids(), [""; 0]);
}

#[test]
fn flags_override_libpq_s_variables() {
    let mut command = rdsign(&[
        "inspect",
        "-",
        "--at",
        A_MINUTE_LATER,
        "--hostname",
        HOST,
        "--port",
        "5432",
        "--username",
        "iam_user",
    ]);
    let other = "other.abc123.eu-central-1.rds.amazonaws.com";
    command
        .env("PGHOST", other)
        .env("PGPORT", "1")
        .env("PGUSER", "other");
    command.write_stdin(token());
    let output = run(command);
    assert_eq!((output.status, output.ids()), (0, vec![]));
}

#[test]
fn pgpassword_implies_a_postgresql_driver() {
    let token = token_for(&["--hostname", HOST, "--port", "3306"]);
    let mut command = rdsign(&["inspect", "--at", A_MINUTE_LATER]);
    command.env("PGPASSWORD", &token);
    assert_eq!(run(command).ids(), ["port-of-another-driver"]);
    assert_eq!(inspect(&token, &[]).ids(), [""; 0]);
    let output = inspect(&token, &["--driver", "postgresql"]);
    assert_eq!(output.ids(), ["port-of-another-driver"]);
    assert_eq!(inspect(&token, &["--driver", "mysql"]).ids(), [""; 0]);
}

#[test]
fn verify_reports_another_key_secret_or_session_token() {
    let verify = |name: &str, value: &str| {
        let mut command = rdsign(&["inspect", "-", "--verify", "--at", A_MINUTE_LATER]);
        command.env(name, value).write_stdin(token());
        run(command)
    };
    let output = verify("AWS_ACCESS_KEY_ID", "AKIAANOTHEREXAMPLE00");
    assert_eq!(
        (output.status, output.ids()),
        (0, vec!["unknown-access-key"])
    );
    assert!(
        output.stdout.contains("AKIAANOTHEREXAMPLE00"),
        "{}",
        output.stdout
    );
    let output = verify("AWS_SECRET_ACCESS_KEY", "another");
    assert_eq!((output.status, output.ids()), (1, vec!["wrong-signature"]));
    assert!(output.stdout.contains("\nsignature:      wrong\n"));
    let output = verify("AWS_SESSION_TOKEN", "another");
    assert_eq!(
        (output.status, output.ids()),
        (1, vec!["wrong-session-token"])
    );
}

#[test]
fn verify_without_credentials_prints_the_report_and_ends_with_1() {
    let mut command = rdsign(&["inspect", "-", "--verify", "--at", A_MINUTE_LATER]);
    command.env_remove("AWS_ACCESS_KEY_ID").write_stdin(token());
    let output = run(command);
    assert_eq!(output.status, 1);
    assert!(output.stdout.contains("\nsignature:      not checked\n"));
    assert!(output.stderr.starts_with("rdsign: CREDENTIALS_NOT_FOUND: "));
}

#[test]
fn control_characters_of_a_username_do_not_reach_the_terminal() {
    let text = token().replace("iam_user", "a%1B%5B31m%0Ab");
    let output = inspect(&text, &[]);
    assert!(
        output
            .stdout
            .contains(r#"username:       "a\u{1b}[31m\nb""#),
        "{}",
        output.stdout
    );
}

#[test]
fn invalid_flags_end_with_2() {
    for (flag, value, message) in [
        ("--at", "noon", "noon"),
        ("--hostname", "https://x", "INVALID_HOSTNAME"),
        ("--port", "0", "INVALID_PORT"),
        ("--port", "x", "--port"),
        ("--region", "EU", "INVALID_REGION"),
        ("--driver", "oracle", "--driver"),
    ] {
        let mut command = rdsign(&["inspect", "-", flag, value]);
        command.write_stdin(token());
        let output = run(command);
        assert_eq!((output.status, output.stdout.as_str()), (2, ""), "{flag}");
        assert!(output.stderr.contains(message), "{}", output.stderr);
    }
}

#[test]
fn help_fits_80_columns() {
    for arguments in [&["inspect", "--help"][..], &["policy", "--help"]] {
        let output = run(rdsign(arguments));
        assert!(output.status == 0 && output.stdout.contains("Examples:"));
    }
}

/// `script` runs the command in a terminal.
#[test]
fn only_terminals_that_show_colours_get_them() {
    let binary = assert_cmd::cargo::cargo_bin("rdsign");
    let on_a_terminal = |variable: (&str, &str)| {
        let mut command = Command::new("script");
        let inspect = format!("{} inspect '***'", binary.display());
        command.args(["--quiet", "--return", "--command", &inspect, "/dev/null"]);
        command
            .env_clear()
            .env("TERM", "xterm")
            .env(variable.0, variable.1);
        let output = command.output().unwrap();
        assert_eq!(output.status.code(), Some(1));
        String::from_utf8(output.stdout).unwrap()
    };
    let red = "\x1b[1;31merror\x1b[0m: masked";
    assert!(on_a_terminal(("NO_COLOR", "")).contains(red));
    for variable in [("NO_COLOR", "1"), ("TERM", "dumb")] {
        let output = on_a_terminal(variable);
        assert!(output.contains("error: masked"), "{output}");
        assert!(!output.contains('\x1b'), "{output}");
    }
}
