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
from typing import NamedTuple

import pytest
from common import REPOSITORY
from guide import Guide, logged_in

HERE = Path(__file__).parent / "node"
PACKAGES = Path(os.environ.get("RDSIGN_GUIDES_NODE", REPOSITORY / "target/node/guides"))


class Case(NamedTuple):
    """How a guide's program and test run, and what its mistakes put in place of its options.

    A mistake is the text that it replaces and the one of the page, which the page must have.
    """

    mistakes: "list[tuple[str, str]]"
    main: str = "app.mjs"
    test: str = "node --test --test-reporter=tap app.test.mjs"


OPTIONS = "pgOptions(signer, { database: 'testdb', max: 10 })"
ONE_TOKEN = "{ ...pgOptions(signer, { database: 'testdb' }), password: await signer.password() }"
WITH_URL = "pgOptions(signer, { connectionString: process.env.DATABASE_URL })"
OWN_OPTIONS = "{ host: signer.hostname, user: 'iam_user', password: signer.password, ssl: true }"
WITHOUT_TLS = "{ host: signer.hostname, user: 'iam_user', password: signer.password, database: 'testdb' }"
PRISMA = "prisma generate --schema schema.prisma"
CASES = {
    "drizzle": Case(
        [
            (OPTIONS, ONE_TOKEN),
            ("drizzle({ client: pool })", "drizzle(pgOptions(signer, { database: 'testdb' }))"),
            (OPTIONS, WITHOUT_TLS),
        ],
    ),
    "knex": Case(
        [
            ("pgOptions(signer, { database: 'testdb' })", f"async () => ({ONE_TOKEN})"),
            ("pgOptions(signer, { database: 'testdb' })", WITH_URL),
            ("pgOptions(signer, { database: 'testdb' })", OWN_OPTIONS),
        ],
        main="knexfile.mjs",
    ),
    "kysely": Case(
        [
            (OPTIONS, ONE_TOKEN),
            (
                "new PostgresDialect({ pool })",
                "new PostgresDialect({ pool: pgOptions(signer, { database: 'testdb' }) })",
            ),
            (OPTIONS, OWN_OPTIONS),
        ]
    ),
    "lambda": Case(
        [
            (" --loader:.node=copy", ""),
            ("--loader:.node=copy", "--loader:.node=file"),
            (
                "pgOptions(signer, { database, dial, ssl, max: 1, idleTimeoutMillis: 1000 })",
                "{ ...pgOptions(signer, { database, dial, ssl }), password: signer.tokenSync().value }",
            ),
        ],
        main="handler.mjs",
        test="node --test --test-reporter=tap handler.test.mjs",
    ),
    "node-postgres": Case([(OPTIONS, ONE_TOKEN), (OPTIONS, WITH_URL), (OPTIONS, OWN_OPTIONS)]),
    "postgres-js": Case(
        [
            ("password: signer.password", "password: await signer.password()"),
            ("ssl: verifyFull(signer)", "ssl: false"),
            ("password: signer.password", "password: () => signer.token()"),
        ]
    ),
    "prisma": Case(
        [
            (OPTIONS, ONE_TOKEN),
            (
                OPTIONS,
                "{ connectionString: 'postgresql://iam_user:' + (await signer.password()) + '@' + signer.hostname }",
            ),
            ("new PrismaClient({ adapter })", "new PrismaClient()"),
        ],
        main="app.ts",
        test=f"{PRISMA}; tsx --test --test-reporter=tap app.test.ts",
    ),
    "sequelize": Case(
        [
            (
                "hooks: { beforeConnect: async (config) => { config.password = await signer.password() } }",
                "password: await signer.password()",
            ),
            ("dialectOptions: { ssl: verifyFull(signer) }", "ssl: verifyFull(signer)"),
            ("dialectOptions: { ssl: verifyFull(signer) }", "dialectOptions: { ssl: true }"),
        ]
    ),
    "typeorm": Case(
        [
            ("password: signer.password", "password: await signer.password()"),
            ("username: signer.username", "...pgOptions(signer, { database: 'testdb' })"),
            ("ssl: verifyFull(signer)", "ssl: true"),
        ]
    ),
}


