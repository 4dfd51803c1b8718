"""What the clients of a soak live in: a fake AWS for each, one `rdsign local`, and a clock that jumps.

Whoever gets keys from a fake AWS can log in: the server learns them before they are sent. The clients, the
fake AWS and the server read the same wall clock, which can be put ahead for all of them at once.
"""

import json
import os
import re
import threading
import time
from collections import Counter
from datetime import timedelta
from pathlib import Path

import clock
from fake_aws import FakeAws, Keys, now
from faults import FaultPlan
from harness import Local
from log import Log

POLICY = {"Effect": "Allow", "Action": "rds-db:connect", "Resource": "*"}
POLICIES = json.dumps({"Version": "2012-10-17", "Statement": [POLICY]})
# How long the server knows keys, in real seconds: far longer than any of them lives.
KNOWN = 60


class World:
    """Made for the clients of these names."""

    def __init__(
        self,
        local: Local,
        folder: Path,
        names: list[str],
        seed: str,
        percent: float,
        lifetimes: tuple[int, int],
    ):
        self.local = local
        self._lock = threading.Lock()
        self._keys: dict[str, tuple[float, str]] = {}
        self.clock = clock.Clock(clock.build(folder), folder)
        self.jumps: list[tuple[float, float, float]] = []
        self._ahead = 0
        self.fakes = {name: FakeAws() for name in names}
        self.plans = {
            name: FaultPlan(fake, f"{seed} {name}", percent, lifetimes, self.learn)
            for name, fake in self.fakes.items()
        }
        self.log = Log(local.log)
        self.refusals: Counter = Counter()
        self.accepted = 0

    def learn(self, keys: Keys) -> None:
        """Tells the server about keys."""
        lines = [f"{name} = {json.dumps(getattr(keys, name))}" for name in ("access_key_id", "session_token")]
        lines.append(f"secret_access_key = {json.dumps(keys.secret_access_key)}")
        lines += [f"expires_at = {keys.expiration}", f"policies = ['{POLICIES}']", ""]
        with self._lock:
            self._keys[keys.access_key_id] = (time.monotonic(), "\n".join(["[[access_keys]]", *lines]))
            self._configure()

    def jump(self, seconds: int) -> None:
        """Puts the wall clock of all clients, of the fake AWS and of the server ahead."""
        with self._lock:
            start = time.monotonic()
            self._ahead += seconds
            now.ahead = timedelta(seconds=self._ahead)
            self._configure()
            self.clock.jump(seconds)
            self.jumps.append((start, time.monotonic(), self._ahead))

    def _configure(self) -> None:
        known = time.monotonic() - KNOWN
        self._keys = {id: entry for id, entry in self._keys.items() if entry[0] > known}
        own = self.local.original.replace("clock_offset_seconds = 0", f"clock_offset_seconds = {self._ahead}")
        path = self.local.config
        found, new = path.stat(), path.with_name("config.new")
        new.write_text("\n".join([own, *(text for _, text in self._keys.values())]))
        os.chown(new, found.st_uid, found.st_gid)
        new.chmod(found.st_mode & 0o777)
        # At once: a login reads the whole file.
        new.replace(path)

    def read_log(self) -> None:
        """Counts the new lines of the server's log."""
        lines = self.log.new_lines()
        self.accepted += lines.count("rdsign: accepted: ")
        self.refusals.update(re.findall(r"rdsign: refused \(([a-z-]+)\)", lines))
        assert "X-Amz-Signature" not in lines, "the server's log shows a token"

    def strays(self) -> list[str]:
        """Returns the requests to paths that no route has, such as that of a redirect."""
        return [request.path for fake in self.fakes.values() for request in fake.strays]

    def close(self) -> None:
        for fake in self.fakes.values():
            fake.close()
        now.ahead = timedelta()
