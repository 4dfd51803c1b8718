"""What these tests share: the environment of somebody who uses a local RDS."""

import pytest
from common import NO_AWS


@pytest.fixture
def environment(local, tmp_path):
    """That of a user of the server, with a home of the test's own."""
    own = local.place.environment() | local.exports | NO_AWS
    own |= {"HOME": str(tmp_path), "LANG": "C.UTF-8"}
    for name in ("XDG_CACHE_HOME", "LC_ALL", "LC_CTYPE", "NO_COLOR"):
        own.pop(name, None)
    return own
