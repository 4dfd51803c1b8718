"""How `make test` counts, and that it runs all parts even if one fails."""

import subprocess
import sys
from pathlib import Path

import parts
import pytest
from common import PATIENCE, wait_until

SUPPORT = Path(__file__).parent


@pytest.mark.parametrize(
    "line, passed, failed, skipped",
    [
        (
            "test result: ok. 30 passed; 0 failed; 2 ignored; 0 measured; 0 filtered out; finished in 1.08s",
            30,
            0,
            2,
        ),
        (
            "test result: FAILED. 3 passed; 1 failed; 0 ignored; 0 measured; 4 filtered out; finished in 0.01s",
            3,
            1,
            0,
        ),
        ("258 passed, 38 subtests passed in 88.69s (0:01:28)", 258, 0, 0),
        ("= 2 failed, 9 passed, 1 skipped, 1 xfailed, 3 warnings, 1 error in 12.10s =", 9, 3, 2),
        ("1 error in 0.43s", 0, 1, 0),
        ("[INFO] Tests run: 80, Failures: 0, Errors: 0, Skipped: 1", 79, 0, 1),
        ("[ERROR] Tests run: 80, Failures: 2, Errors: 1, Skipped: 0", 77, 3, 0),
        ("[INFO] Tests run: 8, Failures: 0, Errors: 0, Skipped: 0, Time elapsed: 1 s -- in JarTest", 0, 0, 0),
        ("ℹ pass 41", 41, 0, 0),
        ("ℹ cancelled 2", 0, 2, 0),
        ("ℹ tests 43", 0, 0, 0),
        ("291 passed, 1 failed", 291, 1, 0),
        ("test in_the_middle_3_passed ... ok", 0, 0, 0),
    ],
)
def test_the_summary_line_of_a_runner_is_counted(line, passed, failed, skipped):
    counts = parts.counts_in(line)
    assert (counts["passed"], counts["failed"], counts["skipped"]) == (passed, failed, skipped)


@pytest.fixture
def make(tmp_path, monkeypatch):
    """Runs the targets of a small Makefile. Returns the exit status."""
    monkeypatch.setattr(parts, "REPOSITORY", tmp_path)
    monkeypatch.setattr(parts, "LOGS", tmp_path / "logs")
    (tmp_path / "Makefile").write_text(
        "good:\n\t@echo '3 passed, 0 failed'\nbad:\n\t@echo '1 passed, 2 failed'; exit 3\n"
        "broken:\n\t@no-such-program-at-all\ntest-some:\n\t@echo '$(ONLY) passed, 0 failed'\n"
    )

    def make(*arguments):
        monkeypatch.setattr(sys, "argv", ["parts.py", *arguments])
        return parts.main()

    return make


def test_all_parts_run_and_the_last_line_has_the_sum(make, capsys, tmp_path):
    assert make("bad", "broken", "good") == 1
    printed = capsys.readouterr().out.splitlines()
    assert printed[-1] == "4 passed, 3 failed"
    assert [line for line in printed if line.startswith("Failed: ")] == [
        "Failed: bad; its output is in logs/bad.log",
        "Failed: broken; its output is in logs/broken.log",
    ]
    assert (tmp_path / "logs/bad.log").read_text().startswith("1 passed, 2 failed\n")
    assert make("good") == 0
    assert capsys.readouterr().out.endswith("\n3 passed, 0 failed\n")


def test_a_name_that_no_test_has_is_a_failure(make, capsys):
    assert make("--busy", "20", "some:5") == 0
    assert make("--busy", "20", "some:0") == 1
    assert "no test has this name: some:0" in capsys.readouterr().out


# Prints the processes that busy.py has started, including this one.
CHILDREN = "import os; me = os.getppid(); print(open(f'/proc/{me}/task/{me}/children').read(), flush=True)"


def busy(times, code):
    command = [sys.executable, SUPPORT / "busy.py", str(times), sys.executable, "-c", code]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def test_four_loops_run_until_the_last_run_ends():
    output, _ = busy(3, CHILDREN).communicate(timeout=PATIENCE)
    runs = [line.split() for line in output.splitlines() if line and "run" not in line]
    assert [len(children) for children in runs] == [5, 5, 5]
    assert not any(Path(f"/proc/{child}").exists() for child in runs[0])


def test_all_runs_are_made_and_failures_are_reported():
    process = busy(3, "raise SystemExit(1)")
    output, _ = process.communicate(timeout=PATIENCE)
    assert (process.returncode, output.splitlines()[-1]) == (1, "failed: runs 1, 2, 3 of 3")


def test_the_loops_end_if_busy_py_is_killed():
    process = busy(1, f"{CHILDREN}; input()")
    children = [line.split() for line in (process.stdout.readline() for _ in range(2))][1]
    assert len(children) == 5
    process.kill()
    process.communicate()
    wait_until(lambda: not any(is_running(child) for child in children), "the end of the loops")


def is_running(process):
    """Reports whether a process runs. A zombie does not."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
