"""The fixture that these tests share: the environment of a user of a local RDS."""

import pytest
from common import NO_AWS


@pytest.fixture
def environment(local, tmp_path):
    """The environment of a user of the server, with a new home for each test."""
    own = local.place.environment() | local.exports | NO_AWS
    own |= {"HOME": str(tmp_path), "LANG": "C.UTF-8"}
    for name in ("XDG_CACHE_HOME", "LC_ALL", "LC_CTYPE", "NO_COLOR"):
        own.pop(name, None)
    return own
