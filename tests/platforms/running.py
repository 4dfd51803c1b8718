"""What all packages need to be run: commands in a clean environment, and files that are downloaded once."""

import os
import re
import shutil
import subprocess
from pathlib import Path

from common import NO_AWS, REPOSITORY, without_aws_and_postgres
from targets import UNPACKED

DIST = REPOSITORY / "dist"
HERE = Path(__file__).parent
PROGRAMS = HERE / "programs"
VECTORS = REPOSITORY / "tests/vectors.tsv"
COLUMNS, *ROWS = [line for line in VECTORS.read_text().split("\n") if line and not line.startswith("#")]


class Failure(Exception):
    """A package does not do what it should."""


class CannotRun(Exception):
    """This machine has no program to run the package with. The text says what it did instead, and why."""


def run(*command, env=None, cwd=REPOSITORY):
    """Runs a command, which must succeed, without the variables of `rdsign local`. Returns its output."""
    environment = without_aws_and_postgres() | NO_AWS | {"LC_ALL": "C.UTF-8"} | (env or {})
    command = list(map(str, command))
    done = subprocess.run(command, env=environment, cwd=cwd, capture_output=True, text=True)
    if done.returncode != 0:
        raise Failure(f"{' '.join(command)} ended with {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


def log_in(*command, env=None, cwd=REPOSITORY):
    """Runs a command with the variables of `rdsign local`. It must print the user's name."""
    output = run(*command, env=dict(os.environ) | (env or {}), cwd=cwd)
    if output != "iam_user\n":
        raise Failure(f"logged in as {output!r}")
    return "iam_user"


def psql(*command, env=None):
    """Logs in with this machine's psql, and the token that a command prints."""
    token = run(*command, env=dict(os.environ) | (env or {})).strip()
    return log_in("psql", "-XAtc", "select current_user", env={"PGPASSWORD": token})


def count(pattern, output, expected):
    """Checks that the tests report as many vectors as are expected."""
    found = re.findall(pattern, output)
    if found != [str(expected)]:
        raise Failure(f"{expected} vectors should have passed:\n{output}")
    return f"{expected} of {len(ROWS)}"


def the_only(pattern):
    found = list(DIST.glob(pattern))
    if len(found) != 1:
        raise Failure(f"dist/{pattern}: {len(found)} files; run make dist PLATFORMS=all")
    return found[0]


def empty(folder):
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def maven(artifact):
    """Returns the path of an artifact, which Maven downloads once."""
    _, name, version = artifact.split(":")
    jar = UNPACKED / f"{name}-{version}.jar"
    if not jar.exists():
        mvn = [REPOSITORY / "tools/mvn", "-q", "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy"]
        run(*mvn, f"-Dartifact={artifact}", f"-DoutputDirectory={UNPACKED}")
    return jar


def load(target, library, entry):
    """Loads a library on a platform, into a program that has the functions of Node that it needs."""
    symbols = run("readelf", "--wide", "--dyn-syms", library)
    wanted = sorted(set(re.findall(r" UND (napi_\w+)", symbols)))
    node = target.folder / "node.c"
    node.write_text("".join(f"void {name}(void) {{}}\n" for name in wanted))
    program = target.folder / "load"
    run(*target.compiler(), "-dynamic", "-rdynamic", "-o", program, PROGRAMS / "load.c", node)
    return run(*target.command(program, library, entry)).strip()
