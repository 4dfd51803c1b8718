"""A token goes to the server that it is signed for, whatever libpq's other parameters and variables say.

The recorder has no TLS. It would get the token of a driver that does not insist on verify-full.
test_logins.py has the same for service files.
"""

import contextlib
import os

import psycopg
import psycopg2
import pytest
import rdsign
import rdsign.psycopg
import rdsign.psycopg2
import rdsign.sqlalchemy
import sqlalchemy
from test_logins import FAILURES, WAYS, each_way

LIBPQ_S = {name: connect for name, connect in WAYS.items() if "asyncpg" not in name}


@pytest.fixture
def keys(local, monkeypatch):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "PGSSLROOTCERT", "PGHOSTADDR"):
        monkeypatch.setenv(name, local.exports[name])


@pytest.fixture
def dialed(local, keys, recorder):
    """The parameters of a program that signs for the endpoint and dials the recorder."""
    return {"host": local.host, "port": recorder.port, "user": "iam_user", "dbname": "testdb"}


def plain(recorder):
    """A connection string that libpq would follow without TLS."""
    return f"host=127.0.0.1 port={recorder.port} sslmode=disable user=iam_user"


def test_a_driver_without_rdsign_does_send_its_password(recorder):
    """Shows that the recorder would notice a token."""
    with contextlib.suppress(psycopg.Error):
        psycopg.connect(f"{plain(recorder)} password=hunter2")
    assert b"hunter2" in recorder.received


@each_way
def test_no_variable_of_libpq_sends_a_token_without_tls(connect, dialed, recorder, monkeypatch):
    for variables in [
        {},
        {"PGREQUIRESSL": "0", "PGSSLNEGOTIATION": "direct", "PGGSSENCMODE": "prefer"},
        {"PGSSLMODE": "", "PGTARGETSESSIONATTRS": "any", "PGLOADBALANCEHOSTS": "random"},
        {"PGPASSWORD": "old", "PGPASSFILE": os.devnull, "PGDATABASE": plain(recorder)},
        {
            "PGHOST": "127.0.0.1",
            "PGUSER": "other",
            "PGREQUIREAUTH": "password",
            "PGCHANNELBINDING": "disable",
        },
    ]:
        with monkeypatch.context() as patch:
            for name, value in variables.items():
                patch.setenv(name, value)
            with pytest.raises(FAILURES):
                connect(dialed)
        assert recorder.received and b"X-Amz" not in recorder.received, variables


@pytest.mark.parametrize("connect", LIBPQ_S.values(), ids=LIBPQ_S)
def test_no_parameter_of_libpq_sends_a_token_without_tls(connect, dialed, recorder):
    for parameters in [
        {"sslmode": ""},
        {"sslmode": None},
        {"requiressl": "0"},
        {"sslmode": "verify-full", "requiressl": "0"},
        {"gssencmode": "prefer"},
        {"passfile": os.devnull},
        {"dbname": plain(recorder)},
        {"dbname": f"postgresql://iam_user@127.0.0.1:{recorder.port}/?sslmode=disable"},
    ]:
        if "requiressl" in parameters and connect is WAYS["psycopg2"]:
            continue  # psycopg2 makes it the program's own sslmode
        with pytest.raises(FAILURES):
            connect({**dialed, **parameters})
        assert recorder.received and b"X-Amz" not in recorder.received, parameters


@pytest.mark.parametrize("driver, name", [("psycopg", "conninfo"), ("psycopg2", "dsn")])
def test_a_connection_string_in_connect_args_names_no_other_server(
    driver, name, local, keys, recorder, monkeypatch
):
    monkeypatch.setenv("PGHOST", local.host)
    monkeypatch.setenv("PGPORT", local.port)
    monkeypatch.setenv("PGUSER", "iam_user")
    arguments = {name: f"{plain(recorder)} dbname=testdb hostaddr=127.0.0.1"}
    engine = sqlalchemy.create_engine(f"postgresql+{driver}:///testdb", connect_args=arguments)
    try:
        with rdsign.sqlalchemy.use_tokens(engine).connect() as connection:
            assert connection.scalar(sqlalchemy.text("select current_user")) == "iam_user"
    finally:
        engine.dispose()
    assert recorder.received == b""


@each_way
@pytest.mark.parametrize("host", ["other.abc123.ap-northeast-1.rds.amazonaws.com", "127.0.0.1", "/tmp"])
def test_a_host_that_is_not_the_signer_s_is_refused(connect, host, local, dialed, recorder):
    """The certificate of another database of RDS is valid for its own name."""
    signer = rdsign.Signer(hostname=local.host, username="iam_user")
    with pytest.raises(rdsign.InvalidRequestError, match="differs from the signer's hostname") as caught:
        connect({**dialed, "host": host}, signer=signer)
    assert caught.value.code == "INVALID_HOSTNAME"
    assert recorder.received == b""


@each_way
def test_an_empty_host_is_not_a_unix_socket(connect, local, keys, monkeypatch):
    monkeypatch.setenv("PGHOST", local.host)
    monkeypatch.setenv("PGUSER", "iam_user")
    monkeypatch.setenv("PGPORT", local.port)
    assert connect({"host": "", "user": "", "port": "", "dbname": "testdb"}) == "iam_user"


def test_kerberos_never_replaces_tls(local, keys, monkeypatch):
    monkeypatch.setenv("PGGSSENCMODE", "prefer")
    parameters = {"host": local.host, "port": local.port, "user": "iam_user", "dbname": "testdb"}
    with rdsign.psycopg.connect(**parameters) as connection:
        assert {o.keyword: o.val for o in connection.pgconn.info}[b"gssencmode"] == b"disable"
    connection = rdsign.psycopg2.connect(**parameters)
    assert psycopg2.extensions.parse_dsn(connection.dsn)["gssencmode"] == "disable"
    connection.close()
