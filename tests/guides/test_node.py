"""The guides of Node: each program and test runs as on the page, in a folder below the installed packages.

The programs connect to the endpoint. node/here.mjs, which Node loads before them, leads the connection to RDS on this
machine. `make test-guides` installs the packages; `make test-node` runs the guide of pg with its own.
"""

import json
import os
import re
import shutil
import tempfile
from pathlib import Path

import pytest
from common import REPOSITORY
from guide import NAMES, Guide, logged_in
from harness import free_port
from node_cases import CASES

HERE = Path(__file__).parent / "node"
PACKAGES = Path(os.environ.get("RDSIGN_GUIDES_NODE", REPOSITORY / "target/node/guides"))
# Starts a server, reads its first page, and prints the user in it.
SERVE = """next start --hostname 127.0.0.1 --port PORT & server=$!
page() { node -e "fetch('http://127.0.0.1:PORT/').then((answer) => answer.text()).then(console.log)" 2> /dev/null; }
until page=$(page); do kill -0 $server; sleep 0.2; done
kill $server
wait $server || true
grep --only-matching iam_user <<< "$page"
"""


class Node:
    """Runs a guide's programs in a folder of their own."""

    def __init__(self, rds, guide, folder):
        self.rds, self.guide, self.folder = rds, guide, guide.write(folder)
        self.main = CASES[guide.name].main
        # The programs before a move read it, as the file that AWS offers.
        (folder / "global-bundle.pem").symlink_to(rds.authorities)
        # tsx and Prisma leave files here. It is removed with the server.
        self.temporary = rds.place.base / "tools"
        self.temporary.mkdir(exist_ok=True)
        self.temporary.chmod(0o1777)

    def script(self, text, preload=True, status=0, **variables):
        """Runs a block for the shell, with the commands of the installed packages."""
        path = self.rds.environment()["PATH"]
        found = {"PATH": f"{PACKAGES}/node_modules/.bin:{path}", "NO_COLOR": "1", "TMPDIR": self.temporary}
        # `prisma generate` downloads the program of Prisma Migrate, unless there is one, but does not run it.
        found |= {"PRISMA_SCHEMA_ENGINE_BINARY": "/bin/true", "CHECKPOINT_DISABLE": "1"}
        found |= {"NEXT_TELEMETRY_DISABLED": "1"}
        # Drivers read PGPORT and the like, which only libpq's programs should find.
        if preload:
            found |= {"PGPORT": None, "PGHOSTADDR": None, "PGSSLROOTCERT": None}
            found |= {"DIAL_PORT": self.rds.port, "DIAL_CA": self.rds.authorities}
            found |= {
                "NODE_OPTIONS": f"--import={HERE}/here.mjs",
                "DATABASE_URL": "postgresql://localhost/testdb",
            }
        text = text.replace("next start --port 3000", SERVE.replace("PORT", str(free_port())))
        return self.rds.run("bash", "-euc", text, folder=self.folder, status=status, **found | variables)

    def replace(self, old, new):
        """Replaces a text of the program."""
        assert old in self.program, old
        (self.folder / self.main).write_text(self.program.replace(old, new))

    def statement(self, block):
        """Replaces the statement of the program that begins as the block does, with its indented lines."""
        start = block[: block.index("=") + 1]
        [old] = re.findall(rf"^{re.escape(start)}.*\n(?:[ )}}].*\n)*", self.program, re.M)
        self.replace(old, block)

    @property
    def program(self):
        return (self.folder / self.main).read_text()


def version(name):
    """Returns a package and its version, as it is installed."""
    about = json.loads((PACKAGES / "node_modules" / name / "package.json").read_text())
    return f"{name} {about['version']}"


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
    node.statement(node.guide.block("ts" if name == "prisma" else "js", section="TLS and tunnels"))
    assert "15432" in node.program
    printed = node.script(node.guide.block("sh", section="Program"))
    assert printed.splitlines()[-1] == "iam_user"


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if case.test])
def test_the_test_of_the_page_passes(node, name):
    printed = node.script(CASES[name].test, preload=False)
    assert re.search(r"^# pass 1$", printed, re.M), printed


@pytest.mark.parametrize("name, number", [(name, number) for name in CASES for number in range(3)])
def test_a_mistake_shows_the_text_of_the_page(node, name, number):
    old, new, *variables = CASES[name].mistakes[number]
    shown = " ".join(new.partition("\n")[0].split())
    assert shown in " ".join(node.guide.page.split()), "the page does not show this mistake"
    script = node.guide.block("sh", section="Program")
    if CASES[name].other:
        node.main, before, after = CASES[name].other
        node.replace(before, after)
        script = f"node {node.main}"
        node.replace(old, new)
    elif old in script:
        script = script.replace(old, new)
    else:
        # The mistake is in the file that has the text.
        node.main = next(name for name, text in node.guide.files.items() if old in text)
        node.replace(old, new)
    if "pgOptions" in new and "pgOptions," not in node.program:
        node.replace("import { Signer", "import { pgOptions, Signer")
    text = node.guide.errors[number]
    # A token that is made now has expired for the server, as one that was made 16 minutes ago.
    with node.rds.later(960 if "PAM authentication failed" in text else 0):
        shown = node.script(script, status=1, **dict(*variables))
    # The page has the paths and the library of a program that has its own packages.
    shown = re.sub(r"linux-\w+-(gnu|musl)", "linux-x64-gnu", shown.replace("../node_modules", "node_modules"))
    lines = (line.strip() for line in shown.splitlines())
    # In this order; a line with … stands for others.
    assert all(wanted in lines for wanted in text.splitlines() if wanted != "…"), shown


@pytest.mark.parametrize("name", [name for name in CASES if 'title="before.mjs"' in Guide(name).page])
def test_the_program_before_a_move_logs_in(node, name):
    assert node.script("node before.mjs") == "iam_user\n"


@pytest.mark.parametrize("name", ["from-aws-sdk-v2", "from-rds-signer"])
def test_the_program_before_a_move_logs_in_with_only_its_import_changed(node, name):
    node.main = "before.mjs"
    [after] = re.findall(r"only the import changed, to `(import .*? from '.*?')`", node.guide.page)
    [before] = re.findall(rf"^{re.escape(after.partition(' from ')[0])} from .*$", node.program, re.M)
    node.replace(before, after)
    assert node.script("node before.mjs") == "iam_user\n"


def test_each_guide_of_node_has_a_case_and_so_has_its_test():
    assert {name for name in NAMES if Guide(name).meta["group"] == "Node"} <= CASES.keys() <= {*NAMES}
    with_a_test = {
        name for name in CASES if any(".test." in (block.title or "") for block in Guide(name).blocks)
    }
    assert with_a_test == {name for name, case in CASES.items() if case.test}


def test_the_guide_of_lambda_shows_the_example():
    example = REPOSITORY / "examples/lambda-pg"
    guide = Guide("lambda")
    assert guide.files["handler.mjs"] == (example / "handler.mjs").read_text()
    bundle = json.loads((example / "package.json").read_text())["scripts"]["bundle"]
    assert guide.block("sh", section="Program").splitlines()[0] == bundle