class Node:
    """Runs a guide's programs in a folder of their own."""

    def __init__(self, rds, guide, folder):
        self.rds, self.guide, self.folder = rds, guide, guide.write(folder)
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
        # Drivers read PGPORT and the like, which only libpq's programs should find.
        if preload:
            found |= {"PGPORT": None, "PGHOSTADDR": None, "PGSSLROOTCERT": None}
            found |= {"DIAL_PORT": self.rds.port, "DIAL_CA": self.rds.authorities}
            found |= {"NODE_OPTIONS": f"--import={HERE}/here.mjs", "DATABASE_URL": "postgresql://localhost/testdb"}
            # A bundle contains its authorities. The handler of a Lambda adds these.
            found["DB_CA"] = Path(self.rds.authorities).read_text()
        return self.rds.run("bash", "-euc", text, folder=self.folder, status=status, **found | variables)

    def replace(self, old, new):
        """Replaces a text of the program."""
        file = self.folder / CASES[self.guide.name].main
        text = file.read_text()
        assert old in text, old
        file.write_text(text.replace(old, new))

    def statement(self, block):
        """Replaces the statement of the program that begins as the block does, with its indented lines."""
        start = block[: block.index("=") + 1]
        [old] = re.findall(rf"^{re.escape(start)}.*\n(?:[ )}}].*\n)*", self.program, re.M)
        self.replace(old, block)

    @property
    def program(self):
        return (self.folder / CASES[self.guide.name].main).read_text()


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


@pytest.mark.parametrize("name", CASES)
def test_the_test_of_the_page_passes(node, name):
    printed = node.script(CASES[name].test, preload=False)
    assert re.search(r"^# pass 1$", printed, re.M), printed


@pytest.mark.parametrize("name, number", [(name, number) for name in CASES for number in range(3)])
def test_a_mistake_shows_the_text_of_the_page(node, name, number):
    old, new = CASES[name].mistakes[number]
    assert " ".join(new.split()) in " ".join(node.guide.page.split()), "the page does not show this mistake"
    script = node.guide.block("sh", section="Program")
    if old in script:
        script = script.replace(old, new)
    else:
        node.replace(old, new)
    if "pgOptions" in new and "pgOptions," not in node.program:
        node.replace("import { Signer", "import { pgOptions, Signer")
    text = node.guide.errors[number]
    # A token that is made now has expired for the server, as one that was made 16 minutes ago.
    offset = 960 if "PAM authentication failed" in text else 0
    node.rds.local.ask("clock", offset_seconds=offset)
    try:
        shown = node.script(script, status=1)
    finally:
        node.rds.local.ask("clock", offset_seconds=0)
    # The page has the paths and the library of a program that has its own packages.
    shown = re.sub(r"linux-\w+-(gnu|musl)", "linux-x64-gnu", shown.replace("../node_modules", "node_modules"))
    lines = (line.strip() for line in shown.splitlines())
    # In this order; a line with … stands for others.
    assert all(wanted in lines for wanted in text.splitlines() if wanted != "…"), shown


def test_each_guide_of_node_has_a_case():
    names = {path.stem for path in (REPOSITORY / "docs/guides").glob("*.md") if "." not in path.stem}
    of_node = {name for name in names - {"index"} if Guide(name).meta["group"] == "Node"}
    assert of_node == CASES.keys()


def test_the_guide_of_lambda_shows_the_example():
    example = REPOSITORY / "examples/lambda-pg"
    guide = Guide("lambda")
    assert guide.files["handler.mjs"] == (example / "handler.mjs").read_text()
    bundle = json.loads((example / "package.json").read_text())["scripts"]["bundle"]
    assert guide.block("sh", section="Program").splitlines()[0] == bundle
