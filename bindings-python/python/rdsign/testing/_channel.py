"""The channels to `rdsign local --json`: a process of one's own, or the socket of somebody else's."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any, Optional

PROTOCOL = 1
# A server stops in less than a second, unless the machine is busy.
STOPS_WITHIN = 30


class LocalError(Exception):
    """The server could not be started, or refused a request. The message says what to do.

    `sqlstate` is the SQLSTATE if the server reported an error of SQL, else None.
    """

    def __init__(self, message: str, sqlstate: Optional[str] = None) -> None:
        super().__init__(message)
        self.sqlstate = sqlstate


class UnavailableError(LocalError):
    """There is no PostgreSQL from 14 to 18, no program `rdsign`, or no Linux."""


def program() -> str:
    """Returns the path of the program: `$RDSIGN_BIN`, else that of the wheel, else the one in `PATH`."""
    if given := os.environ.get("RDSIGN_BIN"):
        if shutil.which(given) is None:
            raise LocalError(
                f"RDSIGN_BIN: {given} is not a program; accepted: the path of the program rdsign"
            )
        return given
    # Imports sysconfig, and pytest loads this module in every run.
    from rdsign.__main__ import places

    package = Path(__file__).resolve().parents[1]
    installed = next((str(place) for place in places(package, os.name) if place.is_file()), None)
    if found := installed or shutil.which("rdsign"):
        return found
    raise UnavailableError("no program rdsign: install the wheel, or set RDSIGN_BIN to the path of one")


class Channel:
    """Sends requests and returns the answers. Any number of threads may share it."""

    def __init__(self, requests: IO[str], answers: IO[str]) -> None:
        self.requests = requests
        self.answers = answers
        self.count = 0
        self.why = ""
        self.lock = threading.Lock()

    def line(self) -> dict[str, Any]:
        """Returns the next line. Raises LocalError at the end, with the reason if the server gave one."""
        line = self.answers.readline()
        if not line.endswith("\n"):
            raise LocalError(f"rdsign local has ended{self.why}")
        try:
            read: dict[str, Any] = json.loads(line)
        except ValueError:
            # The line may contain a secret, and so does the error.
            raise LocalError("rdsign local wrote a line that is not JSON") from None
        if read.get("event") == "stopped":
            self.why = f": {read.get('message', 'it was stopped')}"
        return read

    def ask(self, verb: str, members: Mapping[str, Any]) -> dict[str, Any]:
        """Sends a request without the members that are None, and returns its answer."""
        given = {name: value for name, value in members.items() if value is not None}
        with self.lock:
            self.count += 1
            if self.answers.closed:
                raise LocalError("rdsign local was stopped")
            try:
                self.requests.write(json.dumps({"id": self.count, "do": verb, **given}) + "\n")
                self.requests.flush()
            except OSError:
                pass  # it has ended, and its last line says why
            # Events come in between.
            while (line := self.line()).get("id") != self.count:
                pass
        if problem := line.get("error"):
            raise LocalError(f"{verb}: {problem['message']}", problem.get("sqlstate"))
        answer: dict[str, Any] = line["ok"]
        return answer


class Process(Channel):
    """A server of one's own. It stops when its standard input ends, so also if this process crashes."""

    def __init__(self, options: Sequence[str], environment: Optional[Mapping[str, str]]) -> None:
        if not sys.platform.startswith("linux"):
            raise UnavailableError("rdsign local needs Linux; run the tests in a container")
        command = [program(), "local", "--json", *options]
        # In a session of its own: Ctrl-C is for the tests, which still use the server to end.
        try:
            self.process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                encoding="utf-8",
                env=environment,
                start_new_session=True,
            )
        except OSError as error:
            raise LocalError(f"{command[0]}: {error.strerror}") from error
        assert self.process.stdin and self.process.stdout
        super().__init__(self.process.stdin, self.process.stdout)
        try:
            self.info = self.line()
            if self.info.get("event") == "ready" and self.info.get("protocol") != PROTOCOL:
                raise LocalError("it speaks another protocol")
        except LocalError as error:
            self.close()
            accepted = "the rdsign of this package's version, with options that it knows"
            raise LocalError(f"{command[0]}: {error}; accepted: {accepted}") from None
        if self.info.get("event") != "ready":
            self.close()
            kind = UnavailableError if self.info.get("kind") in ("no-postgres", "needs-linux") else LocalError
            raise kind(self.info["message"])

    def close(self) -> None:
        """Stops the server, and waits until its files are removed."""
        try:
            self.requests.close()
        except OSError:
            pass  # it has ended, and did not read what was written
        try:
            self.process.wait(STOPS_WITHIN)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.answers.close()


class Socket(Channel):
    """The server of another process, through its socket. Closing it does not stop the server."""

    def __init__(self, path: str) -> None:
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            self.socket.connect(path)
        except OSError as error:
            self.socket.close()
            raise LocalError(f"{path}: {error.strerror}; is the server running?") from error
        requests = self.socket.makefile("w", encoding="utf-8")
        super().__init__(requests, self.socket.makefile("r", encoding="utf-8"))
        self.info = self.ask("info", {})

    def close(self) -> None:
        for part in (self.requests, self.answers, self.socket):
            try:
                part.close()
            except OSError:
                pass  # the server has ended
