"""RDS in the tests of others: `rdsign.testing` and its fixtures, with the pytest of this environment.

Runs the example of docs/testing.md, examples/pytest. Every test runs another pytest, as a user does.
"""

import os
import re
import signal
import subprocess
import sys
from datetime import datetime, timedelta, timezone
from pathlib import Path

import psycopg
import pytest
from common import PATIENCE, REPOSITORY, wait_until
from harness import CACHE
from pages import example
from rdsign.testing import LocalError, RdsLocal

EXAMPLE = REPOSITORY / "examples/pytest"


@pytest.fixture(scope="module")
def server():
    with pytest.MonkeyPatch.context() as patch:
        CACHE.mkdir(parents=True, exist_ok=True)
        patch.setenv("XDG_CACHE_HOME", str(CACHE))
        with RdsLocal() as server:
            yield server


@pytest.fixture
def rds(server):
    with server.create_database() as rds:
        yield rds


@pytest.fixture
def run_pytest(tmp_path, monkeypatch):
    """Runs pytest on a text, with settings. Returns the finished process."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(CACHE))

    def run(*arguments, text=None, ini="", cwd=tmp_path):
        if text is not None:
            (tmp_path / "test_it.py").write_text(text)
            scope = "asyncio_default_fixture_loop_scope = function"  # pytest-asyncio warns without it
            (tmp_path / "pytest.ini").write_text(f"[pytest]\n{scope}\n{ini}")
        command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-rs", *arguments]
        return subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=4 * PATIENCE)

    return run


def refused(rds, **parameters):
    """Logs in, which must fail. Returns the id of the refusal."""
    with pytest.raises(psycopg.OperationalError, match="PAM authentication failed"):
        rds.connect(**parameters)
    return rds.refusals[-1].id


def test_the_example_passes(run_pytest):
    done = run_pytest(cwd=EXAMPLE)
    assert "4 passed" in done.stdout, done.stdout + done.stderr


def test_the_test_in_the_page_is_one_of_the_example():
    text = (EXAMPLE / "test_visits.py").read_text()
    shown = example("docs/testing.md", "python")
    assert shown in text


def test_a_fresh_token_logs_in_whatever_the_clock_is(rds):
    old = rds.token()
    rds.clock.advance(minutes=16)
    assert rds.clock.offset == timedelta(minutes=16)
    assert rds.clock.now - datetime.now(timezone.utc) > timedelta(minutes=15)
    assert refused(rds, password=old) == "expired"
    for password in (rds.token(), rds.signer().password(), rds.signer().token().value):
        with rds.connect(password=password) as connection:
            row = connection.execute("select current_user, current_database()").fetchone()
            assert row == (rds.user, rds.database)
    rds.clock.reset()
    rds.connect().close()


def test_keys_end_and_are_replaced(rds):
    old = rds.signer().password()
    rds.keys.replace()
    assert refused(rds, password=old) == "unknown-access-key"
    rds.connect().close()
    assert rds.env["AWS_ACCESS_KEY_ID"] == rds.keys.current["access_key_id"]
    assert rds.keys.temporary()["session_token"] == rds.env["AWS_SESSION_TOKEN"]
    rds.connect(password=rds.signer().password()).close()
    rds.keys.expire(datetime(2000, 1, 1, tzinfo=timezone.utc))
    assert refused(rds) == "expired"
    with pytest.raises(ValueError, match="at: has no time zone"):
        rds.keys.expire(datetime(2000, 1, 1))


def test_what_a_database_changed_is_taken_back(server):
    with server.create_database() as rds:
        rds.clock.advance(hours=1)
        rds.policy.deny("iam_user")
        assert refused(server) == "not-allowed"
        assert rds.refusals == []  # they are those of its own user
        rds.drop()
    server.connect().close()
    assert server.clock.offset == timedelta(0)
    left = server.sql(f"select from pg_database where datname = '{rds.database}'")
    assert left == []


def test_policies_are_those_that_were_put(rds):
    rds.policy.put()
    assert refused(rds) == "not-allowed"
    rds.policy.put(
        {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
    )
    rds.connect().close()


def test_an_error_says_what_is_wrong(rds):
    with pytest.raises(LocalError, match='sql: column "nothing" does not exist') as caught:
        rds.sql("select nothing")
    assert caught.value.sqlstate == "42703"


def test_another_process_attaches_to_a_server(server):
    attached = RdsLocal.attach(server.info["control"])
    with attached.create_database() as rds:
        rds.connect().close()
    attached.stop()
    server.connect().close()


def test_the_fixtures_share_a_server_and_a_test_has_its_own_database(run_pytest):
    text = """
import os
import subprocess
import pytest

seen = []

