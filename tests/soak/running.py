"""Runs the clients of a soak, freezes and thaws them, lets the clock jump, and records all of it."""

import contextlib
import json
import os
import random
import re
import signal
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path

import programs
from common import PATIENCE
from harness import Local, Place
from judge import Client, Records
from processes import Process
from world import World

# The default of the credentials timeout, in seconds: the bound of every answer.
BOUND = 5
# The room of a process to grow in, in KiB of resident memory a minute. The runtimes that collect garbage
# get more.
NATIVE, COLLECTED = 128, 1024
LOGIN = re.compile(r'"what": ?"login".*"outcome": ?"ok"')
ROOM = {"python": 256, "node": COLLECTED, "java": COLLECTED}


def epoch(clocks=time) -> float:
    """Returns the time of the wall clock at which the monotonic clock was 0. Reads both again if the machine
    held up this program in between."""
    while True:
        before, wall, after = clocks.monotonic(), clocks.time(), clocks.monotonic()
        if after - before < 0.01:
            return wall - before


@dataclass
class Running:
    """A client that runs, and the file that it writes its events to."""

    program: programs.Program
    process: subprocess.Popen
    events: Path
    frozen: list[tuple[float, float]] = field(default_factory=list)

    def logins(self) -> int:
        return len(LOGIN.findall(self.events.read_text()))


class Soak:
    """A soak. `percent` of the answers of the fake AWS are faulty, by a plan that `seed` decides; keys live
    for between `lifetimes` seconds."""

    def __init__(
        self,
        place: Place,
        local: Local,
        folder: Path,
        seed: str,
        percent: float,
        lifetimes: tuple[int, int],
    ):
        if missing := programs.missing():
            raise AssertionError(f"not built: {', '.join(map(str, missing))}; run make test-soak")
        self.local, self.folder = local, folder
        self.chance = random.Random(seed)
        names = [program.name for program in programs.PROGRAMS]
        self.world = World(local, folder, names, seed, percent, lifetimes)
        self.records = Records(BOUND, epoch(), {})
        self.stop = folder / "stop"
        programs.build(folder)
        self.running = {program.name: self._start(program, place) for program in programs.PROGRAMS}
        self._watch(place)

    def _start(self, program: programs.Program, place: Place) -> Running:
        events = self.folder / f"{program.name}.jsonl"
        events.touch()
        environment = place.environment() | {
            name: value for name, value in self.local.exports.items() if name.startswith("PG")
        }
        nothing = {"AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull}
        environment |= nothing | {"AWS_REGION": self.local.exports["AWS_REGION"], "PGUSER": "iam_user"}
        environment |= program.source(self.world.fakes[program.name], self.folder)
        environment |= self.world.clock.environment
        # If the soak is killed, so is the client.
        with_parent = ["setpriv", "--pdeathsig", "KILL"]
        command = program.command(self.folder, events, self.stop)
        with (self.folder / f"{program.name}.stderr").open("w") as errors:
            process = subprocess.Popen(
                [*with_parent, *map(str, command)],
                env=environment,
                cwd=place.base,
                stdin=subprocess.DEVNULL,
                stdout=errors,
                stderr=errors,
                start_new_session=True,
            )
        place.started.append(process)
        return Running(program, process, events)

    def _watch(self, place: Place) -> None:
        postmaster = int((self.local.folder / "data/postmaster.pid").read_text().split()[0])
        watched = {one.program.label: one.process.pid for one in self.running.values()}
        watched |= {"PostgreSQL": postmaster, "rdsign local": self.local.process.pid}
        rooms = {one.program.label: ROOM.get(name, NATIVE) for name, one in self.running.items()}
        self._watched = [
            (Process(name, rooms.get(name, NATIVE)), process) for name, process in watched.items()
        ]
        self.records.processes = [process for process, _ in self._watched]
        self._sampled = 0

    def pass_time(self, seconds: float) -> None:
        """Lets the clients run, and watches them."""
        end = time.monotonic() + seconds
        while (before := time.monotonic()) < end:
            time.sleep(min(0.05, end - before))
            woken = time.monotonic()
            if (nap := woken - before - 0.05) > 0.05:
                self.records.naps.append((woken, nap))
            if woken - self._sampled > 1:
                self._sampled = woken
                self._sample()

    def _sample(self) -> None:
        self.world.read_log()
        for process, number in self._watched:
            folder = Path(f"/proc/{number}")
            with contextlib.suppress(OSError, IndexError):
                status = (folder / "status").read_text()
                memory = int(status.split("VmRSS:")[1].split()[0])
                threads = int(status.split("Threads:")[1].split()[0])
                opened = len(os.listdir(folder / "fd"))
                process.samples.append((time.monotonic(), memory, opened, threads))

    def all_log_in(self, more: int) -> None:
        """Waits until each client has logged in some more times. Gives up if one does not."""
        wanted = {name: one.logins() + more for name, one in self.running.items()}
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            waiting = [name for name, one in self.running.items() if one.logins() < wanted[name]]
            if not waiting or any(self.running[name].process.poll() is not None for name in waiting):
                return
            self.pass_time(0.2)

    def all_fail_in(self, kinds: int) -> None:
        """Waits until the answers of the fake AWS have had so many kinds of faults. Gives up if they do not."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            faults = {ask.fault for plan in self.world.plans.values() for ask in list(plan.asks)}
            if len(faults - {"none"}) >= kinds:
                return
            self.pass_time(0.2)

    def freeze(self, name: str, seconds: float) -> None:
        """Stops a client and the processes that it started, and continues them later."""
        one = self.running[name]
        start = time.monotonic()
        with contextlib.suppress(ProcessLookupError):
            os.killpg(one.process.pid, signal.SIGSTOP)
        try:
            self.pass_time(seconds)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(one.process.pid, signal.SIGCONT)
            one.frozen.append((start, time.monotonic()))

    def disturb(self, seconds: float) -> None:
        """Freezes a client by chance and lets the clock jump by chance, again and again."""
        end = time.monotonic() + seconds
        turn = 0
        while time.monotonic() < end:
            self.pass_time(min(self.chance.uniform(1, 5), max(0, end - time.monotonic())))
            turn += 1
            if turn % 5 == 0:
                self.world.jump(self.chance.choice([20, 100, 1000]))
            else:
                # Shorter than a refresh takes, or longer than credentials live.
                seconds = self.chance.choice([self.chance.uniform(0.1, 2), self.chance.uniform(10, 18)])
                self.freeze(self.chance.choice(list(self.running)), seconds)

    def finish(self) -> Records:
        """Ends the clients. Returns the records."""
        self.stop.touch()
        end = time.monotonic() + PATIENCE
        for one in self.running.values():
            with contextlib.suppress(subprocess.TimeoutExpired):
                one.process.wait(max(1, end - time.monotonic()))
        self.world.read_log()
        for name, one in self.running.items():
            events = [json.loads(line) for line in one.events.read_text().splitlines()]
            client = Client(one.program.label, one.program.signers, events, self.world.plans[name].asks)
            client.frozen, client.status = one.frozen, one.process.poll()
            self.records.clients[name] = client
        self.records.jumps = self.world.jumps
        self.records.refusals, self.records.accepted = self.world.refusals, self.world.accepted
        drift = epoch() - self.records.epoch
        assert abs(drift) < 0.5, f"the machine's clock was set by {drift:.1f} s meanwhile"
        assert self.world.strays() == []
        self.world.close()
        return self.records
