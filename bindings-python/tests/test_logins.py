"""Each driver logs in to a local RDS with one line, verifies the server's certificate and its name
unless told otherwise, and signs for the endpoint even if it dials another address.

The reason of each refused login is read in the server's log. The log has no entry if the client
rejects the server, because it then sends no token.
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
import sqlalchemy
from common import PATIENCE
from psycopg2.pool import ThreadedConnectionPool
from psycopg_pool import AsyncConnectionPool, ConnectionPool
from sqlalchemy.ext.asyncio import create_async_engine

WHO = "select current_user"


@pytest.fixture
def server(local, monkeypatch):
    """The shared server. The environment has keys and the server's certificate authority."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "PGSSLROOTCERT", "PGHOSTADDR"):
        monkeypatch.setenv(name, local.exports[name])
    yield local


@pytest.fixture
def parameters(server):
    """The parameters of a program that connects to the endpoint."""
    return {"host": server.host, "port": int(server.port), "user": "iam_user", "dbname": "testdb"}


def url(driver, server, query="", user="iam_user"):
    host = f"{server.host}:{server.port}"
    return f"postgresql+{driver}://{user}:ignored@{host}/testdb{query}"


def finished(main):
    """Runs an async program, then waits until refused connections are closed.

    asyncpg does not wait for that, and without the wait a socket would be left open.
    """

    async def and_wait():
        try:
            return await main()
        finally:
            loop = asyncio.get_running_loop()
            deadline = loop.time() + PATIENCE
            while len(loop._selector.get_map()) > 1 and loop.time() < deadline:  # the loop itself has one
                await asyncio.sleep(0.001)

    return asyncio.run(and_wait())


# One function for each driver: connects with a user's line, and more parameters.


def with_psycopg(parameters, **more):
    with rdsign.psycopg.connect(**parameters, **more) as connection:
        return connection.execute(WHO).fetchone()[0]


def with_psycopg_async(parameters, **more):
    async def main():
        async with await rdsign.psycopg.connect_async(**parameters, **more) as connection:
            return (await (await connection.execute(WHO)).fetchone())[0]

    return finished(main)


def with_psycopg2(parameters, **more):
    connection = rdsign.psycopg2.connect(**parameters, **more)
    try:
        with connection.cursor() as cursor:
            cursor.execute(WHO)
            return cursor.fetchone()[0]
    finally:
        connection.close()


def with_asyncpg(parameters, **more):
    async def main():
        connection = await rdsign.asyncpg.connect(**asyncpg_s(parameters), **more)
        try:
            return await connection.fetchval(WHO)
        finally:
            await connection.close()

    return finished(main)


def asyncpg_s(parameters):
    """Renames the parameter of the database for asyncpg."""
    parameters = dict(parameters)
    parameters["database"] = parameters.pop("dbname")
    return parameters


def with_sqlalchemy(driver):
    def connect(parameters, **more):
        signer = more.pop("signer", None)
        arguments = {**(asyncpg_s(parameters) if driver == "asyncpg" else parameters), **more}
        engine = sqlalchemy.create_engine(f"postgresql+{driver}://", connect_args=arguments)
        rdsign.sqlalchemy.use_tokens(engine, signer)
        try:
            with engine.connect() as connection:
                return connection.scalar(sqlalchemy.text(WHO))
        finally:
            engine.dispose()

    def connect_async(parameters, **more):
        signer = more.pop("signer", None)
        arguments = {**(asyncpg_s(parameters) if driver == "asyncpg" else parameters), **more}

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
def test_it_logs_in(connect, parameters):
    assert connect(parameters) == "iam_user"


@each_way
def test_a_user_without_permission_is_rejected(connect, parameters, server):
    before = len(server.log.read_text())
    with pytest.raises(FAILURES, match='PAM authentication failed for user "testuser"'):
        connect(parameters | {"user": "testuser"})
    refusals = re.findall(r"rdsign: refused \(([a-z-]+)\)", server.log.read_text()[before:])
    assert refusals == ["not-allowed"]
    assert connect(parameters) == "iam_user"


@each_way
def test_only_rds_is_trusted_unless_told_otherwise(connect, parameters, server, monkeypatch):
    """The local server's certificate does not come from the authorities of RDS."""
    ca = server.exports["PGSSLROOTCERT"]
    monkeypatch.delenv("PGSSLROOTCERT")
    before = server.log.read_text()
    with pytest.raises(FAILURES, match="certificate verify failed"):
        connect(parameters)
    assert "refused" not in server.log.read_text()[len(before) :]
    # The caller says otherwise.
    assert connect(parameters | {"sslmode": "require"}) == "iam_user"
    # libpq's variables say otherwise.
    monkeypatch.setenv("PGSSLMODE", "require")
    assert connect(parameters) == "iam_user"
    monkeypatch.setenv("PGSSLMODE", "verify-full")
    with pytest.raises(FAILURES, match="certificate verify failed"):
        connect(parameters)
    monkeypatch.setenv("PGSSLROOTCERT", ca)
    assert connect(parameters) == "iam_user"


