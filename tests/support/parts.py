"""Runs parts of the tests one after the other, all of them even if one fails, and counts the tests.

    parts.py TARGET ...                            targets of the Makefile, such as check or test-core
    parts.py --busy TIMES PART:TEST ...            some tests of a part, each TIMES times through busy.py

The output of each part is shown and kept in target/test-logs. The last line is "N passed, N failed", with
", N skipped" if any were skipped, over all test runners. A part that fails without a failed test, for
example because it does not build, counts as one failure. The exit status is 1 if anything failed.
"""

import re
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
LOGS = REPOSITORY / "target/test-logs"

# The summary line of each runner, and what the words in it count as.
PASSED, FAILED, SKIPPED = "passed", "failed", "skipped"
CARGO = re.compile(
    r"^test result: \w+\. (?P<passed>\d+) passed; (?P<failed>\d+) failed; (?P<skipped>\d+) ignored;"
)
SUREFIRE = re.compile(
    r"Tests run: (?P<run>\d+), Failures: (?P<failures>\d+), Errors: (?P<errors>\d+), Skipped: (?P<skipped>\d+)$"
)
NODE = re.compile(r"^ℹ (?P<what>pass|fail|cancelled|skipped|todo) (?P<count>\d+)$")
PYTEST = re.compile(r"^(=+ )?(\d+ [a-z ]+(, )?)+ in [\d.]+s")
PYTEST_COUNT = re.compile(r"(\d+) (passed|failed|errors?|skipped|xfailed|xpassed)\b")
OWN = re.compile(r"^(?P<passed>\d+) passed, (?P<failed>\d+) failed$")
CALLED = {"pass": PASSED, "fail": FAILED, "cancelled": FAILED, "todo": SKIPPED}
CALLED |= {"error": FAILED, "errors": FAILED, "xfailed": SKIPPED, "xpassed": FAILED}


def counts_in(line):
    """Returns the counts in a runner's summary line; in any other line, nothing."""
    if found := CARGO.search(line) or OWN.search(line):
        return Counter({kind: int(count) for kind, count in found.groupdict().items()})
    if found := SUREFIRE.search(line):
        run, failures, errors, skipped = map(int, found.groups())
        failed = failures + errors
        return Counter({PASSED: run - failed - skipped, FAILED: failed, SKIPPED: skipped})
    if found := NODE.search(line):
        return Counter({CALLED.get(found["what"], found["what"]): int(found["count"])})
    counts = Counter()
    if PYTEST.search(line):
        for count, what in PYTEST_COUNT.findall(line):
            counts[CALLED.get(what, what)] += int(count)
    return counts


def run(arguments, log):
    """Runs make, and shows and keeps its output. Returns the counts."""
    command = ["make", "--no-print-directory", *arguments]
    counts = Counter()
    with open(log, "w") as kept:
        process = subprocess.Popen(
            command,
            cwd=REPOSITORY,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        )
        for line in process.stdout:
            print(line, end="", flush=True)
            kept.write(line)
            counts += counts_in(line.rstrip())
    status = process.wait()
    if status != 0:
        counts[FAILED] = max(counts[FAILED], 1)
    return counts


def targets(arguments):
    """Returns the arguments for make for each of ours."""
    if arguments[:1] != ["--busy"]:
        return {target: [target] for target in arguments}
    times, *tests = arguments[1:]
    busy = f"AGAIN=python3 {Path(__file__).with_name('busy.py')} {times}"
    found = {}
    for test in tests:
        part, colon, only = test.partition(":")
        if not colon:
            sys.exit(f"{test}: the part is missing; accepted: PART:TEST, such as core:vectors")
        if part == "oracle":
            sys.exit(f"{test}: oracle has only one check and no clock; run make test-oracle")
        found[test] = [f"test-{part}", f"ONLY={only}", busy]
    return found


def main():
    LOGS.mkdir(parents=True, exist_ok=True)
    lines, failed, total = [], [], Counter()
    for name, arguments in targets(sys.argv[1:]).items():
        print(f"\n==> {name}", flush=True)
        started = time.monotonic()
        log = LOGS / f"{re.sub('[^A-Za-z0-9_.-]+', '-', name)}.log"
        counts = run(arguments, log)
        if len(arguments) > 1 and not counts[PASSED] + counts[FAILED]:
            print(f"no test has this name: {name}")
            counts[FAILED] = 1
        total += counts
        seconds = time.monotonic() - started
        lines.append(f"{name:24} {seconds:6.0f} s   {summary(counts)}")
        if counts[FAILED]:
            failed.append(f"Failed: {name}; its output is in {log.relative_to(REPOSITORY)}")
    print("", *lines, *failed, summary(total), sep="\n")
    return 1 if failed else 0


def summary(counts):
    skipped = f", {counts[SKIPPED]} skipped" if counts[SKIPPED] else ""
    return f"{counts[PASSED]} passed, {counts[FAILED]} failed{skipped}"


if __name__ == "__main__":
    sys.exit(main())
