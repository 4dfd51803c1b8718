"""Each driver logs in to RDS on this machine with one line, checks the server's name and its
certificate unless told otherwise, and signs for the endpoint while it dials another address.

Every refusal's reason is read in the server's log, or is none of the server's: a client that does
not trust it says nothing to it.
"""

import asyncio
import os
import re
import ssl

import asyncpg
import psycopg
import psycopg2
import pytest
import rdsign
import rdsign.asyncpg
import rdsign.psycopg
import rdsign.psycopg2
import rdsign.sqlalchemy
import sqlalchemy
from common import PATIENCE
from psycopg2.pool import ThreadedConnectionPool
from psycopg_pool import AsyncConnectionPool, ConnectionPool
from sqlalchemy.ext.asyncio import create_async_engine

WHO = "select current_user"


@pytest.fixture
def server(local, monkeypatch):
    """The shared server; keys, and the certificate that it has, are in the environment."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "PGSSLROOTCERT", "PGHOSTADDR"):
        monkeypatch.setenv(name, local.exports[name])
    yield local


@pytest.fixture
def told(server):
    """What a program says: the endpoint, dialled on loopback."""
    return {"host": server.host, "port": int(server.port), "user": "iam_user", "dbname": "testdb"}


def url(driver, server, query="", user="iam_user"):
    host = f"{server.host}:{server.port}"
    return f"postgresql+{driver}://{user}:ignored@{host}/testdb{query}"


def finished(main):
    """Runs an async program to its end, and on until the connections are closed that a server has
    refused: asyncpg does not wait for that, and a loop that ends before leaves a socket behind."""

    async def with_the_rest():
        try:
            return await main()
        finally:
            loop = asyncio.get_running_loop()
            end = loop.time() + PATIENCE
            while len(loop._selector.get_map()) > 1 and loop.time() < end:  # one is the loop's own
                await asyncio.sleep(0.001)

    return asyncio.run(with_the_rest())


# One function for each driver: a user's own line, with other parameters of the connection.


def with_psycopg(told, **more):
    with rdsign.psycopg.connect(**told, **more) as connection:
        return connection.execute(WHO).fetchone()[0]


def with_psycopg_async(told, **more):
    async def main():
        async with await rdsign.psycopg.connect_async(**told, **more) as connection:
            return (await (await connection.execute(WHO)).fetchone())[0]

    return finished(main)


def with_psycopg2(told, **more):
    connection = rdsign.psycopg2.connect(**told, **more)
    try:
        with connection.cursor() as cursor:
            cursor.execute(WHO)
            return cursor.fetchone()[0]
    finally:
        connection.close()


def with_asyncpg(told, **more):
    async def main():
        connection = await rdsign.asyncpg.connect(**asyncpg_s(told), **more)
        try:
            return await connection.fetchval(WHO)
        finally:
            await connection.close()

    return finished(main)


def asyncpg_s(told):
    """asyncpg reads no PGHOSTADDR, and calls a database database."""
    told = dict(told)
    told.setdefault("hostaddr", os.environ.get("PGHOSTADDR"))
    told["database"] = told.pop("dbname")
    if "sslmode" in told:
        told["ssl"] = told.pop("sslmode")
    return told


def with_sqlalchemy(driver):
    def connect(told, **more):
        signer = more.pop("signer", None)
        arguments = {**(asyncpg_s(told) if driver == "asyncpg" else told), **more}
        engine = sqlalchemy.create_engine(f"postgresql+{driver}://", connect_args=arguments)
        rdsign.sqlalchemy.use_tokens(engine, signer)
        try:
            with engine.connect() as connection:
                return connection.scalar(sqlalchemy.text(WHO))
        finally:
            engine.dispose()

    def connect_async(told, **more):
        signer = more.pop("signer", None)
        arguments = {**(asyncpg_s(told) if driver == "asyncpg" else told), **more}

        async def main():
            engine = create_async_engine(f"postgresql+{driver}://", connect_args=arguments)
            assert rdsign.sqlalchemy.use_tokens(engine, signer) is engine
            try:
                async with engine.connect() as connection:
                    return await connection.scalar(sqlalchemy.text(WHO))
            finally:
                await engine.dispose()

        return finished(main)

    return connect_async if driver in ("asyncpg", "psycopg_async") else connect


WAYS = {
    "psycopg": with_psycopg,
    "psycopg, async": with_psycopg_async,
    "psycopg2": with_psycopg2,
    "asyncpg": with_asyncpg,
    "SQLAlchemy and psycopg": with_sqlalchemy("psycopg"),
    "SQLAlchemy and psycopg, async": with_sqlalchemy("psycopg_async"),
    "SQLAlchemy and psycopg2": with_sqlalchemy("psycopg2"),
    "SQLAlchemy and asyncpg": with_sqlalchemy("asyncpg"),
}
FAILURES = (
    psycopg.Error,
    psycopg2.Error,
    asyncpg.PostgresError,
    sqlalchemy.exc.DBAPIError,
    ssl.SSLError,
    OSError,
)
each_way = pytest.mark.parametrize("connect", WAYS.values(), ids=WAYS)


@each_way
def test_it_logs_in(connect, told):
    assert connect(told) == "iam_user"


@each_way
def test_a_user_who_is_not_allowed_is_refused(connect, told, server):
    before = len(server.log.read_text())
    with pytest.raises(FAILURES, match='PAM authentication failed for user "testuser"'):
        connect(told | {"user": "testuser"})
    refusals = re.findall(r"rdsign: refused \(([a-z-]+)\)", server.log.read_text()[before:])
    assert refusals == ["not-allowed"]
    assert connect(told) == "iam_user"


@each_way
def test_only_rds_is_trusted_unless_told_otherwise(connect, told, server, monkeypatch):
    """This server is no RDS: its certificate is not of the package's authorities."""
    ca = server.exports["PGSSLROOTCERT"]
    monkeypatch.delenv("PGSSLROOTCERT")
    before = server.log.read_text()
    with pytest.raises(FAILURES, match="certificate verify failed"):
        connect(told)
    assert "refused" not in server.log.read_text()[len(before) :]
    # By the caller.
    assert connect(told | {"sslmode": "require"}) == "iam_user"
    # By libpq's variables.
    monkeypatch.setenv("PGSSLMODE", "require")
    assert connect(told) == "iam_user"
    monkeypatch.setenv("PGSSLMODE", "verify-full")
    with pytest.raises(FAILURES, match="certificate verify failed"):
        connect(told)
    monkeypatch.setenv("PGSSLROOTCERT", ca)
    assert connect(told) == "iam_user"


