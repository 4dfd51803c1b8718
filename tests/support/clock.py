"""A clock that a test can stop and move, for the programs that the test starts.

Programs read two clocks: the wall clock gives the signing time and says whether keys have expired; the
monotonic clock measures waits. A test that stops both decides when a time limit has passed, however
long the machine pauses.
"""

import struct
import subprocess
import time
from pathlib import Path

SECOND = 1_000_000_000


def build(folder):
    """Compiles the library that makes a program see this clock. Returns its path."""
    library = Path(folder) / "clock.so"
    source = Path(__file__).with_name("clock.c")
    strict = ["-Wall", "-Wextra", "-Wpedantic", "-Werror"]
    subprocess.run(["cc", "-std=c11", "-O1", *strict, "-shared", "-fPIC", "-o", library, source], check=True)
    return library


class Clock:
    """The clock of the programs that run with `environment`; it runs until it is stopped."""

    def __init__(self, library, folder):
        self._file = Path(folder) / "clock"
        self.environment = {"LD_PRELOAD": str(library), "RDSIGN_TEST_CLOCK": str(self._file)}
        self._realtime = self._monotonic = self._ahead = 0
        self._write()

    def set(self, moment):
        """Stops the wall clock at this time, in seconds since 1970."""
        self._realtime = round(moment * SECOND)
        self._write()

    def jump(self, seconds):
        """Moves the running wall clock ahead, as after a suspend. The monotonic clock stays."""
        self._ahead += round(seconds * SECOND)
        self._write()

    def stop_waits(self):
        """Stops the monotonic clock: no time limit passes from now on."""
        self._monotonic = time.monotonic_ns()
        self._write()

    def wait(self, seconds):
        """Moves the stopped monotonic clock ahead. A sleeping program sees the new time only when it
        wakes up, so reaching a time limit takes real time, but no limit passes too early."""
        self._monotonic += round(seconds * SECOND)
        self._write()

    def _write(self):
        # Overwrites the file in place, because programs have mapped it.
        with open(self._file, "r+b" if self._file.exists() else "wb") as file:
            file.write(struct.pack("=qqq", self._realtime, self._monotonic, self._ahead))
