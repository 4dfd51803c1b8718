"""Writes what a client of the soak did, one JSON object a line. Times are those of the monotonic clock, which
all processes share and no test moves."""

import json
import os
import time
from pathlib import Path

REFUSED = "PAM authentication failed"


class Events:
    """The file of one client. Forks share it: each line is one write."""

    def __init__(self, path):
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)

    def __call__(self, what, began, outcome, text=""):
        event = {"what": what, "began": began, "ended": time.monotonic(), "outcome": outcome}
        os.write(self._file, json.dumps(event | {"text": text[:300]}).encode() + b"\n")


def outcome_of_login(text):
    """Returns the outcome of a login that failed with this text."""
    return "refused" if REFUSED in text else "failed"


class Stop:
    """Tells a client to end: true once the file exists."""

    def __init__(self, path):
        self._path = Path(path)

    def __bool__(self):
        return self._path.exists()