@each_way
def test_the_server_s_name_is_verified_unless_told_otherwise(connect, parameters, server):
    other_name = parameters | {"host": "other.abc123.ap-northeast-1.rds.amazonaws.com"}
    with pytest.raises(FAILURES, match="does not match host name|Hostname mismatch"):
        connect(other_name)
    endpoint = f'endpoints = ["{other_name["host"]}:{server.port}", '
    with server.configuration(("endpoints = [", endpoint)):
        assert connect(other_name | {"sslmode": "verify-ca"}) == "iam_user"


@each_way
def test_it_signs_for_the_signer_s_endpoint_and_dials_another_address(connect, server, monkeypatch):
    """The server stands for an endpoint with port 5432 behind a tunnel."""
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
def test_invalid_parameters_are_reported_before_dialing(connect, parameters, server):
    signer = rdsign.Signer(hostname=server.host, username="iam_user")
    for wrong, code, options in [
        ({"host": None}, "INVALID_HOSTNAME", {}),
        ({"user": None}, "INVALID_USERNAME", {}),
        ({"user": "testuser"}, "INVALID_USERNAME", {"signer": signer}),
        ({"host": "db.example.com"}, "REGION_REQUIRED", {}),
    ]:
        with pytest.raises(rdsign.InvalidRequestError) as caught:
            connect(parameters | wrong, **options)
        assert caught.value.code == code


@each_way
def test_a_list_of_hosts_is_refused_in_one_sentence(connect, parameters, server):
    signer = rdsign.Signer(hostname=server.host, username="iam_user")
    hosts = f"{server.host},other.abc123.ap-northeast-1.rds.amazonaws.com"
    for wrong in ({"host": hosts}, {"host": hosts, "port": "5432,5432"}):
        for options in ({}, {"signer": signer}):
            with pytest.raises(
                rdsign.InvalidRequestError, match=f'^hostname: "{hosts}" is a list of hosts; a'
            ):
                connect(parameters | wrong, **options)


def test_a_list_of_hosts_in_a_url_is_refused_in_one_sentence(monkeypatch):
    one, other = (f"{name}.abc123.eu-west-1.rds.amazonaws.com" for name in "ab")
    said = pytest.raises(rdsign.InvalidRequestError, match="is a list of hosts; accepted: a bare host name")
    ports = f"{one}:5432,{other}:5433"
    for connect in (rdsign.psycopg.connect, rdsign.psycopg2.connect):
        with said:
            connect(f"postgresql://u@{ports}/app")
    with said:
        rdsign.asyncpg.arguments(f"postgresql://u@{ports}/app")
    with said:
        rdsign.asyncpg.arguments(host=[one, other], port=[5432, 5433], user="u")
    for driver in ("psycopg", "psycopg2", "asyncpg"):
        url = f"postgresql+{driver}://u@/app?plugin=rdsign&host={one}:5432&host={other}:5432"
        engine = (create_async_engine if driver == "asyncpg" else sqlalchemy.create_engine)(url)
        with said:
            getattr(engine, "sync_engine", engine).raw_connection()
    monkeypatch.setenv("PGHOST", f"{one},{other}")
    monkeypatch.setenv("PGPORT", "5432,5433")
    with said:
        rdsign.psycopg.connect("user=u")


@pytest.mark.parametrize(
    "wrong", [{"host": 5}, {"port": [5432, 5433]}, {"port": 5.5}, {"user": b"u"}, {"region": ["x"]}]
)
def test_a_parameter_of_the_wrong_type_raises_a_type_error_that_names_the_option(wrong):
    right = {"host": "a.abc123.eu-west-1.rds.amazonaws.com", "port": 5432, "user": "u"}
    names = {"host": "hostname", "user": "username"}
    [name] = (names.get(name, name) for name in wrong)
    with pytest.raises(TypeError, match=f"^{name}: has type "):
        rdsign.psycopg.connect(**right | wrong)
    with pytest.raises(TypeError, match=f"^{name}: has type "):
        rdsign.asyncpg.arguments(**right | wrong)