@each_way
def test_the_server_s_name_is_checked_unless_told_otherwise(connect, told, server):
    signer = rdsign.Signer(hostname=server.host, port=int(server.port), username="iam_user")
    elsewhere = told | {"host": "elsewhere.abc123.ap-northeast-1.rds.amazonaws.com"}
    with pytest.raises(FAILURES, match="does not match host name|Hostname mismatch"):
        connect(elsewhere, signer=signer)
    assert connect(elsewhere | {"sslmode": "verify-ca"}, signer=signer) == "iam_user"


@each_way
def test_it_signs_for_the_endpoint_of_a_signer_and_dials_another_address(connect, server, monkeypatch):
    """As through a tunnel: the server answers to port 5432 as well, which is not its own."""
    monkeypatch.delenv("PGHOSTADDR")
    endpoint = ("endpoints = [", f'endpoints = ["{server.host}:5432", ')
    signer = rdsign.Signer(hostname=server.host, username="iam_user")
    tunnel = {"hostaddr": "127.0.0.1", "port": int(server.port), "dbname": "testdb"}
    with server.configuration(endpoint):
        assert connect(tunnel, signer=signer) == "iam_user"
    before = len(server.log.read_text())
    with pytest.raises(FAILURES, match="PAM authentication failed"):
        connect(tunnel, signer=signer)
    assert "refused (wrong-endpoint)" in server.log.read_text()[before:]


@each_way
def test_what_cannot_be_signed_for_is_said_before_anything_is_dialled(connect, told, server):
    signer = rdsign.Signer(hostname=server.host, username="iam_user")
    for wrong, code, options in [
        ({"host": f"{server.host},other"}, "INVALID_HOSTNAME", {}),
        ({"host": None}, "INVALID_HOSTNAME", {}),
        ({"user": None}, "INVALID_USERNAME", {}),
        ({"user": "testuser"}, "INVALID_USERNAME", {"signer": signer}),
        ({"host": "db.example.com"}, "REGION_REQUIRED", {}),
    ]:
        with pytest.raises(rdsign.InvalidRequestError) as caught:
            connect(told | wrong, **options)
        assert caught.value.code == code


@each_way
def test_an_error_of_credentials_comes_out_as_itself(connect, told, monkeypatch):
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    with pytest.raises(rdsign.CredentialsError) as caught:
        connect(told)
    assert caught.value.code == "CREDENTIALS_NOT_FOUND"


