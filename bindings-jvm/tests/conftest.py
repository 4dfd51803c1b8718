"""What the tests share: an RDS on this machine, and the JAR under test."""

import os
import subprocess
from pathlib import Path

import pytest
from common import HOSTNAME, NO_AWS, REPOSITORY
from harness import Place

pytest_plugins = ["shared_fixtures"]

JAR = Path(os.environ["RDSIGN_JAR"]).resolve()
EXAMPLE = REPOSITORY / "target/jvm/example"  # built by packaging/reactor
ENDPOINT = HOSTNAME  # signed for in the examples

CLASS_PATH = f"{JAR}:{EXAMPLE}/batch.jar:{EXAMPLE}/lib/*"


def java(place, *arguments, cwd="/", more="", program="java", **variables):
    """Runs a program with the JAR under test and what the example needs: a finished process."""
    command = [program, "-cp", f"{CLASS_PATH}:{more}", *map(str, arguments)]
    environment = place.environment(**NO_AWS | {name: str(value) for name, value in variables.items()})
    return subprocess.run(command, cwd=cwd, env=environment, text=True, capture_output=True)


@pytest.fixture(scope="session")
def place():
    place = Place()
    yield place
    place.close()


@pytest.fixture(scope="session")
def server(place):
    # By its own port, too, and by the one that it listens on.
    local = place.start("--endpoint", f"{ENDPOINT}:5432", "--endpoint", ENDPOINT)
    yield local
    assert local.stop() == 0
