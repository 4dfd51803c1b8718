"""The pytest plugin of all suites: fixtures for a fake AWS, a local RDS, and a clock.

Each suite's conftest names it in `pytest_plugins`; fixtures of one suite belong in that conftest. Loading
the plugin removes the variables that AWS SDKs and libpq read, and restores signals that are ignored.
"""

import contextlib
import os
import signal

import clock as clock_library
import pytest
from common import NO_AWS, RDSIGN
from fake_aws import FakeAws, NewSecrets
from harness import LIBRARY, Place
from recorder import Recorder

for name in [name for name in os.environ if name.startswith(("AWS_", "PG"))]:
    del os.environ[name]
os.environ |= NO_AWS

# Scripts ignore these signals in programs that they run in the background, and so does nohup. The
# programs that tests start would inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGHUP, signal.SIG_DFL)
signal.signal(signal.SIGQUIT, signal.SIG_DFL)


@pytest.fixture
def fake():
    """A fake AWS for one test. Fails if it got a request that it does not know."""
    with FakeAws() as fake:
        yield fake
        assert fake.strays == []


@pytest.fixture
def secrets():
    """The secrets that the test makes."""
    return NewSecrets()


@pytest.fixture
def recorder():
    """A server without TLS, which a token must never reach."""
    recorder = Recorder()
    yield recorder
    recorder.close()


@pytest.fixture(scope="session")
def clock_so(tmp_path_factory):
    return clock_library.build(tmp_path_factory.mktemp("clock"))


@pytest.fixture
def clock(clock_so, tmp_path):
    """A clock for the programs that the test starts with its environment."""
    return clock_library.Clock(clock_so, tmp_path)


@pytest.fixture
def place():
    """A place for one test. Fails if the test leaves something in it."""
    place = Place()
    yield place
    place.close()


@contextlib.contextmanager
def running_local(*flags):
    """Starts a local RDS for many tests. Fails if its log contains a secret, or if something is left behind."""
    for needed in (RDSIGN, RDSIGN.parent / LIBRARY):
        assert needed.exists(), f"{needed} is missing: build it first"
    place = Place()
    try:
        local = place.start(*flags)
        yield local
        log = local.log.read_text()
        assert local.stop() == 0
    finally:
        place.close()
    for key in local.keys.values():
        assert key["secret_access_key"] not in log
    assert "X-Amz-Signature" not in log


@pytest.fixture(scope="session")
def local():
    """A local RDS for all tests, which must undo their changes."""
    with running_local() as local:
        yield local
