"""A token goes to the server that it is signed for, whatever libpq's other parameters and variables say.

The recorder has no TLS. It would get the token of a driver that does not insist on verify-full.
test_logins.py has the same for service files.
"""

import contextlib
import os
import ssl

import psycopg
import psycopg2
import pytest
import rdsign
import rdsign.asyncpg
import rdsign.psycopg
import rdsign.psycopg2
import rdsign.sqlalchemy
import sqlalchemy
from asyncpg.connect_utils import SSLMode
from sqlalchemy.ext.asyncio import create_async_engine
from test_logins import FAILURES, WAYS, each_way, finished, in_asyncpg

LIBPQ_S = {name: connect for name, connect in WAYS.items() if "asyncpg" not in name}
ASYNCPG_S = {name: connect for name, connect in WAYS.items() if "asyncpg" in name}
each_libpq_way = pytest.mark.parametrize("connect", LIBPQ_S.values(), ids=LIBPQ_S)
each_asyncpg_way = pytest.mark.parametrize("connect", ASYNCPG_S.values(), ids=ASYNCPG_S)
OTHER = "other.abc123.ap-northeast-1.rds.amazonaws.com"


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


@each_libpq_way
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


@pytest.mark.parametrize(
    "driver, name", [("psycopg", "conninfo"), ("psycopg, async", "conninfo"), ("psycopg2", "dsn")]
)
def test_a_parameter_that_is_none_does_not_replace_the_connection_string_s(
    driver, name, local, dialed, recorder, monkeypatch
):
    monkeypatch.setenv("PGSSLMODE", "disable")
    monkeypatch.setenv("PGHOST", OTHER)
    text = f"host={local.host} user=iam_user dbname=testdb sslmode=verify-full"
    parameters = {name: text, **dict.fromkeys(("host", "user", "sslmode", "gssencmode"))}
    assert WAYS[driver]({**parameters, "port": local.port}) == "iam_user"
    with pytest.raises(FAILURES, match="does not support SSL"):
        WAYS[driver]({**parameters, "port": recorder.port})
    assert recorder.received and b"X-Amz" not in recorder.received


@each_way
@pytest.mark.parametrize("host", [OTHER, "127.0.0.1", "/tmp"])
def test_a_host_that_is_not_the_signer_s_is_refused(connect, host, local, dialed, recorder, monkeypatch):
    """The certificate of another database of RDS is valid for its own name."""
    signer = rdsign.Signer(hostname=local.host, username="iam_user")
    for variable, parameters in [
        ("", {}),
        ("require", {}),
        ("verify-ca", {}),
        ("disable", {}),
        ("", {"sslmode": "require"}),
    ]:
        monkeypatch.setenv("PGSSLMODE", variable)
        with pytest.raises(
            rdsign.InvalidRequestError, match="is not the endpoint that the token is signed for"
        ) as caught:
            connect({**dialed, "host": host, **parameters}, signer=signer)
        assert caught.value.code == "INVALID_HOSTNAME"
    assert recorder.received == b""


def test_an_ssl_argument_of_asyncpg_does_not_permit_another_host(local, keys):
    signer = rdsign.Signer(hostname=local.host, username="iam_user")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    for mode in (False, True, "require", SSLMode.verify_ca, context):
        with pytest.raises(
            rdsign.InvalidRequestError, match="is not the endpoint that the token is signed for"
        ):
            rdsign.asyncpg.arguments(host=OTHER, signer=signer, ssl=mode)


def test_a_host_that_differs_only_in_case_and_a_trailing_dot_is_the_signer_s(local, keys):
    signer = rdsign.Signer(hostname=local.host, username="iam_user")
    assert rdsign.asyncpg.arguments(host=f"{local.host.upper()}.", signer=signer)["user"] == "iam_user"