@each_way
def test_libpq_s_variables_say_what_the_program_does_not(connect, server, monkeypatch):
    for name in ("PGHOST", "PGPORT", "PGUSER"):
        monkeypatch.setenv(name, server.exports[name])
    assert connect({"dbname": "testdb"}) == "iam_user"


# What a user writes otherwise


def test_conninfos_dsns_and_urls_are_read(server, told):
    conninfo = " ".join(f"{name}={value}" for name, value in told.items())
    for text in (conninfo, f"postgresql://iam_user@{server.host}:{server.port}/testdb"):
        with rdsign.psycopg.connect(text, autocommit=True, row_factory=psycopg.rows.dict_row) as connection:
            assert connection.execute(WHO).fetchone() == {"current_user": "iam_user"}
            assert connection.autocommit
        connection = rdsign.psycopg2.connect(text)
        assert "X-Amz" not in connection.dsn
        connection.close()

    async def main():
        query = f"sslmode=verify-full&sslrootcert={server.exports['PGSSLROOTCERT']}"
        dsn = f"postgresql://iam_user@{server.host}:{server.port}/testdb?{query}"
        connection = await rdsign.asyncpg.connect(dsn, hostaddr="127.0.0.1", timeout=None)
        assert await connection.fetchval(WHO) == "iam_user"
        await connection.close()
        context = ssl.create_default_context(cafile=server.exports["PGSSLROOTCERT"])
        with pytest.raises(ValueError, match="hostaddr"):
            await rdsign.asyncpg.connect(dsn, hostaddr="127.0.0.1", ssl=context)

    finished(main)
    for driver, query in [("psycopg", ""), ("psycopg2", ""), ("psycopg", "?hostaddr=127.0.0.1")]:
        engine = rdsign.sqlalchemy.use_tokens(sqlalchemy.create_engine(url(driver, server, query)))
        with engine.connect() as connection:
            assert connection.scalar(sqlalchemy.text(WHO)) == "iam_user"
        engine.dispose()


def test_another_driver_of_sqlalchemy_is_refused_at_once():
    engine = sqlalchemy.create_engine("sqlite://")
    with pytest.raises(ValueError, match="its driver is pysqlite; accepted: psycopg, "):
        rdsign.sqlalchemy.use_tokens(engine)


def test_a_connection_factory_of_psycopg2_keeps_its_class(told, server):
    class Own(psycopg2.extensions.connection):
        pass

    signer = rdsign.Signer(hostname=server.host, port=int(server.port), username="iam_user")
    for options in ({}, {"signer": signer}):
        connection = rdsign.psycopg2.connect(connection_factory=Own, **told, **options)
        assert isinstance(connection, Own)
        connection.close()


# Pools


def test_the_pools_of_psycopg_make_their_connections_with_tokens(told):
    conninfo = " ".join(f"{name}={value}" for name, value in told.items())
    with ConnectionPool(conninfo, min_size=2, open=True, connection_class=rdsign.psycopg.Connection) as pool:
        pool.wait()
        with pool.connection() as connection:
            assert connection.execute(WHO).fetchone() == ("iam_user",)

    async def main():
        kind = rdsign.psycopg.AsyncConnection
        async with AsyncConnectionPool(conninfo, min_size=2, open=False, connection_class=kind) as pool:
            await pool.wait()
            async with pool.connection() as connection:
                assert await (await connection.execute(WHO)).fetchone() == ("iam_user",)

    finished(main)


def test_the_pool_of_psycopg2_makes_its_connections_with_tokens(told, server):
    signer = rdsign.Signer(hostname=server.host, port=int(server.port), username="iam_user")
    for factory in (rdsign.psycopg2.connection, rdsign.psycopg2.factory(signer)):
        pool = ThreadedConnectionPool(2, 3, connection_factory=factory, **told)
        with pool.getconn().cursor() as cursor:
            cursor.execute(WHO)
            assert cursor.fetchone() == ("iam_user",)
        pool.closeall()


def test_the_pool_of_asyncpg_makes_its_connections_with_tokens(told):
    async def main():
        async with rdsign.asyncpg.create_pool(min_size=2, **asyncpg_s(told)) as pool:
            assert await pool.fetchval(WHO) == "iam_user"

    finished(main)


# A server that is no pool's


def test_rds_local_itself_takes_a_password_of_the_signer(server):
    signer = rdsign.Signer(hostname=server.host, port=int(server.port), username="iam_user")
    server.login(signer.password())
    server.refuse(signer.password().replace("DBUser=iam_user", "DBUser=iam_usex"), r"\(wrong-user\).*")
