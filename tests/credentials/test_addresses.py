"""Checks that the metadata services are called at AWS's addresses by default. The tests use these addresses
in an isolated network namespace."""

import json
import shutil
import subprocess
import sys

import own_network
import pytest
from machine import HOSTNAME, signed_by

UNSHARE = ("unshare", "--map-root-user", "--net")


def can_have_a_network() -> bool:
    """Whether this machine lets a test create a network namespace."""
    if shutil.which("unshare") is None:
        return False
    return subprocess.run([*UNSHARE, "true"], capture_output=True).returncode == 0


pytestmark = pytest.mark.skipif(
    not can_have_a_network(), reason="this machine does not let users create network namespaces"
)


@pytest.fixture
def run(machine):
    """Runs rdsign in the namespace. Returns the token's access key ID, and the handed-out ones by route."""

    def run():
        answers = machine.home / "answers"
        before = (*UNSHARE, sys.executable, own_network.__file__, str(answers))
        done = machine.run("token", "--hostname", HOSTNAME, "--username", "iam_user", before=before)
        assert (done.status, done.error) == (0, ""), done
        return signed_by(done.output), json.loads(answers.read_text())

    return run


def test_the_default_imds_address_is_aws_s(machine, run):
    machine.set(AWS_EC2_METADATA_DISABLED=None)
    key, handed_out = run()
    assert handed_out == {"imds": [key], "container": []}


def test_a_relative_uri_is_resolved_at_ecs_s_address(machine, run):
    machine.set(
        AWS_EC2_METADATA_DISABLED=None, AWS_CONTAINER_CREDENTIALS_RELATIVE_URI="/container/credentials"
    )
    key, handed_out = run()
    assert handed_out == {"imds": [], "container": [key]}
