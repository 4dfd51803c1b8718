"""The basics of every suite: paths, how long to wait, and an environment without the caller's AWS and
PostgreSQL settings. Needs only Python.
"""

import os
import re
import time
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
RDSIGN = Path(os.environ.get("RDSIGN_BIN", REPOSITORY / "target/debug/rdsign")).resolve()
VERSION = re.search(r'^version = "(.*)"', (REPOSITORY / "Cargo.toml").read_text(), re.M)[1]
HOSTNAME = "mydb.abc123.eu-central-1.rds.amazonaws.com"

# Seconds to wait for something that takes far less. Only a failing test waits so long, so it is long
# enough for a busy machine.
PATIENCE = 120
# The credentials timeout in seconds, in all tests that do not test the timeout itself: the default of
# five seconds is too short on a busy machine.
BOUND = 60

# Keeps out the user's files and the machine's metadata service.
NO_AWS = {
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
}


def without_aws_and_postgres():
    """Returns this process's environment without the variables that rdsign, AWS SDKs or libpq read."""
    return {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "PG", "RDSIGN_"))}


def wait_until(condition, what):
    """Waits until a condition is true. Returns its value."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if value := condition():
            return value
        time.sleep(0.01)
    raise AssertionError(f"waited {PATIENCE} s without success: {what}")


def signed_by(token):
    """Returns the access key id that signed a token."""
    return token.partition("X-Amz-Credential=")[2].partition("%2F")[0]
