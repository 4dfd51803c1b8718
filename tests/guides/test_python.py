"""The guides for Python. RDSIGN_GUIDES_PYTHON is a Python with rdsign's wheel and the packages of python/."""

import os
import subprocess
from pathlib import Path

import pytest
from common import REPOSITORY
from guide import Guide, locked, logged_in, shows
from harness import free_port
from pages import ENDPOINT

PYTHON = os.environ.get("RDSIGN_GUIDES_PYTHON", str(REPOSITORY / "target/venv-guides/bin/python"))
# Signs a token as a program does that keeps one.
TOKEN = f'rdsign.Signer(hostname="{ENDPOINT}", username="iam_user").password()'
LOCK = Path(__file__).with_name("python") / "requirements.lock"


@pytest.fixture
def python(rds, tmp_path):
    """Runs a shell script, or a Python program, with that Python in PATH."""
    path = f"{Path(PYTHON).parent}{os.pathsep}{rds.environment()['PATH']}"

    def run(script, **options):
        options = {"folder": tmp_path, "PATH": path, "PYTHONWARNINGS": "error"} | options
        return rds.run("bash", "-euc", script, **options)

    def program(text, **options):
        return run("exec python -", stdin=text, **options)

    run.program = program
    return run


def ran(guide, *names):
    """Records the versions of these packages and of Python."""
    version = subprocess.run([PYTHON, "-V"], capture_output=True, text=True, check=True).stdout.strip()
    logged_in(guide, *[locked(LOCK, name) for name in names], version)


def changed(text, *replacements):
    for old, new in replacements:
        assert old in text, old
        text = text.replace(old, new)
    return text


def test_psycopg(rds, python, tmp_path):
    guide = Guide("psycopg")
    guide.write(tmp_path)
    assert python(guide.block("sh")) == "iam_user\n"
    there = {"PGHOSTADDR": None, "PGPORT": None}
    # Through the tunnel, the token is for port 5432 and the server listens on another one.
    assert python("python tunnel.py", TUNNEL_PORT=rds.port, **there) == "iam_user\n"
    ran(guide, "psycopg", "psycopg-pool")


def test_psycopg_errors(rds, python):
    guide = Guide("psycopg")
    app = guide.files["app.py"]
    no_class, tunnel, user = guide.errors
    stale = changed(
        app,
        ("import rdsign.psycopg\n", "import rdsign\n"),
        ("connection_class=rdsign.psycopg.Connection, ", ""),
        ("pool.wait()", "pool.wait(2)"),
        ('dbname=testdb"', 'dbname=testdb password=" + ' + TOKEN),
    )
    with rds.later():
        shows(no_class, python.program(stale, status=1))
    connect = 'import rdsign.psycopg\nrdsign.psycopg.connect("host={} user={} dbname=testdb")'
    shows(tunnel, python.program(connect.format("localhost", "iam_user"), status=1))
    shows(user, python.program(connect.format(ENDPOINT, "testuser"), status=1))


def test_sqlalchemy(rds, python, tmp_path):
    guide = Guide("sqlalchemy")
    guide.write(tmp_path)
    assert python(guide.block("sh")) == "iam_user /\n"
    assert python("python app_async.py") == "iam_user\n"
    there = {"PGHOSTADDR": None, "PGPORT": None}
    assert python("python tunnel.py", TUNNEL_PORT=rds.port, **there) == "iam_user\n"
    ran(guide, "SQLAlchemy", "psycopg", "asyncpg")


def test_sqlalchemy_errors(rds, python):
    guide = Guide("sqlalchemy")
    app = guide.files["app.py"].partition("class Base")[0] + "engine.connect()\n"
    creator, stale, tunnel = guide.errors
    shows(creator, python.program(changed(app, ("pool_size=4", "creator=print")), status=1))
    kept = changed(app, ("rdsign.sqlalchemy.use_tokens(create_engine(URL", "(create_engine(url"))
    kept = changed(
        kept,
        ("engine =", f"from sqlalchemy import make_url\nurl = make_url(URL).set(password={TOKEN})\nengine ="),
    )
    # The same program with a new token logs in.
    assert python.program(kept) == ""
    with rds.later():
        shows(stale, python.program(kept, status=1))
    shows(tunnel, python.program(changed(app, (ENDPOINT, "localhost")), status=1))


