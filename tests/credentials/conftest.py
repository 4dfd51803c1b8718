"""Fixtures for the tests of credentials: a user's machine, moto, and logins to a local RDS."""

import json
import subprocess

import pytest
from fake_aws import Keys, now
from machine import PROBE, RDSIGN, Machine
from moto_aws import Moto
from oracle import COMPARISONS, summary

for needed in (RDSIGN, PROBE):
    assert needed.exists(), f"{needed} is missing: build it first"


@pytest.fixture
def machine(tmp_path, clock):
    """Returns a new machine for each test."""
    return Machine(tmp_path, clock)


@pytest.fixture
def stopped(clock):
    """Stops the clock for new keys and for probes; only `after` moves it. Returns the Unix time at
    which it stands."""
    with now.stopped() as second:
        clock.stop_waits()
        yield second.timestamp()


@pytest.fixture
def certificate(tmp_path):
    """Makes a self-signed certificate for 127.0.0.1 and STS. Returns the paths of it and of its key."""
    files = ["-keyout", str(tmp_path / "key.pem"), "-out", str(tmp_path / "certificate.pem")]
    what = [
        "-subj",
        "/CN=tests",
        "-addext",
        "subjectAltName=IP:127.0.0.1,DNS:*.eu-central-1.amazonaws.com",
        "-days",
        "2",
    ]
    what += ["-addext", "basicConstraints=critical,CA:FALSE"]
    kind = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    subprocess.run(["openssl", *kind, *what, *files], check=True, capture_output=True)
    return tmp_path / "certificate.pem", tmp_path / "key.pem"


@pytest.fixture(scope="session")
def moto():
    """Starts one moto for all tests. Each test must use its own names for users and roles."""
    moto = Moto()
    yield moto
    moto.close()


@pytest.fixture
def login(local):
    """Returns a function that logs in with a token. RDS must reject it until it knows the keys."""

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


def pytest_terminal_summary(terminalreporter):
    if COMPARISONS:
        terminalreporter.write_line(summary())
