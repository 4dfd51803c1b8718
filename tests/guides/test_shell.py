"""The guide for psql and the shell."""

import re
import subprocess

import pytest
from guide import Guide, logged_in, shows
from pages import ENDPOINT


@pytest.fixture
def server(rds):
    """The variables that the script of the page exports, for the page's other commands."""
    return {"PGHOST": ENDPOINT, "PGUSER": "iam_user", "PGDATABASE": "testdb"}


def version(*command):
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return re.search(r"\d+\.\d+(\.\d+)?", done.stdout)[0]


def test_psql(rds, server, tmp_path):
    guide = Guide("psql")
    guide.write(tmp_path)
    printed = rds.run("bash", "-euc", guide.block("sh"), folder=tmp_path)
    assert printed == "iam_user\n1\n"
    assert "PostgreSQL database dump" in (tmp_path / "schema.sql").read_text()
    for number in (1, 2):
        command = guide.block("sh", number)
        # The last one has a server of its own.
        variables = server if number == 1 else {"PGHOSTADDR": None, "PGPORT": None}
        assert rds.run("bash", "-euc", command, folder=tmp_path, **variables) == "iam_user\n"
    logged_in(guide, f"psql {version('psql', '--version')}", f"bash {version('bash', '--version')}")


def test_the_errors_of_psql(rds, server, tmp_path):
    option, stale, plain = Guide("psql").errors

    def fail(script, status, **variables):
        return rds.run("bash", "-c", script, folder=tmp_path, status=status, **server, **variables)

    assert fail("rdsign exec -- psql -U postgres", 2) == f"{option}\n"
    with rds.later():
        # The token is 16 minutes old for the server.
        assert fail("export PGPASSWORD=$(rdsign token); psql -c 'select 1'", 2) == f"{stale}\n"
    script = "PGPASSWORD=$(rdsign token) psql -c 'select 1'"
    assert fail(script, 2, PGSSLMODE="disable") == f"{plain}\n"


@pytest.fixture
def app_user(rds):
    """A user of the server with a password, who gets a policy, but not yet rds_iam. Returns the variables."""
    rds.local.as_postgres("CREATE USER app_user PASSWORD 'a password'")
    rds.local.ask("allow", user="app_user", access_key_id="AKIALOCALIAMUSER0001")
    yield {"PGHOST": ENDPOINT, "PGUSER": "app_user", "PGDATABASE": "testdb"}
    rds.local.as_postgres("DROP USER app_user")


def test_from_a_password(rds, app_user, tmp_path):
    guide = Guide("from-a-password")
    guide.write(tmp_path)
    password = {**app_user, "PGPASSWORD": "a password", "folder": tmp_path}
    connected = ["psql", "-XAtc", "select current_user"]
    assert rds.run(*connected, **password) == "app_user\n"
    printed = rds.run("bash", "-euc", guide.block("sh"), folder=tmp_path, MASTER_PASSWORD=rds.local.password)
    assert printed == "app_user\n"
    assert "dbuser:db-ABCDEFGHIJKL01234/app_user" in (tmp_path / "policy.json").read_text()
    # Going back needs no new password.
    rds.local.as_postgres("REVOKE rds_iam FROM app_user")
    assert rds.run(*connected, **password) == "app_user\n"
    logged_in(guide, f"psql {version('psql', '--version')}", f"bash {version('bash', '--version')}")


def test_the_errors_of_a_move_from_a_password(rds, app_user, tmp_path):
    password, token, plain = Guide("from-a-password").errors

    def fail(command, **variables):
        return rds.run("bash", "-c", command, folder=tmp_path, status=2, **app_user, **variables)

    shows(token, fail("rdsign exec -- psql"))
    rds.local.as_postgres("GRANT rds_iam TO app_user")
    shows(password, fail("psql", PGPASSWORD="a password", PGSSLMODE="require"))
    shows(plain, fail("PGPASSWORD=$(rdsign token) psql", PGSSLMODE="disable"))
