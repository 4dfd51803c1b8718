"""Shared by the tests: an installed tree, and programs that are built against it.

Except for their own source, the programs use nothing of this checkout.
"""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest
from common import REPOSITORY, VERSION  # noqa: F401, the tests import them from here

pytest_plugins = ["shared_fixtures"]

CRATE = REPOSITORY / "bindings-c"
PROGRAMS = CRATE / "tests/programs"
BUILT = Path(os.environ.get("RDSIGN_C_BUILT", REPOSITORY / "target/debug")).resolve()
STRICT = ["-Wall", "-Wextra", "-Wpedantic", "-Werror"]

# Variables that would replace what a test sets up, or hide a message.
FOREIGN = ("AWS_", "PG", "RDSIGN_", "PKG_CONFIG", "CMAKE_", "MAKE", "LD_", "ASAN_", "UBSAN_", "LSAN_")
ENVIRONMENT = {k: v for k, v in os.environ.items() if not k.startswith(FOREIGN)}


def run(*arguments, env=None, **options):
    """Runs a command, and returns the finished process, with its output as text."""
    arguments = [str(argument) for argument in arguments]
    environment = ENVIRONMENT | {k: str(v) for k, v in (env or {}).items()}
    return subprocess.run(arguments, env=environment, text=True, capture_output=True, **options)


def succeed(*arguments, env=None, **options):
    """Runs a command that must succeed, and returns its standard output."""
    done = run(*arguments, env=env, **options)
    assert done.returncode == 0, f"{arguments}\n{done.stdout}{done.stderr}"
    return done.stdout


def install(built, destdir, **options):
    """Installs the built library; more options are PREFIX, LIBDIR and INCLUDEDIR."""
    options = {"BUILT": built, "DESTDIR": destdir, **options}
    succeed(CRATE / "packaging/install", env=options, cwd="/")


class Tree:
    """An installed tree, which may have been moved."""

    def __init__(self, libdir):
        self.libdir = libdir

    def pkg_config(self, *arguments):
        # pkg-config searches only PKG_CONFIG_LIBDIR: it must not find a library of the system.
        paths = {"PKG_CONFIG_LIBDIR": self.libdir / "pkgconfig"}
        return succeed("pkg-config", *arguments, "rdsign", env=paths).split()


class Builder:
    """Builds test programs against one tree, each with the same flags only once."""

    def __init__(self, tree, folder):
        self.tree = tree
        self.folder = folder
        self.built = {}

    def __call__(self, name, *flags, compiler="gcc"):
        key = (name, flags, compiler)
        if key not in self.built:
            program = self.folder / f"program-{len(self.built)}"
            succeed(
                *[compiler, "-std=c11", "-g", "-O1", *STRICT, *flags],
                *self.tree.pkg_config("--cflags"),
                *["-o", program, PROGRAMS / name],
                *self.tree.pkg_config("--libs"),
                *["-lpthread", f"-Wl,-rpath,{self.tree.libdir}"],
                cwd=self.folder,
            )
            self.built[key] = program
        return self.built[key]


@pytest.fixture(scope="session")
def scratch():
    """A folder that is deleted after the tests, because its files are large."""
    with tempfile.TemporaryDirectory(prefix="rdsign-c-") as folder:
        yield Path(folder)


@pytest.fixture
def tmp_path(scratch):
    return Path(tempfile.mkdtemp(dir=scratch))


@pytest.fixture(scope="session")
def built(scratch):
    """The libraries that cargo built, without debugging information, which is nine tenths of them."""
    folder = scratch / "built"
    folder.mkdir()
    for name in ("librdsign_c.so", "librdsign_c.a"):
        assert (BUILT / name).exists(), f"{BUILT / name} is missing: build it first"
        succeed("strip", "--strip-debug", "-o", folder / name, BUILT / name)
    return folder


@pytest.fixture(scope="session")
def tree(built, scratch):
    """A tree that was installed in one place and moved to another."""
    install(built, scratch / "installed", PREFIX="")
    shutil.move(scratch / "installed", scratch / "moved")
    return Tree(scratch / "moved/lib")


@pytest.fixture(scope="session")
def program(tree, scratch):
    """Builds programs/NAME against the tree, with more flags."""
    folder = scratch / "programs"
    folder.mkdir()
    return Builder(tree, folder)
