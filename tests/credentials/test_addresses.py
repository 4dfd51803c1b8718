"""Without a word in the environment the metadata services are asked at AWS's own addresses. The
tests give those to a network of their own, which leads nowhere else."""

import json
import shutil
import subprocess
import sys

import own_network
import pytest
from machine import HOSTNAME, signed_by

UNSHARE = ("unshare", "--map-root-user", "--net")


def can_have_a_network() -> bool:
    """Whether this machine lets a test have one."""
    if shutil.which("unshare") is None:
        return False
    return subprocess.run([*UNSHARE, "true"], capture_output=True).returncode == 0


pytestmark = pytest.mark.skipif(
    not can_have_a_network(), reason="this machine gives no user a network of its own"
)


@pytest.fixture
def run(machine):
    """Runs rdsign there: the token's key, and the keys handed out by route."""

    def run():
        answers = machine.home / "answers"
        before = (*UNSHARE, sys.executable, own_network.__file__, str(answers))
        done = machine.run("token", "--hostname", HOSTNAME, "--username", "iam_user", before=before)
        assert (done.status, done.error) == (0, ""), done
        return signed_by(done.output), json.loads(answers.read_text())

    return run


def test_the_instance_s_own_address_is_the_default(machine, run):
    machine.set(AWS_EC2_METADATA_DISABLED=None)
    key, handed_out = run()
    assert handed_out == {"imds": [key], "container": []}


def test_a_relative_uri_is_asked_at_the_container_s_own_address(machine, run):
    machine.set(
        AWS_EC2_METADATA_DISABLED=None, AWS_CONTAINER_CREDENTIALS_RELATIVE_URI="/container/credentials"
    )
    key, handed_out = run()
    assert handed_out == {"imds": [], "container": [key]}
