"""The guides of Node: each program and test runs as on the page, in a folder below the installed packages.

The programs connect to the endpoint. node/here.mjs, which Node loads before them, leads the connection to RDS on this
machine. `make target/node/guides/installed` installs the packages.
"""

import json
import re
import shutil
import tempfile
from pathlib import Path
from typing import NamedTuple

import pytest
from common import REPOSITORY
from guide import Guide, logged_in

HERE = Path(__file__).parent / "node"
PACKAGES = REPOSITORY / "target/node/guides"
LOCK = json.loads((HERE / "package-lock.json").read_text())["packages"]
ONE_TOKEN = "PAM authentication failed"


class Case(NamedTuple):
    """The program of a guide, and what its mistakes put in place of its options.

    A mistake is the text that it replaces and the one of the page, which the page must have.
    """

    main: str
    mistakes: "list[tuple[str, str]]"
    prepare: str = ""


PG_OPTIONS = "pgOptions(signer, { database: 'testdb' })"
CASES = {
    "node-postgres": Case(
        "app.mjs",
        [
            (
                "pgOptions(signer, { database: 'testdb', max: 10 })",
                f"{{ ...{PG_OPTIONS}, password: await signer.password() }}",
            ),
            (
                "pgOptions(signer, { database: 'testdb', max: 10 })",
                "pgOptions(signer, { connectionString: process.env.DATABASE_URL })",
            ),
            (
                "pgOptions(signer, { database: 'testdb', max: 10 })",
                "{ host: signer.hostname, user: 'iam_user', password: signer.password, ssl: true }",
            ),
        ],
    ),
}


class Node:
    """Runs a guide's programs in a folder of their own."""

    def __init__(self, rds, guide, folder):
        self.rds, self.guide, self.folder = rds, guide, guide.write(folder)

    def script(self, text, preload=True, status=0, **variables):
        """Runs a block for the shell, with the commands of the installed packages."""
        path = self.rds.environment()["PATH"]
        found = {"PATH": f"{PACKAGES}/node_modules/.bin:{path}", "NO_COLOR": "1"}
        # Drivers read PGPORT and the like, which only libpq's programs should find.
        if preload:
            found |= {"PGPORT": None, "PGHOSTADDR": None, "PGSSLROOTCERT": None}
            found |= {"DIAL_PORT": self.rds.port, "DIAL_CA": self.rds.authorities}
            found |= {"NODE_OPTIONS": f"--import={HERE}/here.mjs", "DATABASE_URL": "postgresql://localhost/testdb"}
        return self.rds.run("bash", "-euc", text, folder=self.folder, status=status, **found | variables)

    def replace(self, old, new):
        """Replaces a text of the program."""
        file = self.folder / CASES[self.guide.name].main
        text = file.read_text()
        assert old in text, old
        file.write_text(text.replace(old, new))

    def statement(self, block):
        """Replaces the statement of the program that begins as the block does, up to an empty line."""
        start = block[: block.index("=") + 1]
        [old] = re.findall(rf"^{re.escape(start)}.*?\n(?=\n)", self.program, re.M | re.S)
        self.replace(old, block)

    @property
    def program(self):
        return (self.folder / CASES[self.guide.name].main).read_text()


def version(name):
    return f"{name} {LOCK[f'node_modules/{name}']['version']}"


@pytest.fixture
def node(rds, name):
    folder = Path(tempfile.mkdtemp(prefix="guide-", dir=PACKAGES))
    yield Node(rds, Guide(name), folder)
    shutil.rmtree(folder)


@pytest.mark.parametrize("name", CASES)
def test_the_program_logs_in(node, name):
    printed = node.script(node.guide.block("sh", section="Program"))
    assert printed.splitlines()[-1] == "iam_user"
    runs = [one for one in node.guide.runs if one != "Node"]
    machine = node.script("node --version", preload=False).strip().removeprefix("v")
    logged_in(node.guide, *map(version, runs), f"Node {machine}")


@pytest.mark.parametrize("name", CASES)
def test_the_program_logs_in_through_a_tunnel(node, name):
    node.statement(node.guide.block("js", section="TLS and tunnels"))
    assert "15432" in node.program
    printed = node.script(node.guide.block("sh", section="Program"))
    assert printed.splitlines()[-1] == "iam_user"


@pytest.mark.parametrize("name", CASES)
def test_the_test_of_the_page_passes(node, name):
    node.script(CASES[name].prepare)
    printed = node.script("node --test --test-reporter=tap app.test.mjs", preload=False)
    assert re.search(r"^# pass 1$", printed, re.M), printed


@pytest.mark.parametrize("name, number", [(name, number) for name in CASES for number in range(3)])
def test_a_mistake_shows_the_text_of_the_page(node, name, number):
    old, new = CASES[name].mistakes[number]
    assert " ".join(new.split()) in " ".join(node.guide.page.split()), "the page does not show this mistake"
    node.replace(old, new)
    text = node.guide.errors[number]
    # A token that is made now has expired for the server, as one that was made 16 minutes ago.
    offset = 960 if ONE_TOKEN in text else 0
    node.rds.local.ask("clock", offset_seconds=offset)
    try:
        shown = node.script(node.guide.block("sh", section="Program"), status=1)
    finally:
        node.rds.local.ask("clock", offset_seconds=0)
    lines = (line.strip() for line in shown.splitlines())
    # In this order; a line with … stands for others.
    assert all(wanted in lines for wanted in text.splitlines() if wanted != "…"), shown


def test_each_guide_of_node_has_a_case():
    names = {path.stem for path in (REPOSITORY / "docs/guides").glob("*.md") if "." not in path.stem}
    of_node = {name for name in names - {"index"} if Guide(name).meta["group"] == "Node"}
    assert of_node == CASES.keys()
