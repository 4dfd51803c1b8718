"""`rdsign local --json`: what a program reads from it, and how it controls the server."""

import json
import os
import signal
import socket
import subprocess
import sys

import pytest
import tomllib
from common import PATIENCE, wait_until
from harness import line_of

IAM_USER = "AKIALOCALIAMUSER0001"


def lines_to_the_end(local):
    """Ends its standard input. Returns the lines that it still writes."""
    output, _ = local.process.communicate(timeout=PATIENCE)
    return [json.loads(line) for line in output.splitlines()]


def problem(local, verb, **members):
    """Sends a request that fails. Returns the error."""
    local.process.stdin.write(json.dumps({"id": "mine", "do": verb, **members}) + "\n")
    local.process.stdin.flush()
    while (line := local.line()).get("id") != "mine":
        assert "event" in line
    return line["error"]


def key(local, id=IAM_USER):
    settings = tomllib.loads(local.config.read_text())
    return next(key for key in settings["access_keys"] if key["access_key_id"] == id)


def test_the_end_of_standard_input_stops_it_and_nothing_is_left(users_place):
    local = users_place.start()
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(local.ready["control"])
        client.sendall(b'{"id": 1, "do": "info"}\n')
        info = json.loads(client.makefile().readline())["ok"]
    assert info | {"event": "ready"} == local.ready
    local.login(local.token())
    accepted, stopped = lines_to_the_end(local)
    assert (accepted["event"], accepted["user"], accepted["number"]) == ("accepted", "iam_user", 1)
    assert stopped == {"event": "stopped", "status": 0}
    assert local.process.returncode == 0
    assert users_place.leftovers() == []


def test_the_server_does_not_outlive_a_program_that_is_killed(place):
    script = "import subprocess, sys; p = subprocess.Popen(sys.argv[1:], stdin=subprocess.PIPE); p.wait()"
    process = subprocess.Popen(
        [sys.executable, "-c", script, *place.arguments("--json")],
        env=place.environment(),
        stdout=subprocess.PIPE,
        text=True,
    )
    assert json.loads(line_of(process))["event"] == "ready"
    process.kill()
    process.wait()
    wait_until(lambda: place.leftovers() == [], "the end of the server")
    process.stdout.close()


def test_the_server_does_not_outlive_a_request_that_nobody_waits_for(users_place):
    local = users_place.start()
    local.process.stdin.write('{"id": 1, "do": "sql", "sql": "select pg_sleep(1000)"}\n')
    answer, stopped = lines_to_the_end(local)
    assert answer["error"]["sqlstate"] == "57P01"
    assert stopped == {"event": "stopped", "status": 0}


def test_copy_says_what_to_use_and_the_next_request_is_answered(shared):
    shared.ask("sql", sql="create table copied (line text)")
    for copy in ("copy copied from stdin", "copy copied to stdout"):
        assert problem(shared, "sql", sql=copy)["message"].startswith("sql: COPY cannot be used with STDIN")
    assert shared.ask("sql", sql="drop table copied; select 1")["rows"] == [["1"]]


def test_a_request_changes_the_file_and_the_next_login(users_place):
    local = users_place.start()
    token = local.token()
    before = local.config.stat()
    local.config.write_text(local.original.replace("# May connect as iam_user.", "# Mine."))
    local.ask("clock", advance_seconds=960)
    local.refuse(token, r"\(expired\): the token expired at .*")
    local.login(local.ask("token", user="iam_user", access_key_id=IAM_USER)["token"])
    assert local.ask("clock", offset_seconds=0)["offset_seconds"] == 0
    local.ask("deny", user="iam_user")
    local.refuse(token, r"\(not-allowed\): .*: denied by policy 2, Statement 1")
    local.ask("allow", user="iam_user")
    local.login(token)
    local.ask("put_policies", access_key_id=IAM_USER, policies=[])
    local.refuse(token, r"\(not-allowed\): .*")
    assert local.ask("allow", user="iam_user", access_key_id=IAM_USER) == {}
    local.login(token)
    new = local.ask("replace_key", access_key_id=IAM_USER)
    local.refuse(token, r"\(unknown-access-key\): .*")
    local.login(local.token(key=new))
    local.ask("expire_key", access_key_id=new["access_key_id"])
    local.refuse(local.token(key=new), r"\(expired\): the credentials that signed it expired at .*")
    text = local.config.read_text()
    assert "# Mine." in text and "# May connect at all." not in text
    after = local.config.stat()
    assert (before.st_uid, before.st_gid, before.st_mode) == (after.st_uid, after.st_gid, after.st_mode)
    assert key(local, new["access_key_id"])["expires_at"]
    lines_to_the_end(local)


def test_a_new_key_may_connect_as_its_users_only(shared):
    new = shared.ask("create_key", users=["testuser"], session_token=True, expires_at="2100-01-01T00:00:00Z")
    assert (new["users"], new["expires_at"]) == (["testuser"], "2100-01-01T00:00:00Z")
    shared.login(shared.token("testuser", key=new), "testuser")
    shared.refuse(shared.token(key=new), r"\(not-allowed\): .*")
    shared.ask("remove_key", access_key_id=new["access_key_id"])
    assert shared.config.read_text() == shared.original


