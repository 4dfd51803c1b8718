//! Checks the arguments of PostgreSQL's programs: a row is a command line, with `|` between its words.
//! The token is for `iam_user` at `db.example:5432`, and a tunnel's port is 15432.

use rdsign::libpq::{Login, check_arguments};
use rdsign::{Error, ErrorCode};

const LOGIN: Login<'_> = Login {
    hostname: "db.example",
    ports: &[5432, 15432],
    username: Some("iam_user"),
    sslmode: None,
};

fn check(line: &str) -> Result<(), Error> {
    let words: Vec<_> = line.split('|').collect();
    check_arguments(words[0], &words[1..], LOGIN)
}

#[test]
fn arguments_that_keep_to_the_endpoint_are_accepted() {
    for line in [
        "psql",
        "psql|-d|postgres|-c|select 'host=other'",
        "psql|-h|DB.example|app",
        "psql|-XAtc|select 1|host=db.example dbname=app",
        "psql|postgresql://iam_user@db.example:15432/app?application_name=x",
        "psql|postgres:///app",
        "psql|sslmode=verify-full hostaddr=127.0.0.1",
        "psql|-c|\\c postgres|-c|\\connect app iam_user",
        "psql|-c|select * from t where host = 'x'",
        "psql|postgresql:///app?target_session_attrs=any&keepalives=1",
        "psql|-h||-d|app",
        "psql|-v|name=value",
        "pg_dump|-nhr|-fhost.sql",
        "vacuumdb|-fzv|app",
        "pg_dump|-Fd|-j3|-thosts|-f|x|app",
        "/usr/bin/pg_restore|--host=db.example|-d|app|file",
        "sh|-c|psql -h other",
        "other|-h|other|service=x",
        "psql|dbname=app gssencmode=disable",
        "psql|host='db.example' dbname='a b' options='p host=x'",
        "psql|host=other host=DB.example.",
        "psql|postgresql:///app?gssencmode=disable&ssl_min_protocol_version=TLSv1.3&sslcrldir=x",
        "psql|postgresql://iam_user:@db.example:5432/app?sslcertmode=allow&sslpassword=x&requirepeer=x",
        "psql|postgresql:///app?max_protocol_version=3.2&krbsrvname=x&gssdelegation=0",
        "psql|-v|service=billing|-f|x.sql",
        "psql|-vservice=billing|-Xv|host=x",
        "psql|--set=host=web1|--variable|sslmode=x|--set|-h|app",
        "pgbench|-D|service=3|--define=host=x|--define|host=x",
        "psql|-c|-- host = x|--command|select a = b c|--command=select a = b c",
        "pg_dump|-t|--host|app",
        "pg_restore|-f|-h|app",
        "pg_dump|-F|--cluster|app",
        "psql|-c|\\c \"my db\" iam_user",
        "pg_dump|--verbose|--file=my dump|--file|a = b c|app",
        "env|PGAPPNAME=x|psql|app",
        "env|PGHOST=db.example|PGSSLMODE=verify-full|psql",
        "sudo|-u|postgres|psql|-h|db.example",
        "timeout|5|sh|-c|psql -h other",
        "psql-17|-h|db.example",
        "psql|-U|iam_user|-p5432|--port|15432|--username=iam_user",
        "psql|-U||-p||app|iam_user",
        "psql|user=iam_user port=' 5432' password=''",
        "psql|-d|app|--pset|x=y|--command|select 1|iam_user",
        "psql|-d|app|iam_user|other",
        "psql|-U|iam_user|app|other",
        "psql|app|other|--u=iam_user",
        "psql|--d|app|-Uiam_user|other",
        "pg_dump|--use-set-session-authorization|app",
        "createuser|-p|5432|other",
        "pgcli|-u|iam_user|app",
        "pg_createsubscriber|-p|50432|-U|other|-P|port=5432",
        "pg_dump|--po=5432|--user|iam_user|app",
        "env|PGUSER=iam_user|PGPORT=15432|PGPASSWORD=|psql",
        "other|-U|other|-p|1",
    ] {
        assert_eq!(check(line), Ok(()), "{line}");
    }
}