@pytest.fixture
def profile(monkeypatch):
    monkeypatch.setenv("AWS_PROFILE", "another")

@pytest.mark.parametrize("number", [1, 2])
def test_it(rds, rds_local, number):
    seen.append((rds_local.port, rds.database))
    rds.sql("create table t ()")

def test_they_differ(rds_local_factory):
    (port, one), (same, other) = seen
    assert port == same and one != other
    assert rds_local_factory("--endpoint", "db.eu-west-3.rds.amazonaws.com").host.startswith("db.")

def test_the_environment(profile, rds_env):
    login = ["psql", "-XAtqwc", "select current_user"]
    environment = os.environ | {"PGPASSWORD": rds_env.token()}
    assert subprocess.check_output(login, env=environment, text=True) == rds_env.user + "\\n"
    assert "AWS_PROFILE" not in os.environ
"""
    done = run_pytest(text=text)
    assert "4 passed" in done.stdout, done.stdout + done.stderr


def test_without_postgresql_tests_are_skipped_or_fail(run_pytest, tmp_path):
    (tmp_path / "empty").mkdir()
    ini = f"rds_options = --postgres {tmp_path}/empty\n"
    text = "def test_it(rds): pass\ndef test_other(): pass\n"
    done = run_pytest(text=text, ini=ini)
    assert done.returncode == 0
    assert re.search(r"SKIPPED .*: no PostgreSQL server found: .*apt-get install", done.stdout), done.stdout
    done = run_pytest("--rds-required", text=text, ini=ini)
    assert done.returncode == 1
    assert "--rds-required: no PostgreSQL server found" in done.stdout


@pytest.mark.parametrize(
    ("ini", "variables", "message"),
    [
        ("rds_options = --version 99\n", {}, "--version: no PostgreSQL 99 found"),
        ("", {"RDSIGN_BIN": "/nowhere/rdsign"}, "RDSIGN_BIN: /nowhere/rdsign is not a program; accepted: "),
    ],
)
def test_a_wrong_setting_fails_the_tests_instead_of_skipping_them(
    run_pytest, monkeypatch, ini, variables, message
):
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    done = run_pytest(text="def test_it(rds): pass\n", ini=ini)
    assert (done.returncode, "skipped" in done.stdout) == (1, False), done.stdout
    assert f"LocalError: {message}" in done.stdout, done.stdout


def test_a_shared_server_that_does_not_start_fails_the_tests_instead_of_skipping_them(run_pytest, tmp_path):
    (tmp_path / "conftest.py").write_text(WORKER)
    text = "def test_it(rds): pass\n"
    done = run_pytest(text=text, ini="rds_share = true\nrds_options = --init nothing.sql\n")
    assert done.returncode == 1, done.stdout
    assert re.search(r"LocalError: --init: .*nothing.sql", done.stdout), done.stdout
    (tmp_path / "empty").mkdir()
    done = run_pytest(text=text, ini=f"rds_share = true\nrds_options = --postgres {tmp_path}/empty\n")
    assert "1 skipped" in done.stdout, done.stdout


# What pytest-xdist does when it starts a worker.
WORKER = """
from types import SimpleNamespace
from rdsign.testing import plugin

def pytest_configure(config):
    node = SimpleNamespace(config=config, workerinput={})
    plugin.pytest_configure_node(node)
    config.workerinput = node.workerinput
"""


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ("exit 2", "rdsign local has ended"),
        ("echo ready; cat", "rdsign local wrote a line that is not JSON"),
        ("""echo '{"event":"ready","protocol":0}'; cat""", "it speaks another protocol"),
    ],
)
def test_another_program_of_the_name_is_refused_and_ended(said, message, tmp_path, monkeypatch):
    program = tmp_path / "rdsign"
    program.write_text(f"#!/bin/sh\necho $$ >{tmp_path}/pid\n{said}\n")
    program.chmod(0o755)
    monkeypatch.setenv("RDSIGN_BIN", str(program))
    with pytest.raises(
        LocalError, match=f"{program}: {message}; accepted: the rdsign of this package's version"
    ):
        RdsLocal()
    assert not Path("/proc", (tmp_path / "pid").read_text().strip()).exists()


def test_the_server_ends_with_a_pytest_that_is_killed(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(CACHE))
    text = "def test_it(rds):\n    print('is in', rds.info['folder'], flush=True)\n    input()\n"
    (tmp_path / "test_it.py").write_text(text)
    command = [sys.executable, "-m", "pytest", "-s", "-p", "no:cacheprovider", str(tmp_path)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, cwd=tmp_path, **pipes) as process:
        found = (re.search("is in (.*)", line) for line in process.stdout)
        folder = Path(next(match[1] for match in found if match))
        assert folder.exists()
        process.send_signal(signal.SIGKILL)
    wait_until(lambda: not folder.exists(), "the end of the server")


@pytest.mark.parametrize("share", [False, True], ids=["each has its own", "they share one"])
def test_workers_of_xdist_have_a_server(run_pytest, tmp_path, share):
    text = f"""
