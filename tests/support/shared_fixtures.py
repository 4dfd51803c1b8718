"""The pytest plugin of all suites: an AWS of the test's own, a local RDS, and a clock.

Each suite's conftest names it in `pytest_plugins`. Its own programs and fixtures stay in that
conftest. Loading it takes out of the environment whatever an AWS SDK or libpq would read there, and
stops ignoring signals.
"""

import os
import signal

import clock as clock_library
import pytest
from common import NO_AWS, RDSIGN
from fake_aws import FakeAws
from harness import LIBRARY, Place

for name in [name for name in os.environ if name.startswith(("AWS_", "PG"))]:
    del os.environ[name]
os.environ |= NO_AWS

# In the background of a script, and below nohup, these are ignored, and so would be by the programs
# that tests start.
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGHUP, signal.SIG_DFL)
signal.signal(signal.SIGQUIT, signal.SIG_DFL)


@pytest.fixture
def fake():
    """An AWS of the test's own, which nobody asks for anything that it does not have."""
    with FakeAws() as fake:
        yield fake
        assert fake.strays == []


@pytest.fixture(scope="session")
def clock_so(tmp_path_factory):
    return clock_library.build(tmp_path_factory.mktemp("clock"))


@pytest.fixture
def clock(clock_so, tmp_path):
    """The clock of the programs that the test starts with its environment."""
    return clock_library.Clock(clock_so, tmp_path)


@pytest.fixture
def place():
    """A place of the test's own, which must be empty again at its end."""
    place = Place()
    yield place
    place.close()


@pytest.fixture(scope="session")
def local():
    """A local RDS for all tests, which leave it as they found it. No secret gets into its log."""
    for needed in (RDSIGN, RDSIGN.parent / LIBRARY):
        assert needed.exists(), f"{needed} is missing: build it first"
    place = Place()
    try:
        local = place.start()
        yield local
        log = local.log.read_text()
        assert local.stop() == 0
    finally:
        place.close()
    for key in local.keys.values():
        assert key["secret_access_key"] not in log
    assert "X-Amz-Signature" not in log
