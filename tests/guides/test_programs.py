"""The guides for programs that log in through rdsign proxy."""

import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest
from common import REPOSITORY
from guide import Guide, locked, logged_in, shows
from harness import free_port
from pages import ENDPOINT


def version(*command):
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return re.search(r"\d+\.\d+(\.\d+)?", done.stdout)[0]


@pytest.fixture
def run_pgbouncer(rds):
    """Runs the page's commands with free ports and a changed pgbouncer.ini. Returns what they print."""
    guide = Guide("pgbouncer")
    # PgBouncer refuses to run as root, and another user cannot read the folders of pytest.
    as_other = "setpriv --reuid=nobody --regid=65534 --clear-groups " if os.geteuid() == 0 else ""
    with tempfile.TemporaryDirectory(prefix="rdsign-pgbouncer-", dir="/tmp") as folder:
        Path(folder).chmod(0o755)

        def run(*changes, status=0):
            script = guide.block("sh")
            ports = {"6543": str(free_port()), "6432": str(free_port())}
            settings = guide.files["pgbouncer.ini"]
            for old, new in changes:
                assert old in settings, old
                settings = settings.replace(old, new)
            for old, new in ports.items():
                assert old in script or old in settings
                settings, script = settings.replace(old, new), script.replace(old, new)
            (Path(folder) / "pgbouncer.ini").write_text(settings)
            script = script.replace("pgbouncer -q", f"{as_other}pgbouncer -q")
            path = f"{rds.environment()['PATH']}{os.pathsep}/usr/sbin"
            printed = rds.run("bash", "-euc", script, folder=folder, status=status, PATH=path)
            # The server of psql is PgBouncer, with its own address.
            printed = printed.replace(f'"{ENDPOINT}" (10.0.0.5), port', '"127.0.0.1", port')
            for old, new in ports.items():
                printed = re.sub(rf"\b{new}\b", old, printed)
            return printed

        yield run


def test_pgbouncer(run_pgbouncer):
    guide = Guide("pgbouncer")
    assert guide.files["pgbouncer.ini"] == (REPOSITORY / "packaging/proxy/pgbouncer.ini").read_text()
    assert run_pgbouncer() == "iam_user\n"
    pgbouncer = shutil.which("pgbouncer", path="/usr/sbin:/usr/bin")
    logged_in(guide, f"PgBouncer {version(pgbouncer, '--version')}", f"psql {version('psql', '--version')}")


def test_the_errors_of_pgbouncer(run_pgbouncer):
    guide = Guide("pgbouncer")
    no_user, user, password = guide.errors
    shows(no_user, run_pgbouncer((" user=iam_user", ""), status=2))
    shows(user, run_pgbouncer(("user=iam_user", "user=testuser"), status=2))
    shows(password, run_pgbouncer(("auth_type = any", "auth_type = md5"), status=2))


SUPERSET = Path(
    os.environ.get("RDSIGN_GUIDES_SUPERSET", str(REPOSITORY / "target/venv-guides-superset/bin/python"))
)


@pytest.fixture
def superset(rds, tmp_path):
    """Runs a shell script with Superset in PATH. Returns what it prints."""

    def run(script, **options):
        port = str(free_port())
        path = f"{SUPERSET.parent}{os.pathsep}{rds.environment()['PATH']}"
        # Superset breaks its lines at the terminal's width.
        options |= {"PATH": path, "PROXY_PORT": port, "COLUMNS": 400}
        printed = rds.run("bash", "-euc", script, folder=tmp_path, **options)
        # The server of this program is the proxy, with its own address.
        printed = printed.replace(f'"{ENDPOINT}" (10.0.0.5), port', '"127.0.0.1", port')
        return re.sub(rf"\b{port}\b", "6543", printed)

    return run


def test_a_bi_tool(superset):
    guide = Guide("bi-tools")
    assert "Connected successfully!" in superset(guide.block("sh"))
    lock = Path(__file__).with_name("superset") / "requirements.lock"
    tool = locked(lock, "apache-superset").replace("apache-superset", "Apache Superset")
    logged_in(guide, tool, locked(lock, "psycopg2-binary"), f"Python {version(SUPERSET, '-V')}")


def test_the_errors_of_a_bi_tool(superset):
    guide = Guide("bi-tools")
    no_proxy, user, tls = guide.errors
    script = guide.block("sh")
    test = script[script.index("export FLASK_APP") : script.index(" || failed")]
    shows(no_proxy, superset(test, status=1))
    assert "iam_user@" in script and "/testdb" in script
    shows(user, superset(script.replace("iam_user@", "testuser@"), status=1))
    shows(tls, superset(script.replace('/testdb"', '/testdb?sslmode=require"'), status=1))
