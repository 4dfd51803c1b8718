"""Shared by the tests: helpers that make signers and run programs, and fixtures.

The tests import the package that is installed from the wheel, never this checkout's.
"""

import subprocess
import sys
from datetime import datetime, timezone
from pathlib import Path

import common
import pytest
import rdsign
from common import BOUND, HOSTNAME, PATIENCE, REPOSITORY
from fake_aws import known_secrets

assert REPOSITORY / "bindings-python" not in Path(rdsign.__file__).parents, (
    "the installed package is not the one imported"
)

pytest_plugins = ["shared_fixtures"]

PROGRAMS = Path(__file__).parent / "programs"
NOON = datetime(2024, 8, 26, 22, tzinfo=timezone.utc)


def pytest_configure(config):
    config.addinivalue_line("filterwarnings", "error")


def signer(**options):
    """Makes a signer. It has keys, unless the options name a source of credentials."""
    sources = ("credentials", "profile", "access_key_id")
    keys = {"access_key_id": "akid", "secret_access_key": "secret"}
    own = {} if any(name in options for name in sources) else keys
    return rdsign.Signer(
        **({"hostname": HOSTNAME, "username": "iam_user", "credentials_timeout": BOUND} | own | options)
    )


def signed_by(token):
    """Returns the access key ID that signed a token."""
    return common.signed_by(token if isinstance(token, str) else token.value)


def run(*arguments, status=0, **options):
    """Runs a program with this Python, checks its exit status and returns its standard output."""
    command = [sys.executable, "-W", "error", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=4 * PATIENCE, **options)
    assert done.returncode == status, done.stdout + done.stderr
    assert not any(secret in done.stderr for secret in known_secrets())
    return done.stdout


@pytest.fixture
def imds(fake, monkeypatch):
    """The fake instance metadata service, where the default chain finds keys."""
    monkeypatch.delenv("AWS_EC2_METADATA_DISABLED")
    monkeypatch.setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", fake.url)
    return fake.imds
