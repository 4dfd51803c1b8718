"""Runs the Python examples of README.md, docs/python.md, docs/quick-start.md and the package's own README."""

import os
import re

import pytest
from conftest import run
from harness import Place
from pages import ENDPOINT, example, page


@pytest.fixture
def environment():
    """The environment in which the examples run: their endpoint is a local server."""
    place = Place()
    local = place.start("--endpoint", f"{ENDPOINT}:5432")
    names = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "PGSSLROOTCERT", "PGHOSTADDR", "PGPORT")
    yield os.environ | {name: local.exports[name] for name in names}
    assert local.stop() == 0
    place.close()


@pytest.mark.parametrize(
    "path, printed",
    [
        ("README.md", r"\('iam_user',\)\n"),
        ("docs/quick-start.md", r"\('iam_user',\)\n"),
        ("docs/python.md", r"<rdsign\.Token, redacted, until .*Z>\n\('iam_user',\)\n"),
    ],
)
def test_the_example_logs_in(environment, path, printed):
    # The example dials the endpoint's port; the local server listens on another one.
    program = example(path, "python")
    dialed = re.sub(r'(dbname="\w+")', rf"\1, port={environment['PGPORT']}", program)
    assert dialed != program
    assert re.fullmatch(printed, run("-c", dialed, env=environment))


def test_the_example_of_the_package_s_readme_signs_a_password(environment):
    program = example("bindings-python/README.md", "python")
    assert run("-c", program + "print(password)", env=environment).startswith(f"{ENDPOINT}:5432/?")


def test_the_example_of_events_logs_a_fetch(environment):
    program = "import os\nos.dup2(1, 2)\n" + example("docs/python.md", "python", 1)
    text = r"INFO rdsign: credentials fetched from environment in \d+\.\d{3} s; they do not expire\n"
    assert re.fullmatch(text, run("-c", program, env=environment))


def test_every_name_in_the_pages_exists():
    texts = page("README.md") + page("docs/python.md") + page("bindings-python/README.md")
    names = sorted(set(re.findall(r"\brdsign(?:\.[a-zA-Z_]\w*)+", texts)))
    assert len(names) > 12
    modules = ["asyncpg", "psycopg", "psycopg2", "sqlalchemy", "django.postgresql"]
    run("-c", "\n".join([*[f"import rdsign.{module}" for module in modules], *names]))
