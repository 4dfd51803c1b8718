"""Logs in to RDS on this machine with examples/c-libpq."""

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
    """Runs a command in `rdsign local`."""
    return run(RDSIGN, "local", "--", *command, env=env, cwd="/")


def test_it_logs_in_to_an_endpoint_that_it_dials_on_loopback(example):
    done = logged_in(example)
    assert (done.stdout, done.returncode) == ("iam_user\n", 0), done.stderr


def test_a_rejected_login_shows_the_server_s_message_and_no_token(example):
    # PGHOST is the endpoint. A token for its other user is valid, but no policy allows it.
    done = logged_in("sh", "-c", 'PGUSER=testuser "$0"; status=$?; "$0" && exit $status', example)
    assert (done.stdout, done.returncode) == ("iam_user\n", 1), done.stderr
    assert 'PAM authentication failed for user "testuser"' in done.stderr
    assert "X-Amz" not in done.stderr


def test_invalid_options_are_reported(example):
    done = run(example, env={"PGHOST": "localhost", "PGUSER": "iam_user"})
    assert (done.stdout, done.returncode) == ("", 1)
    assert done.stderr.startswith("no signer: region: missing")


@pytest.mark.parametrize("told", ["unset PGSSLROOTCERT", "PGSSLROOTCERT="])
def test_the_authorities_of_rds_are_used_unless_told_otherwise(example, told):
    # The local server's certificate does not come from them. Without the file, libpq would not dial.
    done = logged_in("sh", "-c", f'{told}; "$0"', example)
    assert (done.stdout, done.returncode) == ("", 1)
    assert "certificate verify failed" in done.stderr


def test_a_service_sends_the_token_to_no_other_server(example, recorder, tmp_path):
    settings = ["[dev]", "host=127.0.0.1", f"port={recorder.port}", "user=other", "sslmode=disable"]
    (tmp_path / "services").write_text("\n".join(settings))
    # rdsign local removes both variables.
    service = f"PGSERVICE=dev PGSERVICEFILE={tmp_path}/services PGREQUIRESSL=0"
    done = logged_in("sh", "-c", f'{service} "$0"', example)
    assert (done.stdout, done.returncode) == ("iam_user\n", 0), done.stderr
    assert recorder.received == b""