def test_a_fresh_database_has_the_template_s_content_and_a_user_of_its_own(place):
    schema = place.base / "schema.sql"
    schema.write_text(
        "create table told (a int); insert into told values (1); grant select on told to iam_user;"
    )
    local = place.start("--init", schema)
    made = local.ask("create_database")
    user, database = made["user"], made["database"]
    assert made["access_key"]["users"] == [user]
    token = local.ask("token", user=user, access_key_id=made["access_key"]["access_key_id"])["token"]
    variables = made["environment"]["set"] | {"PGPASSWORD": token}
    done = local.psql(
        sql="create table own as select * from told; select a, current_database() from own", **variables
    )
    assert (done.stdout, done.stderr) == (f"1|{database}\n", "")
    assert "permission denied" in local.psql(sql="insert into told values (2)", **variables).stderr
    assert local.ask("sql", sql="select * from own", database=database) == {"columns": ["a"], "rows": [["1"]]}
    given = local.ask("create_database", database="It's", user="testuser", template=database)
    assert (given["database"], given["user"]) == ("It's", "testuser")
    local.ask("drop_database", database="It's", access_key_id=given["access_key"]["access_key_id"])
    local.ask(
        "drop_database", database=database, user=user, access_key_id=made["access_key"]["access_key_id"]
    )
    assert local.config.read_text() == local.original
    assert local.ask("sql", sql=f"select from pg_roles where rolname = '{user}'")["rows"] == []
    local.stop()


def test_a_user_who_cannot_be_dropped_is_still_named_by_its_keys(shared):
    first = shared.ask("create_database")
    second = shared.ask("create_database", user=first["user"])
    key = second["access_key"]["access_key_id"]
    token = shared.ask("token", user=second["user"], access_key_id=key)["token"]
    variables = second["environment"]["set"] | {"PGPASSWORD": token}
    assert shared.psql(sql="create table told ()", **variables).stderr == ""
    drop = [
        {
            "database": made["database"],
            "user": made["user"],
            "access_key_id": made["access_key"]["access_key_id"],
        }
        for made in (first, second)
    ]
    assert problem(shared, "drop_database", **drop[0])["sqlstate"] == "2BP01"
    assert second["access_key"]["users"] == [first["user"]]
    assert second["access_key"] in shared.ask("info")["access_keys"]
    shared.ask("drop_database", **drop[1])
    assert shared.config.read_text() == shared.original


def test_a_user_logs_in_with_a_token_or_a_password(shared):
    iam = shared.ask("create_user", user="a user")
    shared.ask("allow", user="a user", access_key_id=IAM_USER)
    shared.login(shared.token("a user"), "a user")
    other = shared.ask("create_user", iam=False)
    shared.login(other["password"], other["user"])
    assert iam == {"user": "a user", "password": None}
    for user in ("a user", other["user"]):
        shared.ask("drop_user", user=user)
    shared.config.write_text(shared.original)


@pytest.mark.parametrize(
    "verb, members, message",
    [
        ("dance", {}, "do: unknown verb `dance`, accepted: one of `info`, "),
        ("deny", {}, "missing field `user`"),
        ("clock", {"offset": 1}, "unknown field `offset`, accepted: "),
        ("clock", {"offset_seconds": 10**12}, "clock_offset_seconds: accepted: -3153600000 to "),
        ("clock", {"offset_seconds": 1, "advance_seconds": 1}, "clock: accepted: one of offset_seconds and "),
        ("expire_key", {"access_key_id": "AKIANONE"}, "access_key_id: no such key in the configuration"),
        ("expire_key", {"access_key_id": IAM_USER, "at": "noon"}, "expires_at: accepted: a time such as "),
        ("put_policies", {"access_key_id": IAM_USER, "policies": ["{"]}, "access_keys[0].policies[0]: "),
        ("create_user", {"password": "secret"}, "password: a user with iam has none; accepted: "),
        ("create_database", {"database": "x" * 64}, "database: accepted: 1 to 63 bytes without "),
        ("create_database", {"template": "none"}, 'template database "none" does not exist'),
        ("sql", {"sql": "select nothing"}, 'column "nothing" does not exist'),
    ],
)
def test_a_wrong_request_says_what_is_accepted_and_changes_nothing(shared, verb, members, message):
    error = problem(shared, verb, **members)
    assert error["message"].startswith(message), error
    assert ("sqlstate" in error) == (verb == "sql" or "template" in members)
    assert shared.config.read_text() == shared.original
    left = "select from pg_roles where rolname like 'test\\_%'"
    assert shared.ask("sql", sql=left)["rows"] == []


def test_a_start_that_fails_says_so_in_a_line(place, tmp_path):
    status, output, error = place.run("--json", "--postgres", tmp_path)
    line = json.loads(output)
    assert (line["event"], line["kind"], line["status"], status) == ("failed", "no-postgres", 1, 1)
    assert error == f"rdsign: {line['message']}\n" and "apt-get install postgresql" in error
    for flags, problem in [
        (["--endpoint", "no host"], "--endpoint: "),
        (["--version", "x"], 'version: "x" is not a number'),
        (["--port", "0"], 'port: "0" is not a port; accepted: 1 to 65535'),
        (["--no-such-flag"], "--no-such-flag: unknown; accepted: "),
    ]:
        status, output, error = place.run("--json", *flags)
        line = json.loads(output)
        assert (line["event"], line["kind"], line["status"], status) == ("failed", "other", 2, 2)
        assert line["message"].startswith(problem) and error == f"rdsign: {line['message']}\n"
    _, output, error = place.run("--version", "x", "--", "psql", "--json")
    assert output == "" and error.startswith("rdsign: version: "), "nobody reads lines here"
    # A wrong setting, for which no test is skipped.
    status, output, _ = place.run("--json", "--version", 99)
    line = json.loads(output)
    assert (line["event"], line["kind"], line["status"], status) == ("failed", "other", 1, 1)


def test_the_end_of_postgresql_is_the_last_line(place):
    local = place.start()
    os.kill(local.server_process(), signal.SIGKILL)
    while (line := local.line())["event"] != "stopped":
        pass
    assert line["status"] == 1 and line["message"].startswith("PostgreSQL exited unexpectedly (signal: 9")
    local.process.communicate(timeout=PATIENCE)
    assert local.process.returncode == 1
