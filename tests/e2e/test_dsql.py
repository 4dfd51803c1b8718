"""A DSQL endpoint of `rdsign local`: which logins are accepted and which are refused. The client sees what
DSQL shows, and the log has the reason.

Next to each refusal there is a login that works and differs in only one thing.
"""

import json
import shutil
import subprocess

import pytest
from common import PATIENCE, RDSIGN
from harness import Place

ENDPOINT = "4abcdefghijklmnopqrstuvwxy.dsql.ap-northeast-1.on.aws"
RDS = "mydb.abc123.ap-northeast-1.rds.amazonaws.com"
CLUSTER = "arn:aws:dsql:ap-northeast-1:123456789012:cluster/4abcdefghijklmnopqrstuvwxy"
ADMIN = "AKIALOCALADMIN000001"
USER = "AKIALOCALIAMUSER0001"
TESTUSER = "AKIALOCALTESTUSER001"
NOTHING = "AKIALOCALNOTHING0001"
DENIED = "unable to accept connection, access denied"


@pytest.fixture(scope="module")
def server():
    place = Place()
    local = place.start("--endpoint", ENDPOINT)
    yield local
    log = local.log.read_text()
    assert local.stop() == 0
    place.close()
    assert "X-Amz-Signature" not in log


def refuse(server, token, reason, username="iam_user", hint=""):
    shown = f"{DENIED}\nHINT:  {hint}" if hint else DENIED
    return server.refuse(token, reason, username, shown=shown)


def test_the_exported_variables_log_in_as_admin(server):
    """As `rdsign exec` does, with the first key of the configuration."""
    assert {
        name: server.exports[name] for name in ("PGHOST", "PGUSER", "PGDATABASE", "AWS_ACCESS_KEY_ID")
    } == {
        "PGHOST": ENDPOINT,
        "PGUSER": "admin",
        "PGDATABASE": "postgres",
        "AWS_ACCESS_KEY_ID": ADMIN,
    }
    before = len(server.log.read_text())
    command = [RDSIGN, "exec", "--", "psql", "-XAtc", "select current_user, current_database()"]
    environment = server.place.environment() | server.exports
    done = subprocess.run(command, env=environment, text=True, capture_output=True)
    assert (done.stdout, done.stderr) == ("admin|postgres\n", "")
    logged = server.log.read_text()[before:]
    assert (
        f'access key "{ADMIN}" may connect to "{CLUSTER}"; host {ENDPOINT}; login as "admin"; from' in logged
    )


def test_a_role_needs_a_grant_besides_the_policy(server):
    server.login(server.token(), "iam_user")
    refusal = refuse(server, server.token(key=TESTUSER), r"\(not-granted\): .*")
    assert f'role "iam_user" is not granted to access key "{TESTUSER}"' in refusal
    server.login(server.token("testuser", TESTUSER), "testuser")


def test_a_grant_takes_effect_at_once_also_for_the_owner_of_the_key(server):
    token = server.token("testuser")
    key, arn = f'access_key_id = "{USER}"\n', "arn:aws:iam::123456789012:role/app"
    refuse(server, token, r"\(not-granted\): .*", "testuser")
    for changes in [
        [(f'to = ["{TESTUSER}"]', f'to = ["{USER}"]')],
        [(f'to = ["{TESTUSER}"]', f'to = ["{arn}"]'), (key, f'{key}arn = "{arn}"\n')],
    ]:
        with server.configuration(*changes):
            server.login(token, "testuser")
    with server.configuration((f'to = ["{TESTUSER}"]', f'to = ["{arn}"]')):
        refuse(server, token, r"\(not-granted\): .*", "testuser")


def test_the_action_of_a_policy_is_not_that_of_the_other_role(server):
    for username, key, needed in [("admin", USER, "DbConnectAdmin"), ("iam_user", ADMIN, "DbConnect")]:
        reason = rf"\(not-allowed\): .* do not allow dsql:{needed} on \"{CLUSTER}\": .*"
        refuse(server, server.token(username, key), reason, username)
    refuse(server, server.token(key=NOTHING), r"\(not-allowed\): .*")
    server.login(server.token("admin", ADMIN), "admin")
    server.login(server.token())


def test_a_token_for_the_other_action_is_refused_with_dsql_s_hint(server):
    for signed, key, username, action in [
        ("iam_user", USER, "admin", "DbConnect"),
        ("admin", ADMIN, "iam_user", "DbConnectAdmin"),
    ]:
        hint = f"Wrong user to action mapping. user: {username}, action: {action}"
        reason = rf"\(wrong-user\): signed for the action {action}, .*"
        refuse(server, server.token(signed, key), reason, username, hint)
        server.login(server.token(signed, key), signed)


