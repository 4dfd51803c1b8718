"""Checks that the metadata services are called at AWS's addresses by default. The tests use these addresses
in an isolated network namespace."""

import json
import sys

import own_network
import pytest
from machine import HOSTNAME, signed_by

pytestmark = pytest.mark.skipif(not own_network.is_possible(), reason=own_network.IMPOSSIBLE)


@pytest.fixture
def run(machine):
    """Runs rdsign in the namespace. Returns the token's access key ID, and the handed-out ones by route."""

    def run():
        answers = machine.home / "answers"
        before = (*own_network.UNSHARE, sys.executable, own_network.__file__, str(answers))
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