@pytest.mark.parametrize("port", ["5432,5433", "x", "05432"])
def test_a_port_of_the_environment_that_is_none_is_refused(port, monkeypatch):
    monkeypatch.setenv("PGPORT", port)
    with pytest.raises(rdsign.InvalidRequestError, match=f'^port: "{port}" is not a port; ') as caught:
        rdsign.psycopg.connect(host="a.abc123.eu-west-1.rds.amazonaws.com", user="u")
    assert caught.value.code == "INVALID_PORT"


@each_way
def test_a_profile_and_a_region_may_stand_among_the_parameters(
    connect, parameters, server, tmp_path, monkeypatch
):
    file = tmp_path / "credentials"
    lines = (
        f"{name.lower()} = {os.environ[name]}" for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
    )
    file.write_text("\n".join(["[work]", *lines]))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(file))
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAOTHER")
    assert connect(parameters, profile="work") == "iam_user"
    for options, code in [
        ({"region": "eu-west-3"}, "REGION_MISMATCH"),
        ({"profile": "missing"}, "CREDENTIALS_FAILED"),
        ({"external_id": "x"}, "INVALID_CREDENTIALS"),
    ]:
        with pytest.raises(rdsign.Error) as caught:
            connect(parameters, **options)
        assert caught.value.code == code
    signer = rdsign.Signer(hostname=server.host, port=int(server.port), username="iam_user")
    with pytest.raises(rdsign.InvalidRequestError, match="^profile: given together with a signer"):
        connect(parameters, signer=signer, profile="work")


@pytest.mark.parametrize(
    "missing, message",
    [
        ("host", "host: missing; accepted: host, PGHOST or a signer"),
        ("user", "user: missing; accepted: user, PGUSER or a signer"),
    ],
)
def test_a_missing_host_or_user_names_libpq_s_variable(missing, message):
    parameters = {"host": "db.example.com", "user": "iam_user"}
    del parameters[missing]
    with pytest.raises(rdsign.InvalidRequestError, match=f"^{message}$"):
        rdsign.psycopg.connect(**parameters)


@each_way
def test_missing_credentials_raise_credentials_error(connect, parameters, monkeypatch):
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    with pytest.raises(rdsign.CredentialsError) as caught:
        connect(parameters)
    assert caught.value.code == "CREDENTIALS_NOT_FOUND"


@each_way
def test_libpq_s_variables_fill_in_missing_parameters(connect, server, monkeypatch):
    for name in ("PGHOST", "PGPORT", "PGUSER"):
        monkeypatch.setenv(name, server.exports[name])
    assert connect({"dbname": "testdb"}) == "iam_user"


def test_psycopg2_needs_no_parameter_if_libpq_s_variables_have_all(server, monkeypatch):
    for name in ("PGHOST", "PGPORT", "PGUSER", "PGDATABASE"):
        monkeypatch.setenv(name, server.exports[name])
    rdsign.psycopg2.connect().close()


# Other ways to write the parameters


def test_conninfos_dsns_and_urls_are_read(server, parameters):
    conninfo = " ".join(f"{name}={value}" for name, value in parameters.items())
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
        connection = await rdsign.asyncpg.connect(dsn, timeout=None)
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


def test_a_connection_factory_of_psycopg2_keeps_its_class(parameters, server):
    class Own(psycopg2.extensions.connection):
        pass

    signer = rdsign.Signer(hostname=server.host, port=int(server.port), username="iam_user")
    for options in ({}, {"signer": signer}):
        connection = rdsign.psycopg2.connect(connection_factory=Own, **parameters, **options)
        assert isinstance(connection, Own)
        connection.close()


# Pools


def test_psycopg_s_pools_connect_with_tokens(parameters):
    conninfo = " ".join(f"{name}={value}" for name, value in parameters.items())
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


def test_psycopg2_s_pool_connects_with_tokens(parameters, server):
    signer = rdsign.Signer(hostname=server.host, port=int(server.port), username="iam_user")
    for factory in (rdsign.psycopg2.connection, rdsign.psycopg2.factory(signer)):
        pool = ThreadedConnectionPool(2, 3, connection_factory=factory, **parameters)
        with pool.getconn().cursor() as cursor:
            cursor.execute(WHO)
            assert cursor.fetchone() == ("iam_user",)
        pool.closeall()


def test_asyncpg_s_pool_connects_with_tokens(parameters):
    async def main():
        async with rdsign.asyncpg.create_pool(min_size=2, **asyncpg_s(parameters)) as pool:
            assert await pool.fetchval(WHO) == "iam_user"

    finished(main)


# Without a driver's module


def test_the_server_accepts_the_signer_s_password(server):
    signer = rdsign.Signer(hostname=server.host, port=int(server.port), username="iam_user")
    server.login(signer.password())
    server.refuse(signer.password().replace("DBUser=iam_user", "DBUser=iam_usex"), r"\(wrong-user\).*")


