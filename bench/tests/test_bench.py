"""How the benchmarks count: the figures of a row, and the CPU time and memory of a process."""

import json
import subprocess
import sys
from pathlib import Path

import figures
import installed
import pytest
import run

BENCH = Path(__file__).parents[1]
ROW = {
    "language": "Python",
    "row": "first token",
    "unit": "ms of CPU",
    "rdsign": [2, 4, 3, 2, 4],
    "peers": {"boto3 1": [400, 390, 410, 395, 405]},
}


def test_a_figure_is_the_median():
    assert figures.figure(ROW) == 3
    assert figures.figure(ROW, "boto3 1") == 400


@pytest.mark.parametrize(
    "aim, said",
    [
        ({"at most": 3}, "at most 3: met"),
        ({"at most": 2.9}, "at most 2.9: missed"),
        ({"at most": -397, "more than": "boto3 1"}, "at most -397 more than boto3 1: met"),
        ({"at most": -398, "more than": "boto3 1"}, "at most -398 more than boto3 1: missed"),
        ({"times as fast as": "boto3 1", "times": 133}, "133 times as fast: met"),
        ({"times as fast as": "boto3 1", "times": 134}, "134 times as fast: missed"),
        ({"times at most": "boto3 1", "times": 2}, "at most 2 times boto3 1: 0.01, met"),
        ({"times at most": "boto3 1", "times": 0.001}, "at most 0.001 times boto3 1: 0.01, missed"),
    ],
)
def test_the_figures_decide_whether_an_aim_is_met(aim, said):
    assert list(figures.aims(ROW | {"aims": [aim]})) == [said]


def test_aims_of_several_peers_name_them():
    peers = {"socat": [10, 10], "PgBouncer": [9, 9]}
    aims = [{"times as fast as": "socat", "times": 0.9}, {"times as fast as": "PgBouncer", "times": 1.1}]
    row = {"unit": "queries per second", "rdsign": [9.5, 9.5], "peers": peers, "aims": aims}
    said = ["0.9 times as fast as socat: met", "1.1 times as fast as PgBouncer: missed"]
    assert list(figures.aims(row)) == said


def test_a_row_is_noisy_if_parts_of_the_run_disagree_for_rdsign_or_a_peer():
    steady = {"rdsign": [100] * 25, "peers": {"boto3": [1000] * 25}}
    drifting = [1000] * 20 + [1300] * 5
    assert not figures.is_noisy(steady)
    assert figures.is_noisy(steady | {"rdsign": drifting})
    assert figures.is_noisy(steady | {"peers": {"boto3": drifting}})
    # A single measurement, such as a size, has no noise.
    assert not figures.is_noisy({"rdsign": [5], "peers": {"boto3": [70]}})


# Measured on a busy machine: the bare interpreter of the same round took longer.
BELOW_ZERO = {"unit": "ms of CPU", "rdsign": [-5.2, -5.1, -5, -5.3, -5.12], "peers": {"boto3": [352] * 5}}
# The parts of the run differ by more than the figure.
IN_ITS_NOISE = BELOW_ZERO | {"rdsign": [1, -4, 9, 2, -7]}
STEADY = BELOW_ZERO | {"rdsign": [2, 3, 1, 2, 2]}


@pytest.mark.parametrize(
    "row", [BELOW_ZERO, IN_ITS_NOISE, BELOW_ZERO | {"rdsign": [0] * 5}], ids=["below zero", "noise", "zero"]
)
def test_a_figure_within_its_noise_is_not_shown_and_meets_no_aim(row):
    assert figures.shown(row) == "cannot tell"
    assert figures.shown(row, "boto3") == "352"
    assert figures.times(row, "boto3") == "cannot tell"
    assert figures.is_noisy(row)
    aims = [{"at most": 3}, {"at most": 3, "more than": "boto3"}]
    aims += [{"times as fast as": "boto3", "times": -68}, {"times at most": "boto3", "times": 2}]
    said = list(figures.aims(row | {"aims": aims}))
    assert len(said) == 4 and all(text.endswith(": cannot tell") for text in said)
    assert all("met" not in text and "missed" not in text for text in said)
    assert list(figures.aims(STEADY | {"aims": aims[:1]})) == ["at most 3: met"]


