"""What the tests share: an RDS on this machine, and the JAR under test."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(REPOSITORY / "tests/e2e"), str(REPOSITORY / "tests/aws")]

from harness import Place  # noqa: E402

JAR = Path(os.environ["RDSIGN_JAR"]).resolve()
EXAMPLE = REPOSITORY / "target/jvm/example"  # built by packaging/reactor
ENDPOINT = "mydb.abc123.eu-central-1.rds.amazonaws.com"  # signed for in the examples

CLASS_PATH = f"{JAR}:{EXAMPLE}/batch.jar:{EXAMPLE}/lib/*"
NOTHING = {"AWS_EC2_METADATA_DISABLED": "true", "AWS_CONFIG_FILE": "/dev/null", "AWS_SHARED_CREDENTIALS_FILE": "/dev/null"}


def java(place, *arguments, cwd="/", more="", **variables):
    """Runs a program with the JAR under test and what the example needs: a finished process."""
    command = ["java", "-cp", f"{CLASS_PATH}:{more}", *map(str, arguments)]
    environment = place.environment(**NOTHING | {name: str(value) for name, value in variables.items()})
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
