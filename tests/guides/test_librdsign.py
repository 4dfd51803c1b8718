"""The guides for C, Go and PHP, whose programs are those of examples/ and call librdsign."""

import re
import shutil
import subprocess

import pytest
from common import REPOSITORY
from guide import Guide, logged_in, shows

EXAMPLES = REPOSITORY / "examples"


@pytest.fixture(scope="session")
def installed(tmp_path_factory):
    """The variables with which programs find an installed librdsign."""
    folder = tmp_path_factory.mktemp("librdsign")
    for name in ("librdsign_c.so", "librdsign_c.a"):
        source = REPOSITORY / "target/debug" / name
        assert source.exists(), f"{source} is missing: build it first"
        subprocess.run(["strip", "--strip-debug", "-o", folder / name, source], check=True)
    variables = {"BUILT": str(folder), "PREFIX": f"{folder}/installed", "PATH": "/usr/bin:/bin"}
    script = REPOSITORY / "bindings-c/packaging/install"
    subprocess.run([script], env=variables, cwd="/", check=True, stdout=subprocess.DEVNULL)
    (pc,) = (folder / "installed").rglob("rdsign.pc")
    # PGSSLROOTCERT decides in all three; go's own folders must outlive the test.
    cache = REPOSITORY / "target/go"
    yield {
        "PKG_CONFIG_PATH": pc.parent,
        "LD_LIBRARY_PATH": pc.parents[1],
        "GOPATH": cache,
        "GOCACHE": cache / "cache",
        "GOFLAGS": "-modcacherw -mod=readonly",
    }
    shutil.rmtree(folder)


@pytest.fixture
def example(rds, installed, tmp_path):
    """Runs the command of a guide in a copy of its example, after a comparison of both programs. In the copy, each
    first text of `changes` is replaced with the second."""

    def run(name, folder, file, changes=(), **options):
        guide = Guide(name)
        program = (EXAMPLES / folder / file).read_text()
        assert guide.files[file] == program
        shutil.copytree(EXAMPLES / folder, tmp_path, dirs_exist_ok=True)
        for old, new in changes:
            assert old in program, old
            program = program.replace(old, new)
        (tmp_path / file).write_text(program)
        script = guide.block("sh")
        if host := options.pop("host", None):
            script = script.replace("PGHOST=mydb.abc123.eu-central-1.rds.amazonaws.com", f"PGHOST={host}")
        return rds.run("bash", "-euc", script, folder=tmp_path, **installed, **options)

    return run


def version(*command):
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return re.search(r"\d+\.\d+(\.\d+)?", done.stdout)[0]


PROGRAMS = {
    "pgx": ("go-pgx", "main.go"),
    "libpq": ("c-libpq", "main.c"),
    "php": ("php-pgsql", "main.php"),
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_the_example_logs_in(example, name):
    assert example(name, *PROGRAMS[name]) == "iam_user\n"
    libpq = f"libpq {version('pkg-config', '--modversion', 'libpq')}"
    if name == "pgx":
        pgx = re.search(r"jackc/pgx/v5 v(\S+)", (EXAMPLES / "go-pgx/go.mod").read_text())[1]
        logged_in(Guide(name), f"pgx {pgx}", f"Go {version('go', 'version')}")
    elif name == "php":
        logged_in(Guide(name), f"PHP {version('php', '-v')}", libpq)
    else:
        logged_in(Guide(name), libpq)


@pytest.mark.parametrize("name", PROGRAMS)
def test_the_errors_of_the_example(rds, example, name, tmp_path):
    stale, tunnel, authorities = Guide(name).errors
    program = PROGRAMS[name]
    with rds.later():
        shows(stale, example(name, *program, status=1))
    shows(tunnel, example(name, *program, status=1, host="localhost"))
    # Go's mistake is to trust other authorities, that of the others a file that does not exist.
    other = REPOSITORY / "ca-bundle/rds.pem" if name == "pgx" else "global-bundle.pem"
    shows(authorities, example(name, *program, status=1, PGSSLROOTCERT=other))


def test_a_pool_of_pgx_connects_after_15_minutes(example, clock):
    query = "	var user string\n"
    hold = "	held, err := pool.Acquire(ctx)\n	if err != nil {\n		return err\n	}\n	defer held.Release()\n"
    hold += '	fmt.Println("held")\n	fmt.Scanln()\n'
    changes = [(query, hold + query)]
    assert example("pgx", *PROGRAMS["pgx"], changes, clock=clock) == "iam_user\n"
    own = "config.BeforeConnect ="
    changes += [
        ("connection.Password, err = signer.Password()", ""),
        (own, f"config.ConnConfig.Password, err = signer.Password()\n	{own}"),
    ]
    shows(Guide("pgx").errors[0], example("pgx", *PROGRAMS["pgx"], changes, clock=clock, status=1))
