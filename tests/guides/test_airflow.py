"""The guide for Airflow, which has an environment of its own: RDSIGN_GUIDES_AIRFLOW is a Python with rdsign's wheel and
the packages of airflow/."""

import os
import subprocess
from pathlib import Path
from urllib.parse import quote

import pytest
from common import REPOSITORY
from guide import Guide, locked, logged_in, shows
from pages import ENDPOINT

PYTHON = Path(
    os.environ.get("RDSIGN_GUIDES_AIRFLOW", str(REPOSITORY / "target/venv-guides-airflow/bin/python"))
)
LOCK = Path(__file__).with_name("airflow") / "requirements.lock"


def changed(text, *replacements):
    for old, new in replacements:
        assert old in text, old
        text = text.replace(old, new)
    return text


@pytest.fixture
def airflow(rds, tmp_path):
    """Runs a shell script in a folder with the files of the page, with Airflow in PATH."""
    guide = Guide("airflow")
    guide.write(tmp_path)
    path = f"{PYTHON.parent}{os.pathsep}{rds.environment()['PATH']}"

    def run(script, **options):
        return rds.run("bash", "-euc", script, folder=tmp_path, PATH=path, **options)

    yield run
    run(
        "rdsign exec -- dropdb --if-exists airflow", PGHOST=ENDPOINT, PGUSER="iam_user", PGDATABASE="postgres"
    )


def test_airflow(rds, airflow):
    guide = Guide("airflow")
    printed = airflow(guide.block("sh"))
    assert "visits: iam_user 1" in printed
    version = subprocess.run([PYTHON, "-V"], capture_output=True, text=True, check=True).stdout.strip()
    names = ("apache-airflow", "apache-airflow-providers-postgres", "psycopg")
    logged_in(guide, *[locked(LOCK, name) for name in names], version)


def test_the_errors_of_airflow(rds, airflow):
    guide = Guide("airflow")
    provider, engine, stale = guide.errors
    # The page's settings, without its commands.
    settings = guide.block("sh").partition("PGHOST=")[0].replace("/airflow?", "/testdb?")
    query = '{"sqlalchemy_query": {"plugin": "rdsign"}}'

    def fail(program, *changes):
        return airflow(f"{changed(settings, *changes)}\nexec {program}", status=1)

    hook = "from airflow.providers.postgres.hooks.postgres import PostgresHook; PostgresHook('orders').get_conn()"
    shows(provider, fail(f'python -c "{hook}"', (query, '{"iam": true}')))
    hook = "import sys; sys.path.append('plugins'); from rds import RdsHook; "
    hook += "RdsHook('orders').get_sqlalchemy_engine().connect()"
    shows(engine, fail(f'python -c "{hook}"', (query, "{}")))
    kept = quote(rds.local.token(hostname=ENDPOINT, port=5432), safe="")
    with rds.later():
        url = ("iam_user@$endpoint/testdb?plugin=rdsign", f"iam_user:{kept}@$endpoint/testdb")
        shows(stale, fail("airflow db check", url))
