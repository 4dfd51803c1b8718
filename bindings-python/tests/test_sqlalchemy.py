"""SQLAlchemy by the URL alone, engines that cannot get a token, and the classes of errors."""

import asyncio
import pickle

import pytest
import rdsign
import sqlalchemy
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

WHO = sqlalchemy.text("select current_user")
DRIVERS = ["psycopg", "psycopg2", "asyncpg", "psycopg_async"]
each_driver = pytest.mark.parametrize("driver", DRIVERS)
ENDPOINT = "a.abc123.eu-west-1.rds.amazonaws.com"


@pytest.fixture
def keys(local, monkeypatch):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "PGSSLROOTCERT", "PGHOSTADDR"):
        monkeypatch.setenv(name, local.exports[name])


def create(driver, rest, **options):
    made = create_async_engine if driver in ("asyncpg", "psycopg_async") else sqlalchemy.create_engine
    return made(f"postgresql+{driver}://{rest}", **options)


def user_of(engine):
    async def main():
        async with engine.connect() as connection:
            found = await connection.scalar(WHO)
        await engine.dispose()
        return found

    if hasattr(engine, "sync_engine"):
        return asyncio.run(main())
    try:
        with engine.connect() as connection:
            return connection.scalar(WHO)
    finally:
        engine.dispose()


@each_driver
def test_a_url_alone_logs_in(driver, local, keys):
    url = f"iam_user:ignored@{local.host}:{local.port}/testdb?plugin=rdsign"
    assert user_of(create(driver, url)) == "iam_user"


@each_driver
def test_the_url_says_how_to_verify_and_whose_keys_to_use(driver, local, keys, monkeypatch, tmp_path):
    authorities = local.exports["PGSSLROOTCERT"]
    monkeypatch.delenv("PGSSLROOTCERT")
    monkeypatch.delenv("PGHOSTADDR")
    url = f"iam_user@{local.host}:{local.port}/testdb?plugin=rdsign&hostaddr=127.0.0.1"
    with pytest.raises(Exception, match="certificate verify failed"):
        user_of(create(driver, url))
    for query in (
        f"sslmode=verify-full&sslrootcert={authorities}",
        f"sslrootcert={authorities}",
        "sslmode=require",
    ):
        assert user_of(create(driver, f"{url}&{query}")) == "iam_user"
    with pytest.raises(rdsign.CredentialsError, match="missing"):
        user_of(create(driver, f"{url}&sslmode=require&profile=missing"))


def test_sslmode_and_sslrootcert_of_an_asyncpg_url_are_translated(local, keys):
    query = f"sslmode=verify-full&sslrootcert={local.exports['PGSSLROOTCERT']}"
    engine = create("asyncpg", f"iam_user@{local.host}:{local.port}/testdb?{query}")
    assert user_of(rdsign.sqlalchemy.use_tokens(engine)) == "iam_user"


def test_an_engine_that_opens_connections_itself_is_refused():
    def creator():
        raise AssertionError

    url = f"postgresql+psycopg://u@{ENDPOINT}/app"
    for options in ({"creator": creator}, {"pool": NullPool(creator)}):
        engine = sqlalchemy.create_engine(url, **options)
        with pytest.raises(ValueError, match="^engine: its connections come from creator="):
            rdsign.sqlalchemy.use_tokens(engine)
        with pytest.raises(ValueError, match="^engine: its connections come from creator="):
            sqlalchemy.create_engine(f"{url}?plugin=rdsign", **options)

    async def async_creator():
        raise AssertionError

    with pytest.raises(ValueError, match="^engine: its connections come from creator="):
        create("asyncpg", f"u@{ENDPOINT}/app?plugin=rdsign", async_creator=async_creator)
    assert create("psycopg", f"u@{ENDPOINT}/app?plugin=rdsign", poolclass=NullPool)


def test_another_driver_and_what_is_no_engine_are_refused():
    with pytest.raises(ValueError, match="^engine: has the driver pysqlite; accepted: psycopg, "):
        rdsign.sqlalchemy.use_tokens(sqlalchemy.create_engine("sqlite://"))
    for wrong, kind in [("postgresql://u@h/app", "str"), (None, "NoneType"), (sqlalchemy, "module")]:
        with pytest.raises(TypeError, match=f"^engine: has type {kind}; accepted: an Engine or AsyncEngine$"):
            rdsign.sqlalchemy.use_tokens(wrong)


@each_driver
def test_errors_are_rdsign_s_and_an_operational_error(driver, monkeypatch):
    engine = create(driver, f"u@{ENDPOINT}/app?plugin=rdsign")
    with pytest.raises(OperationalError) as caught:
        user_of(engine)
    error = caught.value
    assert isinstance(error, rdsign.CredentialsError)
    assert (error.code, error.connection_invalidated) == ("CREDENTIALS_NOT_FOUND", False)
    assert str(error) == str(error.orig) and "no credentials found" in str(error)
    assert type(error.__cause__) is rdsign.CredentialsError is type(error.orig)
    again = pickle.loads(pickle.dumps(error))
    assert (str(again), again.code, isinstance(again, OperationalError)) == (str(error), error.code, True)
    with pytest.raises(OperationalError) as caught:
        user_of(create(driver, "u@db.example.com/app?plugin=rdsign"))
    assert isinstance(caught.value, rdsign.InvalidRequestError)
