"""Requests to cancel a query through the proxy."""

import threading

import psycopg
import pytest
from common import PATIENCE, wait_until

BUSY = "select count(*) from pg_stat_activity where query = 'select pg_sleep(600)' and state = 'active'"


class Sleeper:
    """A session whose query runs until it is cancelled."""

    def __init__(self, conninfo, local):
        self.connection = psycopg.connect(conninfo, autocommit=True)
        self.error = None
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()
        wait_until(lambda: local.as_postgres(BUSY) == ["1"], "the query runs")

    def _run(self):
        try:
            self.connection.execute("select pg_sleep(600)")
        except psycopg.Error as error:
            self.error = error

    def cancel(self):
        self.connection.cancel()
        self.thread.join(PATIENCE)
        assert isinstance(self.error, psycopg.errors.QueryCanceled)


def test_a_running_query_is_cancelled_and_its_session_goes_on(local, proxy):
    sleeper = Sleeper(proxy.conninfo, local)
    sleeper.cancel()
    assert sleeper.connection.execute("select 1").fetchone() == (1,)
    assert proxy.wait_for("cancel")["level"] == "info"
    sleeper.connection.close()


def test_a_cancel_is_possible_when_the_proxy_is_full(local, start):
    proxy = start("--max-connections=1")
    sleeper = Sleeper(proxy.conninfo, local)
    with pytest.raises(psycopg.OperationalError, match="too many clients already: --max-connections is 1"):
        psycopg.connect(proxy.conninfo)
    sleeper.cancel()
    sleeper.connection.close()
    proxy.wait_for("closed")
    wait_until(proxy.can_connect, "the place is free again")


def test_a_key_of_no_session_cancels_nothing(local, proxy):
    with psycopg.connect(proxy.conninfo, autocommit=True) as connection:
        other = connection.pgconn.get_cancel()
    proxy.wait_for("closed")
    sleeper = Sleeper(proxy.conninfo, local)
    other.cancel()
    line = proxy.wait_for("cancel")
    assert line["message"] == "no open session has this key"
    assert local.as_postgres(BUSY) == ["1"]
    sleeper.cancel()
    sleeper.connection.close()
