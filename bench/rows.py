"""Shared by the benchmarks in Python: the endpoint and keys to sign with, and the format of a result.

A result is a row: a line of JSON on standard output. run.py documents and reads it.
"""

import json
import os
import sys
from pathlib import Path

QUICK = "--quick" in sys.argv
HOST, PORT, USER, REGION = "mydb.abc123.eu-central-1.rds.amazonaws.com", 5432, "iam_user", "eu-central-1"
CLUSTER = "4abcdefghijklmnopqrstuvwxy.dsql.eu-central-1.on.aws"
KEY_ID, SECRET = "AKIDEXAMPLE000000000", "wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEY00"
# As long as a session token from STS, with characters that must be percent-encoded.
SESSION_TOKEN = "IQoJb3JpZ2luX2VjE/+=" * 45
PEERS = Path(__file__).parents[1] / "target" / "bench"

# Without the caller's variables: one such as NODE_EXTRA_CA_CERTS doubles the time to start a process.
# Files, profiles and metadata services are turned off, so these keys are used.
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
    """Returns the peers of a kind: their name in peers.txt, and their name with the version."""
    lines = Path(__file__).with_name("peers.txt").read_text().split("\n")
    named = [line.split() for line in lines if line.startswith(f"{kind} ")]
    return {name: f"{name} {version}" for _, name, version in named}


def folder_of(peer):
    """Returns the name of the folder that bench/install creates for a peer."""
    return peer.split(":")[-1].split("/")[-1]


def say(language, row, unit, rdsign, peers, **more):
    """Prints a comparison: a list of measurements for rdsign and for each peer."""
    line = {"language": language, "row": row, "unit": unit, "rdsign": rdsign, "peers": peers, **more}
    print(json.dumps(line), flush=True)
