"""The fixtures that the end-to-end tests share: a place for each kind of user, and one server for all
tests that only log in."""

import os
import shutil

import pytest
from common import RDSIGN
from harness import LIBRARY, Place

for needed in (RDSIGN, RDSIGN.parent / LIBRARY):
    assert needed.exists(), f"{needed} is missing: build it first"
assert shutil.which("psql"), "psql is missing: apt-get install postgresql"

USERS = ["oneself", "nobody"] if os.geteuid() == 0 else ["oneself"]


@pytest.fixture(params=USERS)
def users_place(request):
    """A place for each kind of user: root, who runs PostgreSQL as another user, and a normal user."""
    place = Place(None if request.param == "oneself" else request.param)
    yield place
    place.close()


@pytest.fixture(scope="session")
def shared(local):
    return local
