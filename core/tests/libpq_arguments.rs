//! Checks the arguments of PostgreSQL's programs: a row is a command line, with `|` between its words.
//! The token is for `db.example`.

use rdsign::Error;
use rdsign::libpq::check_arguments;

fn check(line: &str) -> Result<(), Error> {
    let words: Vec<_> = line.split('|').collect();
    check_arguments(words[0], &words[1..], "db.example", None)
}

#[test]
fn arguments_that_keep_to_the_endpoint_are_accepted() {
    for line in [
        "psql",
        "psql|-d|postgres|-c|select 'host=other'",
        "psql|-h|DB.example|app",
        "psql|-XAtc|select 1|host=db.example dbname=app",
        "psql|postgresql://iam_user@db.example:5433/app?application_name=x",
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
        "psql|host='db.example' dbname='a b' password='p host=x'",
        "psql|host=other host=DB.example.",
        "psql|postgresql:///app?gssencmode=disable&ssl_min_protocol_version=TLSv1.3&sslcrldir=x",
        "psql|postgresql://u:p%40ss@db.example:5/app?sslcertmode=allow&sslpassword=x&requirepeer=x",
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
    ] {
        assert_eq!(check(line), Ok(()), "{line}");
    }
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
        let error = check_arguments("psql", &[&text], "db.example", None).unwrap_err();
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
        check_arguments("psql", &[argument], "db.example", sslmode).is_ok()
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
    ] {
        for arguments in [vec![text], vec!["-d", text], vec!["-h", text]] {
            if let Err(error) = check_arguments("psql", &arguments, "db.example", None) {
                assert!(!error.message().contains("SECRET"), "{error}");
            } else {
                panic!("{text}");
            }
        }
    }
}
