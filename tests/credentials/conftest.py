"""What the tests of the credential chain share: an AWS of their own, a user's machine, moto, and an
RDS on this machine where every source's keys end in a login."""

import json
import os
import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS / "aws"), str(TESTS / "e2e")]
# For boto3, with which the tests set moto up.
os.environ |= dict.fromkeys(("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"), os.devnull)

from fake_aws import FakeAws, Keys  # noqa: E402
from harness import Place  # noqa: E402
from machine import PROBE, RDSIGN, Machine  # noqa: E402
from moto_aws import Moto  # noqa: E402

for needed in (RDSIGN, PROBE):
    assert needed.exists(), f"{needed} is missing: build it first"


@pytest.fixture
def fake():
    """An AWS of the test's own, which nobody asks for anything else than it has."""
    with FakeAws() as fake:
        yield fake
        assert fake.strays == []


@pytest.fixture
def machine(tmp_path):
    """A machine of the test's own."""
    return Machine(tmp_path)


@pytest.fixture(scope="session")
def moto():
    """One moto for all tests, each of which names its users and roles differently."""
    moto = Moto()
    yield moto
    moto.close()


@pytest.fixture(scope="session")
def local():
    """An RDS on this machine, which tests leave as they found it."""
    place = Place()
    local = place.start()
    yield local
    assert local.stop() == 0
    place.close()


@pytest.fixture
def login(local):
    """Logs in with a token that these keys have signed: let in once RDS knows them, not before."""

    def login(token: str, keys: Keys) -> None:
        local.refuse(token, r"\(unknown-access-key\): .*")
        allow = {"Effect": "Allow", "Action": "rds-db:connect", "Resource": "*"}
        names = ("access_key_id", "secret_access_key", "session_token")
        lines = [f"{name} = {json.dumps(getattr(keys, name))}" for name in names if getattr(keys, name)]
        if keys.expires_at:
            lines.append(f"expires_at = {keys.expiration}")
        lines.append(f"policies = ['{json.dumps({'Version': '2012-10-17', 'Statement': [allow]})}']")
        with local.configuration(append="\n".join(["", "[[access_keys]]", *lines, ""])):
            local.login(token)

    return login
