"""What the benchmarks in Python share: whom they sign for, and the form of a result.

A row is a line of JSON on standard output; run.py says what is in it and makes figures of it.
"""

import json
import os
import sys
from pathlib import Path

QUICK = "--quick" in sys.argv
HOST, PORT, USER, REGION = "mydb.abc123.eu-central-1.rds.amazonaws.com", 5432, "iam_user", "eu-central-1"
KEY_ID, SECRET = "AKIDEXAMPLE000000000", "wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEY00"
# As long as those of STS, with some to percent-encode.
SESSION_TOKEN = "IQoJb3JpZ2luX2VjE/+=" * 45
PEERS = Path(__file__).parents[1] / "target" / "bench"

# Nothing of the caller's: a variable such as NODE_EXTRA_CA_CERTS makes a process twice as slow to
# start. No file, no profile and no metadata service answers instead of these keys.
ENVIRONMENT = {
    "PATH": os.environ["PATH"],
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_REGION": REGION,
    "AWS_DEFAULT_REGION": REGION,
    "AWS_ACCESS_KEY_ID": KEY_ID,
    "AWS_SECRET_ACCESS_KEY": SECRET,
}


def versions(kind):
    """The peers of a kind: what peers.txt calls them, and with their versions."""
    lines = Path(__file__).with_name("peers.txt").read_text().split("\n")
    named = [line.split() for line in lines if line.startswith(f"{kind} ")]
    return {name: f"{name} {version}" for _, name, version in named}


def folder_of(peer):
    """The folder below that of its kind that bench/install puts a peer into."""
    return peer.split(":")[-1].split("/")[-1]


def say(language, row, unit, rdsign, peers, **more):
    """One comparison: a list of measurements for rdsign and for each peer."""
    line = {"language": language, "row": row, "unit": unit, "rdsign": rdsign, "peers": peers, **more}
    print(json.dumps(line), flush=True)
