"""What goes through an open session, and how long it lives."""

import signal
import subprocess
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
from common import PATIENCE
from traffic import copied_both_ways

WITH_TOKENS = ("iam_auth_for_replication = false", "iam_auth_for_replication = true")


def test_copy_carries_every_byte_both_ways(proxy):
    with psycopg.connect(proxy.conninfo) as connection:
        sent, kept, came = copied_both_ways(connection, megabytes=2)
    assert sent == kept == came
    closed = proxy.wait_for("closed")
    assert min(closed["to_server"], closed["to_client"]) > 1_998_000


@pytest.fixture
def replicator(local):
    """iam_user may replicate, and there is a table to read the changes of."""
    local.as_postgres("grant rds_replication to iam_user; create table of_replication (number int)")
    with local.configuration(WITH_TOKENS):
        yield
    local.as_postgres("revoke rds_replication from iam_user; drop table of_replication")


def test_a_replication_connection_streams_changes(local, proxy, replicator, client_environment, psql):
    done = psql(f"{proxy.conninfo} replication=database", "IDENTIFY_SYSTEM")
    assert done.stdout.endswith("|testdb\n"), done.stderr

    def receive(*flags):
        command = ["pg_recvlogical", f"--dbname={proxy.conninfo}", "--slot=of_proxy", *flags]
        pipes = {"stdin": subprocess.DEVNULL, "capture_output": True, "text": True, "timeout": PATIENCE}
        done = subprocess.run(command, env=client_environment, **pipes)
        assert done.returncode == 0, done.stderr
        return done.stdout

    receive("--create-slot", "--plugin=test_decoding")
    try:
        local.as_postgres("set synchronous_commit = on; insert into of_replication values (4711)")
        [end] = local.as_postgres("select pg_current_wal_lsn()")
        changes = receive("--start", "--file=-", "--no-loop", f"--endpos={end}")
    finally:
        receive("--drop-slot")
    assert "table public.of_replication: INSERT: number[integer]:4711\n" in changes


def test_a_frozen_proxy_that_thaws_an_hour_later_goes_on_and_logs_in(local, start, clock):
    proxy = start(**clock.environment)
    with psycopg.connect(proxy.conninfo, autocommit=True) as before, ThreadPoolExecutor(1) as pool:
        clock.stop_waits()
        proxy.process.send_signal(signal.SIGSTOP)
        try:
            # The system accepts the connection; the proxy sees it when it thaws.
            during = pool.submit(psycopg.connect, proxy.conninfo)
            clock.jump(3600)
            clock.wait(3600)
        finally:
            proxy.process.send_signal(signal.SIGCONT)
        # To a server whose clock has run, a token of before the hour has expired.
        with local.configuration(("clock_offset_seconds = 0", "clock_offset_seconds = 3600")):
            for connection in (during.result(PATIENCE), psycopg.connect(proxy.conninfo)):
                with connection:
                    assert connection.execute("select current_user").fetchone() == ("iam_user",)
        assert before.execute("select 1").fetchone() == (1,)
    proxy.wait_for("closed", 3)
    assert proxy.lines("refused") == []
