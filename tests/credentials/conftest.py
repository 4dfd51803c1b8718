"""What the tests of the credential chain share: a user's machine, moto, and a local RDS where every
source's keys end in a login."""

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
    """A machine of the test's own."""
    return Machine(tmp_path, clock)


@pytest.fixture
def stopped(clock):
    """Stops time, for the keys that are made and for probes: only `after` moves it. Returns the second
    at which it stands, since 1970."""
    with now.stopped() as second:
        clock.stop_waits()
        yield second.timestamp()


@pytest.fixture
def certificate(tmp_path):
    """A certificate for 127.0.0.1 and STS that signs itself, and its key."""
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
    """One moto for all tests, each of which names its users and roles differently."""
    moto = Moto()
    yield moto
    moto.close()


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


def pytest_terminal_summary(terminalreporter):
    if COMPARISONS:
        terminalreporter.write_line(summary())
