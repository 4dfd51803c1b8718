"""What every suite starts from: where things are, how long to wait, and an environment in which
nothing of the caller's answers in place of what a test sets up. It needs nothing but Python.
"""

import os
import re
import time
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
RDSIGN = Path(os.environ.get("RDSIGN_BIN", REPOSITORY / "target/debug/rdsign")).resolve()
VERSION = re.search(r'^version = "(.*)"', (REPOSITORY / "Cargo.toml").read_text(), re.M)[1]
HOSTNAME = "mydb.abc123.eu-central-1.rds.amazonaws.com"

# Seconds to wait for what takes far less. Only a failure ever waits so long, so it is long enough
# for a machine that has other things to do.
PATIENCE = 120
# The bound that tests give to whatever fetches credentials, unless the bound is what they test: the
# default of five seconds is soon over on a busy machine.
BOUND = 60

# No files of the user's, and no metadata service of the machine's.
NO_AWS = {
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
}


def without_aws_and_postgres():
    """This process's environment without variables that rdsign, an AWS SDK or libpq reads."""
    return {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "PG", "RDSIGN_"))}


def wait_until(condition, what):
    """Waits until a condition holds that something else brings about, and returns its value."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if value := condition():
            return value
        time.sleep(0.01)
    raise AssertionError(f"waited {PATIENCE} s in vain: {what}")


def signed_by(token):
    """The access key id that signed a token."""
    return token.partition("X-Amz-Credential=")[2].partition("%2F")[0]
