"""Much at once: bytes, sessions that work, and sessions that only stay open."""

import subprocess

import idle_sessions
import psycopg
import pytest
from common import PATIENCE
from traffic import copied_both_ways

# So many logins would wait for their turn.
UNLIMITED = "--max-logins-per-second=10000"
KILOBYTES = 40


@pytest.fixture(autouse=True)
def many_files():
    idle_sessions.allow_many_files()


def test_copy_carries_100_megabytes_both_ways(proxy):
    with psycopg.connect(proxy.conninfo) as connection:
        sent, kept, came = copied_both_ways(connection, megabytes=100)
    assert sent == kept == came


def test_200_sessions_work_at_once(start, client_environment, tmp_path):
    proxy = start(UNLIMITED)
    script = tmp_path / "script.sql"
    script.write_text("select 1 / (current_user = 'iam_user')::int;\n")
    flags = ["-n", "-c", "200", "-t", "50", "-f", script, "-h", "127.0.0.1", "-p", str(proxy.port)]
    pipes = {"stdin": subprocess.DEVNULL, "capture_output": True, "text": True}
    command = ["pgbench", *flags, "-U", "iam_user", "testdb"]
    done = subprocess.run(command, env=client_environment, timeout=5 * PATIENCE, **pipes)
    assert "actually processed: 10000/10000" in done.stdout, done.stderr
    proxy.wait_for("closed", 201)  # pgbench itself looks at the server first
    assert len(proxy.lines("login")) == 201 and proxy.lines("refused") == []


def test_2000_idle_sessions_take_little_memory_and_end_with_their_server(local, start):
    with idle_sessions.stub(local.folder / "server.pem", local.folder / "server.key") as port:
        proxy = start(f"--hostport={port}", UNLIMITED, "--max-connections=3000")
        assert idle_sessions.kilobytes_each(proxy.process.pid, proxy.port, 2000, PATIENCE) <= KILOBYTES
    proxy.wait_for("closed", 2010)


def test_200_idle_sessions_of_postgresql_take_little_memory(start):
    proxy = start(UNLIMITED)
    assert idle_sessions.kilobytes_each(proxy.process.pid, proxy.port, 200, PATIENCE) <= KILOBYTES