def test_alembic(python, tmp_path):
    guide = Guide("alembic")
    guide.write(tmp_path)
    assert python(guide.block("sh")) == "iam_user\n"
    ran(guide, "alembic", "SQLAlchemy", "psycopg")


def test_alembic_errors(rds, python, tmp_path):
    guide = Guide("alembic")
    guide.write(tmp_path)
    rights, interpolation, plugin = guide.errors
    ini = tmp_path / "alembic.ini"
    text = ini.read_text()
    # testuser has the rights of every user. The table of another test is not its own.
    (tmp_path / "migrations/env.py").write_text(
        changed(guide.files["migrations/env.py"], ("versions_of", "own_of"))
    )
    ini.write_text(changed(text, ("iam_user@", "testuser@")))
    shows(rights, python("alembic upgrade head", status=1, **rds.keys("AKIALOCALTESTUSER001")))
    ini.write_text(changed(text, ("iam_user@", "iam%2Fuser@")))
    shows(interpolation, python("alembic upgrade head", status=1))
    ini.write_text(text)
    shows(plugin, python("python -S -m alembic upgrade head", status=1, PYTHONPATH=without_rdsign(tmp_path)))


def without_rdsign(folder):
    """Returns a folder with all packages of that Python but rdsign."""
    command = [PYTHON, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"]
    [packages] = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    (folder / "packages").mkdir()
    for package in Path(packages).iterdir():
        if not package.name.startswith("rdsign"):
            (folder / "packages" / package.name).symlink_to(package)
    return folder / "packages"


def test_django(python, tmp_path):
    guide = Guide("django")
    guide.write(tmp_path)
    *_, last = python(guide.block("sh")).splitlines()
    assert last == "iam_user"
    ran(guide, "Django", "psycopg")


def test_django_errors(rds, python, tmp_path):
    guide = Guide("django")
    manage = guide.files["manage.py"]
    engine, both, user = guide.errors

    def migrate(*replacements):
        (tmp_path / "manage.py").write_text(changed(manage, *replacements))
        return python("python manage.py migrate", status=1)

    without_pool = ('"OPTIONS": {"pool": {"min_size": 1, "max_size": 4}},', "")
    shows(engine, migrate(without_pool, ("rdsign.django.postgresql", "django.db.backends.postgresql")))
    shows(both, migrate(('"NAME": "testdb",', '"NAME": "testdb", "CONN_MAX_AGE": 600,')))
    shows(user, migrate(without_pool, ('"iam_user"', '"testuser"')))


def test_asyncpg(rds, python, tmp_path):
    guide = Guide("asyncpg")
    guide.write(tmp_path)
    assert python(guide.block("sh")) == "iam_user\n"
    there = {"PGHOSTADDR": None, "PGPORT": None}
    assert python("python tunnel.py", TUNNEL_PORT=rds.port, **there) == "iam_user\n"
    ran(guide, "asyncpg")


def test_asyncpg_errors(rds, python):
    guide = Guide("asyncpg")
    app = guide.files["app.py"]
    stale, plain, distrusted = guide.errors
    # asyncpg itself has no hostaddr.
    own = ("rdsign.asyncpg.create_pool(**DATABASE", "asyncpg.create_pool(**DATABASE | {'host': '127.0.0.1'}")
    kept = [own, ("rdsign.asyncpg", "asyncpg, rdsign"), ("min_size", f"password={TOKEN}, min_size")]
    assert python.program(changed(app, *kept)) == "iam_user\n"
    with rds.later():
        shows(stale, python.program(changed(app, *kept), status=1))
    shows(plain, python.program(changed(app, ("min_size", "ssl=False, min_size")), status=1))
    own_context = [
        ("import asyncio", "import asyncio, ssl"),
        ("min_size", "ssl=ssl.create_default_context(), min_size"),
    ]
    shows(distrusted, python.program(changed(app, *kept, *own_context), status=1))


def test_fastapi(python, tmp_path):
    guide = Guide("fastapi")
    guide.write(tmp_path)
    assert python(guide.block("sh"), PORT=free_port()) == '"iam_user"'
    ran(guide, "fastapi", "uvicorn", "psycopg", "psycopg-pool")


def test_fastapi_errors(python, tmp_path):
    guide = Guide("fastapi")
    app = guide.files["app.py"]
    too_early, closed, sync = guide.errors
    request = (
        "\nfrom fastapi.testclient import TestClient\nwith TestClient(app) as client: client.get('/whoami')\n"
    )

    def fail(*replacements):
        # FastAPI's client warns about a package that it could use instead.
        return python.program(changed(app + request, *replacements), status=1, PYTHONWARNINGS="ignore")

    pool = "AsyncConnectionPool(DATABASE, connection_class=rdsign.psycopg.AsyncConnection, open=True)"
    shows(too_early, fail(("app = FastAPI", f"pool = {pool}\napp = FastAPI")))
    shows(closed, fail(("async with pool:", "if pool:")))
    sync_class = ("rdsign.psycopg.AsyncConnection", "rdsign.psycopg.Connection")
    shows(sync, fail(sync_class, ("app.state.pool = pool", "await pool.wait(2)")))


def test_pandas(python, tmp_path):
    guide = Guide("pandas")
    guide.write(tmp_path)
    assert [line.split() for line in python(guide.block("sh")).splitlines()] == [
        ["who", "page", "longest"],
        ["iam_user", "/", "5"],
        ["iam_user", "/help", "8"],
    ]
    ran(guide, "pandas", "SQLAlchemy", "psycopg")


def test_pandas_errors(rds, python):
    guide = Guide("pandas")
    report = guide.files["report.py"]
    no_plugin, driver, rights = guide.errors
    as_text = changed(report, ("?plugin=rdsign", ""), ("create_engine(URL)", "URL"))
    shows(no_plugin, python.program(as_text, status=1))

    connection = f'rdsign.psycopg.connect("host={ENDPOINT} user=iam_user dbname=testdb")'
    of_driver = changed(
        report, ("import pandas", "import rdsign.psycopg\nimport pandas"), ("create_engine(URL)", connection)
    )
    shows(driver, python.program(of_driver, status=1, PYTHONWARNINGS="ignore"))
    # testuser has the rights of every user.
    other = changed(report, ("iam_user@", "testuser@"), ("visits_of", "other_visits_of"))
    shows(rights, python.program(other, status=1, **rds.keys("AKIALOCALTESTUSER001")))


def test_from_boto3(python, tmp_path):
    guide = Guide("from-boto3")
    guide.write(tmp_path)
    assert python(guide.block("sh")) == "iam_user\n" * 3
    ran(guide, "boto3", "psycopg")


def test_from_boto3_errors(rds, python):
    guide = Guide("from-boto3")
    files = guide.files
    tunnel, client, stale = guide.errors
    shows(tunnel, python.program(changed(files["after.py"], (ENDPOINT, "localhost")), status=1))
    options = f'hostname="{ENDPOINT}", username="iam_user", credentials=boto3.client("rds", "eu-central-1")'
    shows(client, python.program(f"import boto3, rdsign\nrdsign.Signer({options})", status=1))
    with rds.later():
        shows(stale, python.program(files["step.py"], status=1))


def test_from_aws_python_wrapper(rds, python, tmp_path):
    guide = Guide("from-aws-python-wrapper")
    guide.write(tmp_path)
    (tmp_path / "global-bundle.pem").symlink_to(rds.authorities)
    # The wrapper's own dependencies warn.
    assert python("python before.py", PYTHONWARNINGS=None) == "iam_user\n"
    assert python(guide.block("sh")) == "iam_user\n"
    ran(guide, "aws-advanced-python-wrapper", "psycopg")


def test_from_aws_python_wrapper_errors(rds, python):
    guide = Guide("from-aws-python-wrapper")
    after = guide.files["after.py"]
    plugins, domain, stale = guide.errors
    end = 'dbname=testdb"\n'
    shows(plugins, python.program(changed(after, (end, 'dbname=testdb", plugins="iam"\n')), status=1))
    shows(domain, python.program(changed(after, (ENDPOINT, "db.example.com")), status=1))
    kept = ("rdsign.psycopg.connect(", f"__import__('psycopg').connect(password={TOKEN}, conninfo=")
    with rds.later():
        shows(stale, python.program(changed(after, kept), status=1))
