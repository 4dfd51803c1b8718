//! RDS in tests, as another crate would use it. `RDSIGN_BIN` names the program; without it, it is the one that
//! `cargo build -p rdsign-cli -p rdsign-local-preload` puts into the folder of this test.

#![expect(clippy::unwrap_used, reason = "a helper that panics fails its test")]

use std::path::PathBuf;
use std::process::{Command, Output};
use std::time::Duration;

use rdsign_local::testing::{Database, RdsLocal, TestingError};
use serde_json::json;

fn command() -> Command {
    let folder = std::env::current_exe().unwrap();
    let built = || folder.ancestors().nth(2).unwrap().join("rdsign");
    let program = std::env::var_os("RDSIGN_BIN").map_or_else(built, PathBuf::from);
    let mut command = Command::new(program);
    let cache = concat!(env!("CARGO_MANIFEST_DIR"), "/../target/test-cache");
    std::fs::create_dir_all(cache).unwrap();
    command.arg("local").env("XDG_CACHE_HOME", cache);
    command
}

fn login(database: &Database<'_>, token: &str) -> Output {
    let mut psql = Command::new("psql");
    psql.envs(database.environment()).env("PGPASSWORD", token);
    psql.args(["-XAtqwc", "select current_user, current_database()"])
        .output()
        .unwrap()
}

fn is_in(output: Output, database: &Database<'_>) -> bool {
    let name = format!("{}|{}\n", database.user(), database.name());
    String::from_utf8(output.stdout).unwrap() == name
}

fn ids(database: &Database<'_>) -> Vec<String> {
    let refusals = database.refusals().unwrap();
    refusals.into_iter().map(|refusal| refusal.id).collect()
}

#[test]
fn tokens_keys_and_policies_end_and_the_reasons_are_known() {
    let rds = RdsLocal::start_with(command()).unwrap();
    let mut database = rds.database().unwrap();
    let token = database.token().unwrap();
    assert!(is_in(login(&database, &token), &database));
    assert!(ids(&database).is_empty());

    rds.advance_clock(Duration::from_secs(16 * 60)).unwrap();
    assert!(!login(&database, &token).status.success());
    assert_eq!(ids(&database), ["expired"]);
    assert!(is_in(
        login(&database, &database.token().unwrap()),
        &database
    ));
    rds.reset_clock().unwrap();

    rds.deny(database.user()).unwrap();
    assert!(!login(&database, &token).status.success());
    assert_eq!(ids(&database), ["expired", "not-allowed"]);
    rds.allow(database.user()).unwrap();
    assert!(is_in(login(&database, &token), &database));

    database.replace_key().unwrap();
    assert!(!login(&database, &token).status.success());
    assert_eq!(ids(&database)[2..], ["unknown-access-key"]);
    let token = database.token().unwrap();
    assert!(is_in(login(&database, &token), &database));
    database.expire_key().unwrap();
    assert!(!login(&database, &token).status.success());
    assert_eq!(ids(&database)[3..], ["expired"]);

    let other = rds.database().unwrap();
    let own = "create table own as select 7 as a";
    let mut psql = Command::new("psql");
    psql.envs(other.environment())
        .env("PGPASSWORD", other.token().unwrap());
    assert!(psql.args(["-XAtqwc", own]).status().unwrap().success());
    assert_eq!(
        other.sql("select a from own").unwrap(),
        [[Some("7".to_owned())]]
    );
    assert!(ids(&other).is_empty());
    assert_eq!(rds.refusals().unwrap().len(), 4);
}

#[test]
fn a_database_is_a_copy_of_the_template_and_goes_away() {
    let rds = RdsLocal::start_with(command()).unwrap();
    let prepare = "create table told (a int, b text); insert into told values (1, null); \
                   grant select on told to iam_user; create table hidden ()";
    rds.ask("sql", json!({"sql": prepare})).unwrap();
    let database = rds.database().unwrap();
    let sql = "select * from told";
    assert_eq!(database.sql(sql).unwrap(), [[Some("1".to_owned()), None]]);
    let may = "select has_table_privilege(rolname, 'told', 'select'), has_table_privilege(rolname, 'hidden', \
               'select'), has_schema_privilege(rolname, 'public', 'create') from pg_roles where rolname = ";
    let rights = database
        .sql(&format!("{may}'{}'", database.user()))
        .unwrap();
    assert_eq!(rights, [["t", "f", "t"].map(|text| Some(text.to_owned()))]);
    let error = database.sql("select nothing from told").unwrap_err();
    let TestingError::Request { sqlstate, .. } = error else {
        panic!("{error}");
    };
    assert_eq!(sqlstate.as_deref(), Some("42703"));
    drop(database);
    let left = "select datname::text from pg_database where datname like 'test\\_%' \
                union select rolname from pg_roles where rolname like 'test\\_%'";
    let left = rds.ask("sql", json!({"sql": left})).unwrap();
    assert_eq!(left["rows"], json!([]));
}

#[test]
fn without_postgresql_the_error_says_how_to_get_it() {
    let mut command = command();
    let empty = tempfile::tempdir().unwrap();
    command.arg("--postgres").arg(empty.path());
    match RdsLocal::start_with(command).err() {
        Some(TestingError::NoPostgres(message)) => assert!(message.contains("apt-get install")),
        other => panic!("{other:?}"),
    }
}
