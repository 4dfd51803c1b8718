"""Measures a token in a running Python program, compared with boto3: `warm.py [--quick]`, with both on
PYTHONPATH. Rounds of the two alternate."""

import os
import time

from rows import (
    CLUSTER,
    ENVIRONMENT,
    HOST,
    KEY_ID,
    PORT,
    QUICK,
    REGION,
    SECRET,
    SESSION_TOKEN,
    USER,
    say,
    versions,
)

os.environ.clear()
os.environ |= ENVIRONMENT

import boto3
import rdsign

ROUNDS = 5 if QUICK else 25


def per_call(function, calls):
    """Returns the nanoseconds of CPU per call."""
    start = time.process_time_ns()
    for _ in range(calls):
        function()
    return (time.process_time_ns() - start) / calls


def warm(kind, session_token=None, service="rds"):
    keys = {"access_key_id": KEY_ID, "secret_access_key": SECRET, "session_token": session_token}
    signer = rdsign.Signer(hostname=HOST if service == "rds" else CLUSTER, username=USER, **keys)
    client = boto3.Session(KEY_ID, SECRET, session_token, region_name=REGION).client(service)

    def theirs():
        if service == "dsql":
            return client.generate_db_connect_auth_token(CLUSTER, REGION)
        return client.generate_db_auth_token(HOST, PORT, USER, REGION)

    # Both must return the same token. Retries, because a new second may start in between.
    assert any(signer.password() == theirs() for _ in range(3))
    rounds = [(per_call(signer.password, 20_000), per_call(theirs, 400)) for _ in range(ROUNDS + 1)][1:]
    ours, others = zip(*rounds, strict=True)
    peer = versions("python")["boto3"]
    more = {"aims": [{"times as fast as": peer, "times": 60}]}
    if session_token is None and service == "rds":
        more["aims"].append({"at most": 1500})
        more["chart"] = "warm"
    say("Python", f"one token, warm, {kind}", "ns of CPU", ours, {peer: others}, **more)


warm("long-lived key")
warm("STS session token", SESSION_TOKEN)
warm("long-lived key, Aurora DSQL", service="dsql")
