"""The soak: all clients at one `rdsign local` for some minutes, with faults, freezes and a clock that jumps.

    soak.py [--minutes 10] [--percent 25] [--seed TEXT] [--record]

Prints a table of what was counted, and why each count that must be 0 is not. The exit status is 0 only if all
are. --record also writes the table to docs/reliability.md. The records of the last run are in target/soak/last.
"""

import argparse
import json
import shutil
import signal
import sys
import time
from dataclasses import asdict
from pathlib import Path

import report
from common import REPOSITORY
from harness import Place
from judge import judge
from running import Soak

LAST = REPOSITORY / "target/soak/last"
LIFETIMES = (8, 14)


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--percent", type=float, default=25)
    parser.add_argument("--seed", default=time.strftime("%Y%m%d"))
    parser.add_argument("--record", action="store_true")
    given = parser.parse_args()
    if given.record and given.minutes < 10:
        parser.error("--minutes: too few for a record; accepted: at least 10")
    run = report.Run(given.minutes, given.percent, given.seed, LIFETIMES)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)
    place = Place()
    try:
        local = place.start()
        shutil.rmtree(LAST, ignore_errors=True)
        LAST.mkdir(parents=True)
        soak = Soak(place, local, LAST, given.seed, given.percent, LIFETIMES)
        print("Waiting for the first login of each client ...", flush=True)
        soak.all_log_in(1)
        print(f"All have logged in. {given.minutes:g} minutes from now ...", flush=True)
        soak.disturb(given.minutes * 60)
        records = soak.finish()
        local.stop()
    finally:
        place.close()
    keep(records, LAST)
    result = judge(records)
    print(report.text(result, run))
    if given.record:
        report.write(result, run)
    return 1 if result.problems else 0


def keep(records, folder: Path) -> None:
    """Writes what the judge has read: no record contains a secret."""
    for name, client in records.clients.items():
        lines = [json.dumps(asdict(ask)) for ask in client.asks]
        (folder / f"{name}.asks.jsonl").write_text("\n".join([*lines, ""]))
    rest = {
        name: getattr(records, name) for name in ("bound", "epoch", "jumps", "naps", "refusals", "accepted")
    }
    rest["frozen"] = {name: client.frozen for name, client in records.clients.items()}
    rest["processes"] = [asdict(process) for process in records.processes]
    (folder / "records.json").write_text(json.dumps(rest))


if __name__ == "__main__":
    sys.exit(main())