def test_the_endpoint_and_the_service_must_be_the_signed_ones(server):
    other = {"hostname": ENDPOINT.replace("4abc", "5abc")}
    refuse(server, server.token(**other), r"\(wrong-endpoint\): .*")
    refuse(server, server.token(hostname=RDS), r"\(wrong-endpoint\): .*")
    of_rds = server.token(hostname=RDS).replace(RDS, ENDPOINT)
    refuse(server, of_rds, r"\(wrong-region-or-service\): signed for \"ap-northeast-1/rds-db\", .*/dsql.*")
    refuse(server, server.token().replace("/?", f":{server.port}/?"), r"\(malformed\): .*a port, .*")
    refuse(server, "hunter2", r"\(malformed\): .*")
    server.login(server.token(hostname=ENDPOINT.upper()))
    # The port is not signed.
    server.login(server.token(port="1"))


def test_a_token_may_be_valid_for_a_week(server):
    token, short = server.token(expires_in=604_800), server.token()
    with server.configuration(("clock_offset_seconds = 0", "clock_offset_seconds = 604000")):
        server.login(token)
        refuse(server, short, r"\(expired\): .*")
    with server.configuration(("clock_offset_seconds = 0", "clock_offset_seconds = 604800")):
        refuse(server, token, r"\(expired\): .*")
    longer = token.replace("X-Amz-Expires=604800", "X-Amz-Expires=604801")
    refuse(server, longer, r"\(lifetime-too-long\): .* accepted: 1 to 604800")


def test_admin_creates_roles_and_schemas(server):
    sql = "create role app login; grant rds_iam to app; create schema app authorization app"
    granted = '\n[[iam_grants]]\nrole = "app"\nto = ["AKIALOCALIAMUSER0001"]\n'
    admin = {"password": server.token("admin", ADMIN), "PGUSER": "admin"}
    # A role becomes the owner of a schema only if admin is a member of it.
    done = server.psql(stdin=sql.replace("; create schema", "; grant app to admin; create schema"), **admin)
    assert done.stderr == ""
    try:
        refuse(server, server.token("app"), r"\(not-granted\): .*", "app")
        with server.configuration(append=granted):
            server.login(server.token("app"), "app")
    finally:
        done = server.psql(stdin="drop schema app; drop role app", **admin)
    assert done.stderr == ""


def test_one_server_has_endpoints_of_both_services(place):
    local = place.start("--endpoint", RDS, "--endpoint", ENDPOINT)
    dsql = {"hostname": ENDPOINT}
    assert (local.host, local.exports["PGUSER"]) == (RDS, "iam_user")
    local.login(local.token())
    for token in (local.token(**dsql), local.token(**dsql, port="1")):
        local.login(token, PGHOST=ENDPOINT)
    local.login(local.token("admin", ADMIN, **dsql), "admin", PGHOST=ENDPOINT)
    testuser = {"key": TESTUSER, "username": "iam_user"}
    local.refuse(local.token(**testuser, **dsql), r"\(not-granted\): .*", shown=DENIED)
    local.refuse(local.token(**testuser), r"\(not-allowed\): .* rds-db:connect .*")
    local.stop()


def test_a_kept_folder_gets_the_administrator(place):
    data = place.temporary / "kept"
    for more, found in [
        ([], []),
        (["--endpoint", ENDPOINT], ["admin"]),
        (["--endpoint", ENDPOINT], ["admin"]),
    ]:
        local = place.start("--data", data, *more)
        assert local.as_postgres("select rolname from pg_roles where rolname = 'admin'") == found
        local.stop()
    shutil.rmtree(data)


def doctor(server, **variables):
    environment = server.place.environment() | server.exports | variables
    command = [RDSIGN, "doctor", "--json", "--timeout=60"]
    done = subprocess.run(command, env=environment, text=True, capture_output=True, timeout=PATIENCE)
    report = json.loads(done.stdout)
    return report["failed_step"], {step["step"]: step for step in report["steps"]}


def test_doctor_logs_in_and_explains_a_refusal(server):
    failed, steps = doctor(server)
    assert failed is None, steps
    assert (steps["member"]["outcome"], steps["login"]["outcome"]) == ("skipped", "fine")
    failed, steps = doctor(server, PGUSER="iam_user")
    assert (failed, steps["login"]["finding"]) == ("login", "access-denied")
    assert f"{DENIED}. This means: " in steps["login"]["says"]
    assert "$RDSIGN_LOCAL_LOG, says: refused (not-allowed): " in steps["login"]["says"]
    assert steps["login"]["next"][0].startswith("Correct what the log names.")
