"""Runs the packages of dist/ for each platform, and prints what passed:

    rdsign local -- python tests/platforms/run.py [WORD ...]

Runs only those rows that contain all words, such as `aarch64 wheel`. Fails if a package is missing, or does
not do what it should; what this machine cannot run is named with the reason.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))

from packages import PACKAGES
from running import CannotRun, Failure
from targets import TARGETS


def main():
    words = sys.argv[1:]
    rows = [(target, package) for target in TARGETS for package in PACKAGES]
    rows = [row for row in rows if all(word in f"{row[0].name} {row[1].name}".split(" ") for word in words)]
    if not rows:
        sys.exit(f"no platform and package for: {' '.join(words)}")
    failures, reasons = [], {}
    print(f"{'platform':20} {'package':13} {'vectors':11} login", flush=True)
    for target, package in rows:
        row = f"{target.name}, {package.name}"
        try:
            installed = package(target)
            checks = {"vectors": installed.vectors, "login": installed.login}
            cells = [cell(row, name, check, failures, reasons) for name, check in checks.items()]
        except Failure as failure:
            failures.append(f"{row}: {failure}")
            cells = ["FAILED", "FAILED"]
        print(f"{target.name:20} {package.name:13} {cells[0]:11} {cells[1]}", flush=True)
    for row, reason in reasons.items():
        print(f"{row}: {reason}")
    if failures:
        sys.exit("\n\n".join(failures))


def cell(row, name, check, failures, reasons):
    """Returns the text of one cell of the table."""
    try:
        return check()
    except CannotRun as reason:
        reasons[row] = reason
        return "cannot run"
    except Failure as failure:
        failures.append(f"{row}, {name}: {failure}")
        return "FAILED"


if __name__ == "__main__":
    main()
