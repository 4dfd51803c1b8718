"""Programs that have a field for a password and cannot ask for a token, each with its own driver."""

import contextlib
import os
import shutil
import socket
import subprocess
import tempfile
from pathlib import Path

import pytest
from common import PATIENCE, REPOSITORY, wait_until
from harness import free_port

HERE = Path(__file__).parent
GO = REPOSITORY / "target/go"
NODE_TESTS = REPOSITORY / "target/node/tests"
JARS = REPOSITORY / "target/soak/jars/*"
PGBOUNCER = REPOSITORY / "packaging/proxy/pgbouncer.ini"


@pytest.fixture
def run(client_environment):
    """Runs a client to its end, and returns its output. Fails if it writes to standard error."""

    def run(*command, cwd=HERE, **variables):
        pipes = {"stdin": subprocess.DEVNULL, "capture_output": True, "text": True, "timeout": 5 * PATIENCE}
        environment = client_environment | {name: str(value) for name, value in variables.items()}
        done = subprocess.run([str(word) for word in command], cwd=cwd, env=environment, **pipes)
        assert (done.stderr, done.returncode) == ("", 0)
        return done.stdout

    return run


def url(proxy):
    return f"postgres://iam_user@127.0.0.1:{proxy.port}/testdb"


def test_active_record_logs_in_with_database_yml(proxy, run):
    settings = {"APP_DATABASE_PORT": proxy.port, "APP_DATABASE_PASSWORD": ""}
    assert run("ruby", "rails/main.rb", **settings) == "iam_user\n" * 2
    proxy.wait_for("login", 2)


def test_pdo_logs_in(proxy, run):
    dsn = f"pgsql:host=127.0.0.1;port={proxy.port};dbname=testdb"
    assert run("php", "pdo.php", dsn) == "iam_user\n" * 2
    proxy.wait_for("login", 2)


def test_pgx_and_lib_pq_log_in_by_a_url(proxy, run, tmp_path):
    program = tmp_path / "clients"
    build = {"GOPATH": GO, "GOCACHE": GO / "cache", "GOFLAGS": "-modcacherw -mod=readonly"}
    subprocess.run(["go", "build", "-o", program, "."], cwd=HERE / "go", env=os.environ | build, check=True)
    assert run(program, f"{url(proxy)}?sslmode=disable") == "iam_user\n" * 2
    proxy.wait_for("login", 2)


def test_node_s_pg_logs_in_by_a_connection_string(proxy, run):
    assert run("node", "pg.mjs", NODE_TESTS, url(proxy)) == "iam_user\n" * 2
    proxy.wait_for("login", 2)


def test_jdbc_logs_in_by_a_url_and_a_password(proxy, run):
    address = f"jdbc:postgresql://127.0.0.1:{proxy.port}/testdb"
    assert run("java", "-cp", JARS, "Jdbc.java", address) == "iam_user\n"
    proxy.wait_for("login")


@pytest.fixture
def pgbouncer(proxy, tmp_path, client_environment):
    """A PgBouncer in front of the proxy. Yields its port."""
    port = free_port()
    text = PGBOUNCER.read_text()
    for old, new in (("port=6543", f"port={proxy.port}"), ("listen_port = 6432", f"listen_port = {port}")):
        assert text.count(old) == 1
        text = text.replace(old, new)
    # PgBouncer refuses to run as root, and another user cannot read tmp_path.
    folder = Path(tempfile.mkdtemp(prefix="rdsign-pgbouncer-", dir="/tmp"))
    folder.chmod(0o755)
    (folder / "pgbouncer.ini").write_text(text)
    as_other = ["setpriv", "--reuid=nobody", "--regid=65534", "--clear-groups"] if os.geteuid() == 0 else []
    command = [*as_other, shutil.which("pgbouncer", path="/usr/sbin:/usr/bin"), folder / "pgbouncer.ini"]
    log = tmp_path / "pgbouncer.log"
    with log.open("w") as output:
        process = subprocess.Popen(command, env=client_environment, stderr=output, stdin=subprocess.DEVNULL)
    try:

        def listens():
            assert process.poll() is None, log.read_text()
            with contextlib.suppress(ConnectionRefusedError):
                socket.create_connection(("127.0.0.1", port)).close()
                return True

        wait_until(listens, "PgBouncer listens")
        yield port
    finally:
        process.terminate()
        process.wait(PATIENCE)
        shutil.rmtree(folder)


def test_pgbouncer_in_front_shares_few_sessions_between_transactions(proxy, pgbouncer, run, tmp_path):
    conninfo = f"host=127.0.0.1 port={pgbouncer} dbname=testdb user=iam_user"
    assert run("psql", "-XAtqwc", "select current_user", conninfo) == "iam_user\n"
    script = tmp_path / "script.sql"
    script.write_text("select 1 / (current_user = 'iam_user')::int;\n")
    flags = ["-n", "-c", "40", "-t", "20", "-f", script, "-h", "127.0.0.1", "-p", pgbouncer]
    assert "actually processed: 800/800" in run("pgbench", *flags, "-U", "iam_user", "testdb")
    assert 1 <= len(proxy.lines("login")) <= 20, "PgBouncer's default_pool_size"
    assert proxy.lines("refused") == []
