"""Logs in with the command line until STOP exists: cli.py EVENTS STOP RDSIGN. Takes turns with `rdsign token`
and `rdsign exec`."""

import itertools
import os
import re
import subprocess
import sys
import time

from events import Events, Stop, outcome_of_login

event, stop, rdsign = Events(sys.argv[1]), Stop(sys.argv[2]), sys.argv[3]
PSQL = ["psql", "-XAtqwc", "select current_user"]


def run(*command, **environment):
    return subprocess.run(command, env=os.environ | environment, text=True, capture_output=True)


def error_code(done):
    """Returns the code of rdsign's own error, or None."""
    found = re.match(r"rdsign: ([A-Z_]+): ", done.stderr)
    return found and found[1]


def login(began, done):
    outcome = "ok" if done.returncode == 0 else outcome_of_login(done.stderr)
    event("login", began, outcome, done.stderr)


for turn in itertools.count():
    if stop:
        break
    began = time.monotonic()
    if turn % 2:
        done = run(rdsign, "exec", "--", *PSQL)
        if code := error_code(done):
            event("token", began, code, done.stderr)
        else:
            login(began, done)
    else:
        done = run(rdsign, "token")
        if done.returncode:
            event("token", began, error_code(done) or "failed", done.stderr)
        else:
            event("token", began, "ok")
            login(began, run(*PSQL, PGPASSWORD=done.stdout.strip()))
    time.sleep(0.2)