@pytest.mark.parametrize("connect", [rdsign.psycopg.connect, rdsign.psycopg2.connect])
def test_a_user_of_the_connection_string_that_is_not_the_signer_s_is_refused(connect, local, keys):
    signer = rdsign.Signer(hostname=local.host, username="iam_user")
    with pytest.raises(rdsign.InvalidRequestError, match="user: .other. differs") as caught:
        connect(f"user=other dbname=testdb port={local.port}", signer=signer)
    assert caught.value.code == "INVALID_USERNAME"


@each_asyncpg_way
@pytest.mark.parametrize(
    "hostaddr", ["/tmp", "@name", "127.0.0.1,127.0.0.2", "a b", ["/tmp"], ["127.0.0.1"], 5]
)
def test_hostaddr_of_asyncpg_is_one_address(connect, hostaddr, dialed, recorder):
    """asyncpg sends the password without TLS to a Unix socket."""
    kind = rdsign.InvalidRequestError if isinstance(hostaddr, str) else TypeError
    with pytest.raises(kind, match="^hostaddr: "):
        connect({**dialed, "hostaddr": hostaddr})


@each_asyncpg_way
def test_no_variable_and_no_service_lead_asyncpg_to_a_unix_socket(connect, dialed, tmp_path, monkeypatch):
    monkeypatch.setenv("PGHOSTADDR", str(tmp_path))
    with pytest.raises(rdsign.InvalidRequestError, match="^hostaddr: .* is not an address"):
        connect(dialed)
    (tmp_path / "services").write_text(f"[dev]\nhostaddr={tmp_path}\n")
    monkeypatch.setenv("PGSERVICEFILE", str(tmp_path / "services"))
    monkeypatch.setenv("PGSERVICE", "dev")
    with pytest.raises(rdsign.InvalidRequestError, match="^hostaddr: .* is not an address"):
        connect(dialed)


@each_asyncpg_way
def test_an_empty_hostaddr_is_not_given(connect, local, dialed, monkeypatch):
    monkeypatch.setenv("PGHOST", OTHER)
    monkeypatch.delenv("PGHOSTADDR")
    endpoint = {**dialed, "host": "localhost", "port": local.port, "hostaddr": ""}
    assert rdsign.asyncpg.arguments(**{**endpoint, "host": local.host})["host"] == local.host
    monkeypatch.setenv("PGHOSTADDR", "127.0.0.1")
    assert connect({**endpoint, "host": local.host}) == "iam_user"


@pytest.mark.parametrize("mode", ["verify-full", "verify_full", SSLMode.verify_full])
@pytest.mark.parametrize("name", ["ssl", "sslmode", "PGSSLMODE", "dsn"])
def test_each_spelling_of_verify_full_checks_the_endpoint_s_name(name, mode, local, keys, monkeypatch):
    signer = rdsign.Signer(hostname=local.host, username="iam_user")
    given = {name: mode}
    if name in ("PGSSLMODE", "dsn"):
        mode = mode if isinstance(mode, str) else mode.name
        monkeypatch.setenv("PGSSLMODE", mode if name == "PGSSLMODE" else "disable")
        given = {} if name == "PGSSLMODE" else {"dsn": f"postgresql:///testdb?sslmode={mode}"}
    context = rdsign.asyncpg.arguments(**given, signer=signer)["ssl"]
    assert (context.hostname, context.check_hostname) == (local.host, True)
    with pytest.raises(rdsign.InvalidRequestError, match="is not the endpoint that the token is signed for"):
        rdsign.asyncpg.arguments(**given, host=OTHER, signer=signer)


@pytest.mark.parametrize("mode", ["parse", "VERIFY-FULL", "verify full", "full", "numerator"])
def test_an_unknown_mode_of_asyncpg_is_refused(mode, local, keys, monkeypatch):
    for name in ("ssl", "sslmode"):
        with pytest.raises(ValueError, match="^ssl: .* is not a mode; accepted: disable"):
            rdsign.asyncpg.arguments(host=local.host, user="iam_user", **{name: mode})
    monkeypatch.setenv("PGSSLMODE", mode)
    with pytest.raises(ValueError, match="^ssl: .* is not a mode; accepted: disable"):
        rdsign.asyncpg.arguments(host=local.host, user="iam_user")