def test_a_peer_s_figure_within_its_noise_is_not_shown_and_meets_no_aim():
    row = {"unit": "ms of CPU", "rdsign": [2] * 5, "peers": {"boto3": [-1, 5, -3, 4, -2]}}
    assert (figures.shown(row), figures.shown(row, "boto3")) == ("2", "cannot tell")
    assert figures.times(row, "boto3") == "cannot tell"
    assert list(figures.aims(row | {"aims": [{"at most": 3, "more than": "boto3"}]})) == [
        "at most 3 more than boto3: cannot tell"
    ]


def test_table_and_progress_say_cannot_tell():
    machine = {"processor": "P", "cores": 2, "sha instructions": True, "system": "Linux", "runtimes": []}
    row = BELOW_ZERO | {"language": "Python", "row": "first token", "aims": [{"at most": 3}]}
    table = run.table({"date": "2026-01-02", "machine": machine, "rows": [row]}).splitlines()
    assert table[-1] == (
        "| Python | first token | ms of CPU | cannot tell | noisy | boto3 | 352 | cannot tell | at most 3: cannot tell |"
    )
    assert run.sentence(row) == "Python, first token: cannot tell ms of CPU, next to boto3 352"


def test_times_are_how_many_times_better_rdsign_is():
    rates = {"unit": "logins per second", "rdsign": [80], "peers": {"scram": [40]}}
    assert figures.times(ROW, "boto3 1") == "133"
    assert figures.times(rates, "scram") == "2"


def test_the_table_has_a_line_for_every_peer_and_the_outcome_of_every_aim():
    machine = {"processor": "P", "cores": 2, "sha instructions": True, "system": "Linux", "runtimes": []}
    row = ROW | {"peers": ROW["peers"] | {"awscli 2": [600] * 5}, "aims": [{"at most": 2}]}
    table = run.table({"date": "2026-01-02", "machine": machine, "rows": [row]}).splitlines()
    assert table[-2:] == [
        "| Python | first token | ms of CPU | 3 | 33 %, noisy | boto3 1 | 400 | 133 | at most 2: missed |",
        "|  |  |  |  |  | awscli 2 | 600 | 200 |  |",
    ]


def test_rows_of_a_later_run_are_added_or_replace_those_of_their_name_and_have_their_date():
    machine = {"processor": "P", "cores": 2, "sha instructions": True, "system": "Linux", "runtimes": []}
    before = {
        "date": "2026-01-02",
        "machine": machine,
        "rows": [ROW, ROW | {"row": "other"}, ROW | {"unit": "MB"}],
    }
    now = {"date": "2026-02-03", "machine": machine, "rows": [ROW | {"rdsign": [7]}, ROW | {"row": "new"}]}
    report = run.added(before, now)
    assert [(row["row"], row["unit"], row.get("date")) for row in report["rows"]] == [
        ("first token", "ms of CPU", "2026-02-03"),
        ("other", "ms of CPU", None),
        ("first token", "MB", None),
        ("new", "ms of CPU", "2026-02-03"),
    ]
    text = run.table(report)
    assert "on 2026-01-02, on P" in text
    assert "| Python | first token (on 2026-02-03) | ms of CPU | 7 |" in text
    with pytest.raises(SystemExit, match="of another machine"):
        run.added(before, now | {"machine": machine | {"cores": 4}})


def test_measure_prints_cpu_time_and_memory_and_keeps_the_exit_status(tmp_path):
    measure = tmp_path / "measure"
    subprocess.run(["cc", "-Wall", "-Wextra", "-Werror", "-o", measure, BENCH / "measure.c"], check=True)

    def of(code):
        done = subprocess.run([measure, sys.executable, "-c", code], capture_output=True, text=True)
        return done.returncode, *map(int, done.stdout.split())

    _, cpu, memory = of("pass")
    status, more_cpu, more_memory = of(
        "import time; b'x' * 50_000_000\nwhile time.process_time() < 1: pass\nprint('out'); raise SystemExit(3)"
    )
    assert status == 3
    assert more_cpu > 900_000 > cpu
    assert more_memory - memory > 40_000


def test_installed_packages_and_their_size_are_counted(tmp_path):
    for name in ("one", "@scope/two", "one/node_modules/three", "one/lib"):
        folder = tmp_path / "node_modules" / name
        folder.mkdir(parents=True)
        (folder / "package.json").write_text("x" * 500_000)
    assert installed.packages(tmp_path, "package.json") == 3  # one/lib is not a package
    assert installed.megabytes(tmp_path) == 2


def test_results_md_is_generated_from_results_json():
    report = json.loads((BENCH / "results.json").read_text())
    assert run.table(report) == (BENCH / "RESULTS.md").read_text()
