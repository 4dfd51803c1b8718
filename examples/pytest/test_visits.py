"""Tests visits.py with RDS on this machine.

    pip install rdsign pytest 'psycopg[binary]' sqlalchemy
    pytest

The fixture `rds` comes with rdsign. Each test has its own database, and a user who logs in with tokens.
"""

import psycopg
import pytest
from rdsign.sqlalchemy import use_tokens
from sqlalchemy import create_engine
from sqlalchemy.exc import OperationalError
from sqlalchemy.pool import NullPool
from visits import create_tables, visit


@pytest.fixture
def engine(rds):
    # Each block of `with` opens a connection, which logs in with a new token.
    engine = create_engine(
        f"postgresql+psycopg://{rds.user}@{rds.host}:{rds.port}/{rds.database}",
        connect_args={"hostaddr": rds.hostaddr, "sslrootcert": rds.authorities},
        poolclass=NullPool,
    )
    create_tables(use_tokens(engine, rds.signer()))
    return engine


def test_each_test_has_a_database_of_its_own(engine, rds):
    with engine.begin() as connection:
        assert visit(connection, "/") == 1
        assert visit(connection, "/") == 2
    assert rds.sql("select page, count from visits") == [["/", "2"]]


def test_an_old_token_is_refused_and_the_engine_gets_a_new_one(engine, rds):
    token = rds.token()
    rds.clock.advance(minutes=16)
    with pytest.raises(psycopg.OperationalError, match="PAM authentication failed"):
        rds.connect(password=token)
    assert [refusal.id for refusal in rds.refusals] == ["expired"]
    with engine.begin() as connection:
        assert visit(connection, "/") == 1


def test_a_user_without_permission_is_refused(engine, rds):
    rds.policy.deny()
    with pytest.raises(OperationalError, match="PAM authentication failed"), engine.connect():
        pass
    [refusal] = rds.refusals
    assert refusal.id == "not-allowed"
    assert "rds-db:connect" in refusal.reason
    rds.policy.allow()
    with engine.connect() as connection:
        assert visit(connection, "/") == 1


def test_an_open_connection_outlives_its_key(engine, rds):
    with engine.connect() as connection:
        rds.keys.expire()
        assert visit(connection, "/") == 1
        with pytest.raises(OperationalError), engine.connect():
            pass
    assert rds.refusals[0].reason.startswith("the credentials that signed it expired at ")