#[test]
fn arguments_with_which_the_server_would_refuse_the_token_are_refused() {
    use ErrorCode::{InvalidCredentials, InvalidHostname, InvalidPort, InvalidUsername};
    let user = r#"user: "other" is not the user that the token is signed for, "iam_user"; accepted: "iam_user", or no user"#;
    let port = r#"port: "5433" is not the port that the token is signed for, 5432; accepted: 5432, or no port"#;
    let password = "password: would replace the token; accepted: no password";
    for (line, code, message) in [
        ("psql|-U|other", InvalidUsername, user),
        ("psql|-XAtUother", InvalidUsername, user),
        ("psql|app|other", InvalidUsername, user),
        ("psql|-X|app|-c|select 1|other", InvalidUsername, user),
        ("psql|-d|app|other", InvalidUsername, user),
        ("psql|other|-dapp", InvalidUsername, user),
        ("psql|--dbname=app|other", InvalidUsername, user),
        ("psql|--d|app|other", InvalidUsername, user),
        ("psql|--u|other", InvalidUsername, user),
        ("psql|--use=other", InvalidUsername, user),
        ("pg_dump|--user=other|app", InvalidUsername, user),
        ("pgcli|-u|other", InvalidUsername, user),
        ("psql|postgres://other@/app", InvalidUsername, user),
        ("psql|dbname=app user=other", InvalidUsername, user),
        ("env|PGUSER=other|psql", InvalidUsername, user),
        ("psql|user=''", InvalidUsername, r#"user: "" is not"#),
        ("psql|-p|5433", InvalidPort, port),
        ("psql|--po|5433", InvalidPort, port),
        ("pgbench|-np5433", InvalidPort, port),
        ("psql|postgresql://db.example:5433/app", InvalidPort, port),
        ("nice|env|PGPORT=5433|psql", InvalidPort, port),
        ("psql|-p|none", InvalidPort, r#"port: "none" is not"#),
        ("psql|port=5432,5432", InvalidPort, "port: "),
        ("psql|password=x", InvalidCredentials, password),
        ("psql|postgres://iam_user:x@/", InvalidCredentials, password),
        ("env|PGPASSWORD=x|psql", InvalidCredentials, password),
        // The server comes first.
        ("psql|host=x port=1 user=x", InvalidHostname, "host: "),
        ("psql|port=1 sslmode=allow", InvalidHostname, "sslmode: "),
    ] {
        let error = check(line).expect_err(line);
        assert_eq!(error.code(), code, "{line}");
        assert!(error.message().starts_with(message), "{line}: {error}");
    }
}

#[test]
fn without_a_username_every_user_and_a_password_are_accepted() {
    let login = Login {
        ports: &[],
        username: None,
        ..LOGIN
    };
    let words = ["-p", "1", "-U", "other", "user=other password=x port=1"];
    assert_eq!(check_arguments("psql", &words, login), Ok(()));
}

#[test]
fn arguments_that_name_another_server_are_refused() {
    for line in [
        "psql|-h|other",
        "psql|-hother",
        "psql|-XAth|other",
        "psql|--host=other",
        "psql|--ho|other",
        "/usr/lib/postgresql/15/bin/psql|-d|host=other",
        "psql|--dbname|host = other dbname=app",
        "psql|app=x service=dev",
        "psql|dbname='a b' host='other'",
        "psql|sslmode=require",
        "psql|host='' dbname=app",
        "psql|dbname=app host=",
        "psql|postgresql:///app?host=",
        "psql|-h|/tmp",
        "psql|--cluster|15/main",
        "vacuumdb|--cluster=15/other:5432",
        "pg_createsubscriber|-P|host=other",
        "psql|postgresql://%2Ftmp/app",
        "psql|postgresql://iam_user:x@other/app",
        "psql|postgres://db.example,other/app",
        "psql|postgres:///app?host=other",
        "psql|postgres:///app?%68ost=other",
        "psql|postgres://db.example/app?sslmode=disable",
        "psql|postgres://[::1]/app",
        "pg_dump|-d|service=dev",
        "pgbench|-h|other|app",
        "pg_dump|-v|host=127.0.0.1 sslmode=disable",
        "pg_dump|-c|-h|other",
        "dropdb|-f|-h|other|app",
        "psql|requiressl=0 hostaddr=127.0.0.1",
        "psql|postgresql:///app?requiressl=0&hostaddr=127.0.0.1",
        "psql|postgresql:///app?ssl=true",
        "psql|gssencmode=require",
        "vacuumdb|--all|--maintenance-db=host=127.0.0.1 sslmode=disable",
        "pg_dumpall|--database=host=other",
        "pg_dumpall|-lhost=other",
        "pg_dump|-vhother",
        "pg_dump|-vdhost=other sslmode=disable",
        "pgbench|-ih|other",
        "psql|-o|-c|host=other sslmode=disable",
        "psql|dbname='a\\' x=' host=127.0.0.1 sslmode=disable",
        "psql|postgresql://db.example:5?a@other/app",
        "psql|postgresql://db.example?host=other",
        "psql|-c|\\c \"host=other\"",
        "psql|-c|\\connect app iam_user other",
        "psql|-c\\c postgres://other/app",
        "vacuumlo|-h|other|app",
        "pg_rewind|--source-server=host=other",
        "psql|app=x user=y sslmode = disable",
        // Lists of hosts.
        "psql|postgresql://db.example:1,other:2/app",
        "psql|postgresql://db.example,db.example/app",
        "psql|postgresql://db.example%2Cother/app",
        "vacuumdb|--maintenance-db|postgresql://db.example:1,other:2/app",
        "psql|host='db.example ,other' port=1,2 dbname=app",
        "psql|host=db.example',other port=1,2",
        "psql|host=db.example\\ ,other",
        "psql|dbname=app host=db.example host=other",
        "psql|dbname='host=other'",
        "psql|dbname=app host",
        // Short and other options for the host.
        "vacuumdb|--h=other",
        "reindexdb|--h|other",
        "oid2name|-H|other|-d|app",
        "oid2name|-Hother",
        "pgcli|-h|other",
        "pgcli|-D|prod",
        "pgcli|--dsn|prod",
        // Values that look like options, and options in long groups.
        "psql|-aAbeEnqsSdhost=127.0.0.1 sslmode=disable",
        "psql|-aAbeEnqsShother",
        "psql|-v|-x|host=other",
        "psql|--variab|-v|host=other",
        "psql|--variab|x=y|-h|other",
        "pg_dumpall|--schema|-h|other",
        "pgbench|-d|-h|other",
        "pgbench|-dhost=other",
        "pgbench|-d|host=other",
        "psql|--comm=\\c app u other",
        "psql|--comm|\\c app u other",
        "psql|--|host=other",
        "psql|-c|--|-h|other",
        "psql|--|-v|host=other",
        // Programs that run another, and names with a version.
        "env|psql|-h|other",
        "/usr/bin/env|-i|PGHOST=other|psql",
        "env|PGSSLMODE=disable|psql",
        "env|PGSERVICE=dev|psql",
        "env|-u|PGSSLMODE|psql",
        "env|--unset=PGSSLMODE|psql",
        "env|-uPGGSSENCMODE|psql",
        "env|PGDATABASE=host=other|vacuumdb",
        "sudo|-E|nice|-n|5|env|psql|-h|other",
        "timeout|5|psql|-h|other",
        "psql15|-h|other",
        "/usr/bin/psql-17.2|-h|other",
    ] {
        assert!(check(line).is_err(), "{line}");
    }
}

#[test]
fn a_connection_string_in_a_connection_string_is_refused_at_any_depth() {
    for text in [
        "postgresql:///postgresql:///app".to_owned(),
        "dbname='dbname=app'".to_owned(),
        "postgres:///".repeat(100_000),
    ] {
        let error = check_arguments("psql", &[&text], LOGIN).unwrap_err();
        assert!(
            error
                .message()
                .starts_with("dbname: a connection string in"),
            "{error}"
        );
    }
}

#[test]
fn an_argument_may_repeat_the_sslmode_that_the_caller_agreed_to() {
    let check = |argument: &str, sslmode| {
        check_arguments("psql", &[argument], Login { sslmode, ..LOGIN }).is_ok()
    };
    for form in ["dbname=app sslmode=", "postgresql:///app?sslmode="] {
        for (mode, agreed, accepted) in [
            ("disable", Some("verify-full"), false),
            ("disable", Some("require"), false),
            ("require", Some("require"), true),
            ("verify-full", Some("require"), true),
            ("verify-full", None, true),
            ("require", None, false),
            ("", Some("require"), false),
        ] {
            assert_eq!(
                check(&format!("{form}{mode}"), agreed),
                accepted,
                "{mode} {agreed:?}"
            );
        }
    }
}

#[test]
fn no_message_shows_a_password_or_a_token() {
    let token = format!(
        "db.example:5432/?Action=connect&X-Amz-{}SECRET",
        "x".repeat(10)
    );
    for text in [
        &*format!("host={token}"),
        &format!("dbname=x sslmode={token}"),
        "postgres://u:pa@SECRET@db.example/app",
        "postgres://u:a@SECRET:c@db.example/app",
        "postgres://u:a@SECRET/c@db.example/app",
        "postgres://u:SECRET@other/app",
        "password=SECRET SECRET host=other",
        "password='SECRET host=other",
        "host=SECRET@other",
        "password=SECRET",
        "postgres://iam_user:SECRET@db.example/app",
        "postgres://iam_user:SECRET%zz@db.example/app",
    ] {
        for arguments in [vec![text], vec!["-d", text], vec!["-h", text]] {
            if let Err(error) = check_arguments("psql", &arguments, LOGIN) {
                assert!(!error.message().contains("SECRET"), "{error}");
            } else {
                panic!("{text}");
            }
        }
    }
}