from pathlib import Path

def test_it(rds, rds_local, worker_id):
    rds.connect().close()
    seen = [rds_local.port, rds.database, rds_local.info["folder"]]
    Path({str(tmp_path)!r}, worker_id).write_text("\\n".join(map(str, seen)))
"""
    ini = f"rds_share = {str(share).lower()}\n"
    # Each worker runs the test.
    done = run_pytest("--dist", "each", "--tx", "2*popen", text=text, ini=ini)
    assert "2 passed" in done.stdout, done.stdout + done.stderr
    one, other = ((tmp_path / worker).read_text().split("\n") for worker in ("gw0", "gw1"))
    assert (one[0] == other[0]) == share
    assert one[1] != other[1]
    assert not any(Path(folder).exists() for _, _, folder in (one, other))


def test_fixtures_work_in_tests_of_asyncio_and_anyio(run_pytest):
    text = """
import psycopg
import pytest

@pytest.fixture
def anyio_backend():
    return "asyncio"

async def check(rds):
    old = await rds.signer().password_async()
    rds.clock.advance(minutes=16)
    with pytest.raises(psycopg.OperationalError, match="PAM authentication failed"):
        await psycopg.AsyncConnection.connect(**rds.parameters(password=old))
    assert [refusal.id for refusal in rds.refusals] == ["expired"]
    for password in (rds.token(), await rds.signer().password_async()):
        async with await psycopg.AsyncConnection.connect(**rds.parameters(password=password)) as connection:
            assert connection.info.user == rds.user

@pytest.mark.asyncio
async def test_with_asyncio(rds):
    await check(rds)

@pytest.mark.anyio
async def test_with_anyio(rds):
    await check(rds)
"""
    done = run_pytest("-W", "error", text=text)
    assert "2 passed" in done.stdout, done.stdout + done.stderr


def test_the_fixture_in_the_page_lets_tests_of_django_use_the_server(run_pytest, tmp_path):
    (tmp_path / "conftest.py").write_text(example("docs/testing.md", "python", 1))
    (tmp_path / "project.py").write_text(
        'DATABASES = {"default": {"ENGINE": "rdsign.django.postgresql", "HOST": "db.example.com", "NAME": "app"}}'
    )
    text = """
import pytest
from django.db import connection

def query(sql):
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchone()

@pytest.mark.django_db(transaction=True)
def test_it(rds_local):
    assert query("select current_user, current_database()") == (rds_local.user, f"test_{rds_local.database}")
    connection.close()
    rds_local.clock.advance(minutes=16)
    assert query("select 1") == (1,)
"""
    done = run_pytest(
        "-W", "error", text=text, ini=f"DJANGO_SETTINGS_MODULE = project\npythonpath = {tmp_path}\n"
    )
    assert "1 passed" in done.stdout, done.stdout + done.stderr


def test_a_server_that_ends_in_a_test_is_an_error_that_says_why(run_pytest, tmp_path):
    text = f"""
import os
import signal
from pathlib import Path

def test_it(rds_local, rds):
    Path({str(tmp_path)!r}, "folder").write_text(rds_local.info["folder"])
    os.kill(rds_local.info["pid"], signal.SIGKILL)
    rds.sql("select pg_sleep(600)")

def test_next(rds):
    pass
"""
    done = run_pytest(text=text)
    assert done.returncode == 1
    assert "1 failed, 2 errors" in done.stdout, done.stdout + done.stderr
    said = re.findall(r"^E +rdsign\.testing\.\S*LocalError: (.*)", done.stdout, re.MULTILINE)
    why = "rdsign local has ended: PostgreSQL exited unexpectedly (signal: 9"
    assert len(said) == 3 and all(text.startswith(why) for text in said), done.stdout
    assert not Path((tmp_path / "folder").read_text()).exists()


def test_a_killed_program_is_an_error_and_takes_its_server_along(monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(CACHE))
    server = RdsLocal()
    postgres = server.info["pid"]
    parent = int(Path(f"/proc/{postgres}/stat").read_text().rsplit(")", 1)[1].split()[1])
    os.kill(parent, signal.SIGKILL)
    for _ in range(2):
        with pytest.raises(LocalError, match="rdsign local has ended"):
            server.sql("select 1")
    server.stop()
    wait_until(lambda: not Path(f"/proc/{postgres}").exists(), "the end of PostgreSQL")
