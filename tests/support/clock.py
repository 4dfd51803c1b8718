"""A clock that stands still until a test moves it, for the programs that the test starts.

Two things read the time: the wall clock says which moment a token is for and whether keys have
expired, the monotonic one how long a wait has lasted. A test that stops both decides alone when a
bound has passed, however long the machine pauses.
"""

import struct
import subprocess
import time
from pathlib import Path

SECOND = 1_000_000_000


def build(folder):
    """Compiles the library that shows a program this clock."""
    library = Path(folder) / "clock.so"
    source = Path(__file__).with_name("clock.c")
    strict = ["-Wall", "-Wextra", "-Wpedantic", "-Werror"]
    subprocess.run(["cc", "-std=c11", "-O1", *strict, "-shared", "-fPIC", "-o", library, source], check=True)
    return library


class Clock:
    """The clock of the programs that run with `environment`; it goes until it is stopped."""

    def __init__(self, library, folder):
        self._file = Path(folder) / "clock"
        self.environment = {"LD_PRELOAD": str(library), "RDSIGN_TEST_CLOCK": str(self._file)}
        self._realtime = self._monotonic = 0
        self._write()

    def set(self, moment):
        """Stops the wall clock at a moment, in seconds since 1970."""
        self._realtime = round(moment * SECOND)
        self._write()

    def stop_waits(self):
        """Stops the monotonic clock: no bound passes from now on."""
        self._monotonic = time.monotonic_ns()
        self._write()

    def wait(self, seconds):
        """Lets the stopped monotonic clock jump ahead. A program that sleeps until a bound sees it
        when it wakes up, so that takes the real time, but no bound passes earlier."""
        self._monotonic += round(seconds * SECOND)
        self._write()

    def _write(self):
        # Into the file as it is: programs have it mapped.
        with open(self._file, "r+b" if self._file.exists() else "wb") as file:
            file.write(struct.pack("=qq", self._realtime, self._monotonic))
