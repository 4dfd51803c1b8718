"""What the tests share: a place for each test that starts its own server, and one server for all
that only log in."""

import os
import shutil

import pytest

from harness import LIBRARY, RDSIGN, Place

for needed in (RDSIGN, RDSIGN.parent / LIBRARY):
    assert needed.exists(), f"{needed} is missing: build it first"
assert shutil.which("psql"), "psql is missing: apt-get install postgresql"


@pytest.fixture
def place():
    """A place of the test's own, which must be empty again at its end."""
    place = Place()
    yield place
    place.close()


USERS = ["oneself", "nobody"] if os.geteuid() == 0 else ["oneself"]


@pytest.fixture(params=USERS)
def users_place(request):
    """The same for each kind of user: root, who hands PostgreSQL to another one, and a normal one."""
    place = Place(None if request.param == "oneself" else request.param)
    yield place
    place.close()


@pytest.fixture(scope="session")
def shared():
    """A server that tests log in to, and leave as they found it."""
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
