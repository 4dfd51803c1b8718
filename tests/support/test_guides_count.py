"""Checks what `make test-guides` says at its end."""

import pytest
from guides import main

CASES = {"ran": "<testcase/>", "skipped": "<testcase><skipped/></testcase>"}


@pytest.fixture
def report(tmp_path):
    def write(name, *cases):
        path = tmp_path / f"{name}.xml"
        path.write_text(f"<testsuites>{''.join(CASES[case] for case in cases)}</testsuites>")
        return f"{name}={path}"

    return write


def test_tests_that_ran_are_counted_by_runner(report, capsys):
    reports = [report("C", "ran", "skipped"), report("Node", "ran", "ran")]
    assert not main(reports)
    assert capsys.readouterr().out == "3 tests of guides ran (C 1, Node 2), 1 skipped\n"


@pytest.mark.parametrize("cases", [[], ["skipped"]])
def test_a_runner_without_a_test_fails(report, cases):
    assert main([report("C", "ran"), report("Node", *cases)])