def test_a_program_that_calls_asyncpg_itself_gets_tokens(server, parameters):
    """As libraries on top of asyncpg do: with the arguments, or with a password function."""
    signer = rdsign.Signer(hostname=server.host, port=int(server.port), username="iam_user")
    dialed = {"host": "127.0.0.1", "port": int(server.port), "user": "iam_user", "database": "testdb"}
    ways = [
        rdsign.asyncpg.arguments(**asyncpg_s(parameters)),
        {**dialed, "password": signer.password_async, "ssl": "require"},
        {**dialed, "password": signer.password, "ssl": "require"},
    ]

    async def main(way):
        connection = await asyncpg.connect(**way)
        try:
            return await connection.fetchval(WHO)
        finally:
            await connection.close()

    assert [finished(lambda way=way: main(way)) for way in ways] == ["iam_user"] * 3


@pytest.fixture
def service(tmp_path, monkeypatch):
    """Writes the service `dev`, which PGSERVICE names."""

    def write(*settings):
        file = tmp_path / "services"
        file.write_text("\n".join(["[dev]", *settings]))
        monkeypatch.setenv("PGSERVICEFILE", str(file))
        monkeypatch.setenv("PGSERVICE", "dev")
        for name in ("PGHOST", "PGUSER", "PGDATABASE"):
            monkeypatch.setenv(name, "wrong")

    return write


def in_asyncpg(**parameters):
    async def main():
        connection = await rdsign.asyncpg.connect(**parameters)
        try:
            return await connection.fetchval(WHO)
        finally:
            await connection.close()

    return finished(main)


def in_psycopg(**parameters):
    with rdsign.psycopg.connect(**parameters) as connection:
        return connection.execute(WHO).fetchone()[0]


def in_psycopg2(**parameters):
    connection = rdsign.psycopg2.connect("", **parameters)
    with connection.cursor() as cursor:
        cursor.execute(WHO)
        found = cursor.fetchone()[0]
    connection.close()
    return found


def in_sqlalchemy(**parameters):
    engine = sqlalchemy.create_engine("postgresql+psycopg://", connect_args=parameters)
    try:
        with rdsign.sqlalchemy.use_tokens(engine).connect() as connection:
            return connection.execute(sqlalchemy.text(WHO)).scalar()
    finally:
        engine.dispose()


WITH_A_SERVICE = [in_psycopg, in_psycopg2, in_asyncpg, in_sqlalchemy]


@pytest.mark.parametrize("connect", WITH_A_SERVICE)
def test_the_service_s_server_is_signed_for(server, service, connect):
    service(
        f"host={server.host}", f"port={server.port}", "user=iam_user", "dbname=testdb", "hostaddr=127.0.0.1"
    )
    assert connect() == "iam_user"


@pytest.mark.parametrize("connect", WITH_A_SERVICE)
@pytest.mark.parametrize("mode", ["prefer", "require"])
def test_a_weak_sslmode_of_the_service_is_refused(server, service, connect, mode):
    service("host=127.0.0.1", "port=1", "user=iam_user", f"sslmode={mode}")
    with pytest.raises(rdsign.InvalidRequestError, match=f'line 5: sslmode: "{mode}" would send the token'):
        connect()


def test_an_sslmode_of_the_program_overrides_the_service_s(server, service):
    service(f"host={server.host}", f"port={server.port}", "user=iam_user", "dbname=testdb", "sslmode=disable")
    assert in_psycopg(sslmode="verify-full") == "iam_user"
    assert in_psycopg2(sslmode="verify-full") == "iam_user"


def test_a_service_of_the_connection_string_is_read(server, service, monkeypatch):
    service("host=127.0.0.1", "port=1", "user=iam_user", "sslmode=prefer")
    monkeypatch.delenv("PGSERVICE")
    with pytest.raises(rdsign.InvalidRequestError, match="would send the token"):
        rdsign.psycopg.connect("service=dev")
    with pytest.raises(rdsign.InvalidRequestError, match='service "typo": not in'):
        rdsign.psycopg2.connect("service=typo")


@pytest.mark.parametrize("connect", WITH_A_SERVICE[:3])
def test_a_signer_s_endpoint_comes_before_the_service_s(server, service, connect):
    service("host=127.0.0.1", "port=1", "user=other", "hostaddr=127.0.0.1", "gssencmode=require")
    signer = rdsign.Signer(hostname=server.host, port=int(server.port), username="iam_user")
    database = "database" if connect is in_asyncpg else "dbname"
    assert connect(signer=signer, **{database: "testdb"}) == "iam_user"