def test_asyncpg_asks_the_list_of_revoked_certificates(local, dialed, tmp_path, monkeypatch):
    """This one has no list of the authority, so no certificate passes."""
    authorities = local.exports["PGSSLROOTCERT"]
    dsn = f"postgresql://iam_user@{local.host}:{local.port}/testdb"
    for dsn_given, parameters, variable in [
        (dsn, {"sslcrl": authorities}, ""),
        (f"{dsn}?sslcrl={authorities}", {}, ""),
        (dsn, {}, authorities),
    ]:
        monkeypatch.setenv("PGSSLCRL", variable)
        with pytest.raises(ssl.SSLError, match="CRL"):
            in_asyncpg(dsn=dsn_given, **parameters)
    monkeypatch.delenv("PGSSLCRL")
    assert in_asyncpg(dsn=dsn) == "iam_user"


@each_asyncpg_way
def test_a_list_of_one_host_is_that_host(connect, local, dialed):
    assert connect({**dialed, "host": [local.host], "port": [int(local.port)]}) == "iam_user"


def test_a_dsn_in_connect_args_counts_as_a_whole(local, keys):
    async def main():
        dsn = f"postgresql://iam_user@{local.host}:{local.port}/testdb?application_name=from_the_dsn"
        engine = create_async_engine("postgresql+asyncpg://", connect_args={"dsn": dsn})
        try:
            async with rdsign.sqlalchemy.use_tokens(engine).connect() as connection:
                query = sqlalchemy.text("select current_database(), current_setting('application_name')")
                return (await connection.execute(query)).one()
        finally:
            await engine.dispose()

    assert finished(main) == ("testdb", "from_the_dsn")


@each_way
def test_an_error_does_not_show_a_token_that_is_given_in_the_wrong_place(connect, local, dialed):
    signer = rdsign.Signer(hostname=local.host, username="iam_user")
    token = signer.password()
    names = ["host", "port", "user", "sslmode", *(["hostaddr"] if connect in ASYNCPG_S.values() else [])]
    for name in names:
        for options in ({}, {"signer": signer}):
            with pytest.raises((rdsign.Error, ValueError, *FAILURES)) as caught:
                connect({**dialed, name: token}, **options)
            if isinstance(caught.value, (rdsign.Error, ValueError)):
                assert "X-Amz-Signature" not in str(caught.value), name


@each_way
def test_an_empty_host_is_not_a_unix_socket(connect, local, keys, monkeypatch):
    monkeypatch.setenv("PGHOST", local.host)
    monkeypatch.setenv("PGUSER", "iam_user")
    monkeypatch.setenv("PGPORT", local.port)
    assert connect({"host": "", "user": "", "port": "", "dbname": "testdb"}) == "iam_user"


def test_kerberos_never_replaces_tls(local, keys, monkeypatch):
    monkeypatch.setenv("PGGSSENCMODE", "prefer")
    endpoint = {"host": local.host, "port": local.port, "user": "iam_user", "dbname": "testdb"}
    for more, mode in [
        ({}, "disable"),
        ({"gssencmode": "prefer"}, "disable"),
        ({"gssencmode": "require"}, "disable"),
        ({"sslmode": "require"}, "disable"),
        ({"sslmode": "require", "gssencmode": "prefer"}, "prefer"),
    ]:
        parameters = {**endpoint, **more}
        with rdsign.psycopg.connect(**parameters) as connection:
            assert {o.keyword: o.val for o in connection.pgconn.info}[b"gssencmode"] == mode.encode(), more
        connection = rdsign.psycopg2.connect(**parameters)
        assert psycopg2.extensions.parse_dsn(connection.dsn)["gssencmode"] == mode, more
        connection.close()
