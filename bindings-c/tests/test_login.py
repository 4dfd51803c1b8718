"""examples/c-libpq logs in to RDS on this machine."""

import os
import shutil
from pathlib import Path

import pytest
from conftest import BUILT, REPOSITORY, run, succeed

RDSIGN = Path(os.environ.get("RDSIGN_BIN", BUILT / "rdsign")).resolve()


@pytest.fixture(scope="module")
def example(tree, scratch):
    """The example, built by its own Makefile, from a copy of its folder."""
    folder = scratch / "c-libpq"
    shutil.copytree(REPOSITORY / "examples/c-libpq", folder, ignore=shutil.ignore_patterns("c-libpq"))
    succeed(
        *["make", "-C", folder, "CFLAGS=-std=c99 -Wall -Wextra -Wpedantic -Werror"],
        f"LDFLAGS=-Wl,-rpath,{tree.libdir}",
        env={"PKG_CONFIG_PATH": tree.libdir / "pkgconfig"},
    )
    return folder / "c-libpq"


def logged_in(*command, **env):
    """Runs a command inside `rdsign local`."""
    return run(RDSIGN, "local", "--", *command, env=env, cwd="/")


def test_it_logs_in_to_an_endpoint_that_is_dialled_on_loopback(example):
    done = logged_in(example)
    assert (done.stdout, done.returncode) == ("iam_user\n", 0), done.stderr


def test_a_refusal_ends_it_with_the_server_s_words_and_no_token(example):
    # The endpoint is in PGHOST: a token for another user of it is right, but not allowed.
    done = logged_in("sh", "-c", 'PGUSER=testuser "$0"; status=$?; "$0" && exit $status', example)
    assert (done.stdout, done.returncode) == ("iam_user\n", 1), done.stderr
    assert 'PAM authentication failed for user "testuser"' in done.stderr
    assert "X-Amz" not in done.stderr


def test_what_is_wrong_with_the_options_is_said(example):
    done = run(example, env={"PGHOST": "localhost", "PGUSER": "iam_user"})
    assert (done.stdout, done.returncode) == ("", 1)
    assert done.stderr.startswith("no signer: region: missing")
