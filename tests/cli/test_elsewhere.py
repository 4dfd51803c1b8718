"""libpq's other variables: none of them sends a token to a server that is not verified.

test_service.py has the same for service files.
"""

import pytest
from test_exec import exec, rdsign


@pytest.fixture
def dialed(environment, recorder):
    """The environment of a user whose PGHOSTADDR and PGPORT lead to the recorder."""
    own = environment | {"PGHOSTADDR": "127.0.0.1", "PGPORT": str(recorder.port)}
    del own["PGSSLMODE"]
    return own


@pytest.mark.parametrize(
    "variables",
    [
        {},
        {"PGSSLMODE": ""},
        {"PGREQUIRESSL": "0"},
        {"PGREQUIRESSL": "1"},
        {"PGSSLNEGOTIATION": "direct"},
        {"PGSSLROOTCERT": "system"},
        {"PGSSLCERT": "/none", "PGSSLKEY": "/none", "PGSSLCRL": "/none", "PGSSLSNI": "0"},
        {"PGSSLMINPROTOCOLVERSION": "TLSv1", "PGMINPROTOCOLVERSION": "3.0"},
        {"PGGSSENCMODE": "prefer"},
        {"PGTARGETSESSIONATTRS": "read-write", "PGLOADBALANCEHOSTS": "random"},
        {"PGCHANNELBINDING": "disable"},
        {"PGREQUIREAUTH": "password"},
        {"PGREQUIREPEER": "root"},
        {"PGOPTIONS": "-c application_name=x", "PGAPPNAME": "host=127.0.0.1"},
        {"PGPASSWORD": "old", "PGPASSFILE": "/none"},
    ],
    ids=lambda variables: " ".join(variables) or "no other variable",
)
def test_exec_sends_no_token_without_tls(dialed, recorder, variables):
    done = exec("psql", "-d", "testdb", "-c", "select 1", env=dialed | variables)
    assert done.returncode == 2, done.stdout
    assert "X-Amz" not in done.stderr and b"X-Amz" not in recorder.received
    # It did dial, unless libpq found a file missing first.
    assert recorder.received or "does not exist" in done.stderr


@pytest.mark.parametrize(
    "variables",
    [
        {"PGHOST": "/tmp"},
        {"PGHOST": "@abstract"},
        {"PGHOST": "{host},127.0.0.1"},
        {"PGPORT": "5432,{port}"},
        {"PGDATABASE": "postgresql://127.0.0.1:{port}/testdb?sslmode=disable"},
        {"PGDATABASE": "host='' dbname=testdb"},
        {"PGUSER": "host=127.0.0.1 port={port} sslmode=disable", "PGDATABASE": ""},
    ],
    ids=str,
)
def test_exec_refuses_variables_that_name_another_server(local, dialed, recorder, variables):
    variables = {name: value.format(host=local.host, port=recorder.port) for name, value in variables.items()}
    # Of all programs, vacuumdb reads a connection string in the most places.
    done = exec("vacuumdb", env=dialed | variables)
    assert done.returncode == 2 and "; accepted: " in done.stderr, done.stderr
    assert recorder.received == b""


def test_doctor_sends_no_token_without_tls(dialed, recorder):
    for mode in ("verify-full", "disable"):
        done = rdsign("doctor", "--timeout=60", env=dialed | {"PGSSLMODE": mode})
        assert done.returncode == 15, done.stdout
    assert recorder.received and b"X-Amz" not in recorder.received


def test_the_token_comes_before_every_other_password(local, environment, tmp_path):
    file = tmp_path / "pgpass"
    file.write_text("*:*:*:*:wrong\n")
    file.chmod(0o600)
    env = environment | {"PGPASSFILE": str(file), "PGPASSWORD": "wrong"}
    done = exec("psql", "-XAtc", "select current_user", env=env)
    assert (done.stdout, done.stderr) == ("iam_user\n", "")
