"""Prints how many tests of guides ran and were skipped, from the JUnit reports of each runner:

    python3 tests/support/guides.py C=REPORT Node=REPORT JVM=REPORT

Fails if no test of a runner ran.
"""

import sys
from xml.etree import ElementTree


def counted(report):
    """Returns how many tests of a report ran and were skipped."""
    cases = list(ElementTree.parse(report).iter("testcase"))
    skipped = sum(case.find("skipped") is not None for case in cases)
    return len(cases) - skipped, skipped


def main(arguments):
    totals = {}
    for argument in arguments:
        name, _, report = argument.partition("=")
        totals[name] = counted(report)
    ran, skipped = (sum(column) for column in zip(*totals.values()))
    parts = ", ".join(f"{name} {ran}" for name, (ran, _) in totals.items())
    print(f"{ran} tests of guides ran ({parts}), {skipped} skipped")
    return any(ran == 0 for ran, _ in totals.values())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
