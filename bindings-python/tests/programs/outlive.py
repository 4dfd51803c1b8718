"""Opens two connections of a pool: one at once, and the other when a line on standard input says that
the clock was set forward. Prints a password, "one" and the user of the second connection.

    outlive.py WAY HOST PORT
"""

import asyncio
import sys

import rdsign

WAY, HOST, PORT = sys.argv[1:]
WHO = "select current_user"
URL = f"postgresql+psycopg://iam_user@{HOST}:{PORT}/testdb"
PARAMETERS = {"host": HOST, "port": int(PORT), "user": "iam_user"}


def later():
    """Reports that the first connection is open, and waits until the clocks are set forward."""
    print("one", flush=True)
    sys.stdin.readline()


def psycopg_pool():
    import rdsign.psycopg
    from psycopg_pool import ConnectionPool

    parameters = PARAMETERS | {"dbname": "testdb"}
    own = {"kwargs": parameters, "connection_class": rdsign.psycopg.Connection}
    with ConnectionPool(min_size=1, max_size=2, open=True, **own) as pool:
        # Whoever asks for a connection before there is one makes the pool open two.
        pool.wait()
        with pool.connection() as first:
            first.execute(WHO)
            later()
            with pool.connection() as second:
                assert first is not second
                return second.execute(WHO).fetchone()[0]


def psycopg_async_pool():
    import rdsign.psycopg
    from psycopg_pool import AsyncConnectionPool

    async def main():
        parameters = PARAMETERS | {"dbname": "testdb"}
        own = {"kwargs": parameters, "connection_class": rdsign.psycopg.AsyncConnection}
        async with AsyncConnectionPool(min_size=1, max_size=2, open=False, **own) as pool:
            await pool.wait()
            async with pool.connection():
                later()
                async with pool.connection() as second:
                    return (await (await second.execute(WHO)).fetchone())[0]

    return asyncio.run(main())


def psycopg2_pool():
    import rdsign.psycopg2
    from psycopg2.pool import ThreadedConnectionPool

    factory = rdsign.psycopg2.connection
    pool = ThreadedConnectionPool(1, 2, connection_factory=factory, dbname="testdb", **PARAMETERS)
    first = pool.getconn()
    later()
    second = pool.getconn()
    assert first is not second
    with second.cursor() as cursor:
        cursor.execute(WHO)
        found = cursor.fetchone()[0]
    pool.closeall()
    return found


def asyncpg_pool():
    import rdsign.asyncpg

    async def main():
        parameters = PARAMETERS | {"database": "testdb", "hostaddr": "127.0.0.1"}
        async with rdsign.asyncpg.create_pool(min_size=1, max_size=2, **parameters) as pool:
            async with pool.acquire():
                later()
                async with pool.acquire() as second:
                    return await second.fetchval(WHO)

    return asyncio.run(main())


def sqlalchemy_engine():
    import rdsign.sqlalchemy
    from sqlalchemy import create_engine

    return user_of(rdsign.sqlalchemy.use_tokens(create_engine(URL)))


def sqlalchemy_plugin_engine():
    from sqlalchemy import create_engine

    return user_of(create_engine(f"{URL}?plugin=rdsign"))


def user_of(engine):
    from sqlalchemy import text

    with engine.connect() as first:
        first.execute(text(WHO))
        later()
        with engine.connect() as second:
            found = second.scalar(text(WHO))
    engine.dispose()
    return found


def sqlalchemy_async_engine():
    import rdsign.sqlalchemy
    from sqlalchemy import text
    from sqlalchemy.ext.asyncio import create_async_engine

    async def main():
        url = f"postgresql+asyncpg://iam_user@{HOST}:{PORT}/testdb"
        arguments = {"hostaddr": "127.0.0.1"}
        engine = rdsign.sqlalchemy.use_tokens(create_async_engine(url, connect_args=arguments))
        async with engine.connect() as first:
            await first.execute(text(WHO))
            later()
            async with engine.connect() as second:
                found = await second.scalar(text(WHO))
        await engine.dispose()
        return found

    return asyncio.run(main())


def django_pool():
    first = django_connection({"OPTIONS": {"pool": {"min_size": 1, "max_size": 2}}})
    first.pool.open()
    first.pool.wait()
    with first.cursor() as cursor:
        cursor.execute(WHO)
        later()
        with first.pool.connection() as second:
            found = second.execute(WHO).fetchone()[0]
    first.close()
    first.close_pool()
    return found


def django_engine():
    connection = django_connection({"CONN_MAX_AGE": None})
    connection.ensure_connection()
    later()
    # As after a failover, or in another thread.
    connection.close()
    with connection.cursor() as cursor:
        cursor.execute(WHO)
        found = cursor.fetchone()[0]
    connection.close()
    return found


def django_connection(own):
    import django
    from django.conf import settings
    from django.db.utils import ConnectionHandler

    settings.configure()
    django.setup()
    own |= {
        "ENGINE": "rdsign.django.postgresql",
        "HOST": HOST,
        "PORT": PORT,
        "USER": "iam_user",
        "NAME": "testdb",
    }
    return ConnectionHandler({"default": own})["default"]


signer = rdsign.Signer(hostname=HOST, port=int(PORT), username="iam_user")
print(signer.password(), flush=True)
print(globals()[WAY](), flush=True)
