"""With every driver, a pool still connects when it is older than a token's 15 minutes. The test sets
the clocks of client and server forward, and checks that the server then rejects the first token."""

import os
import re
import subprocess
import sys
import time

import pytest
from conftest import PROGRAMS
from harness import bounded

LATER = 1200  # seconds
WAYS = re.findall(r"^def (\w+_(?:pool|engine))\(", (PROGRAMS / "outlive.py").read_text(), re.M)


@pytest.mark.parametrize("way", WAYS)
def test_it_connects_after_20_minutes(way, local, clock):
    environment = os.environ | local.exports | clock.environment
    command = [sys.executable, "-W", "error", PROGRAMS / "outlive.py", way, local.host, local.port]
    pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    with (
        subprocess.Popen(list(map(str, command)), env=environment, text=True, **pipes) as process,
        bounded(process),
    ):
        kept = process.stdout.readline().removesuffix("\n")
        started = process.stdout.readline()
        assert started == "one\n", process.stderr.read()
        local.login(kept)
        with local.configuration(("clock_offset_seconds = 0", f"clock_offset_seconds = {LATER}")):
            local.refuse(kept, r"\(expired\): .*")
            clock.set(time.time() + LATER)
            output, error = process.communicate("later\n")
    assert (output, error, process.returncode) == ("iam_user\n", "", 0)


def test_every_pool_and_engine_is_tested():
    assert len(WAYS) == 9
