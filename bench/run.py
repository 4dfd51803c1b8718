"""Runs the benchmarks of all languages and writes their results: a table, the raw numbers and two charts.

    python bench/run.py [--quick] [--add] TARGET ...

Each TARGET is a target of the Makefile. It compares rdsign with peers, in rounds that alternate, and prints
a line of JSON for each comparison, with a measurement for every round:

    {"language": "Python", "row": "one token, warm, long-lived key", "unit": "ns of CPU",
     "rdsign": [1500.0, …], "peers": {"boto3": [159000.0, …]},
     "aims": [{"at most": 1500}, {"at most": 100, "more than": "boto3"},
              {"times as fast as": "boto3", "times": 60}, {"times at most": "boto3", "times": 2}],
     "chart": "warm", "first" or "installed", the part of the chart that shows it}

"aims" and "chart" may be missing. With --add, the rows of other targets stay from the last run, which must be
of this machine, and the new rows have their own "date". Everything else that a TARGET prints is shown as progress.
"""

import argparse
import datetime
import json
import os
import platform
import re
import subprocess
import sys
from pathlib import Path

from figures import aims, is_noisy, shown, times, unsteadiness

HERE = Path(__file__).resolve().parent
# What runs the measured programs: its name, and the command that prints its version.
RUNTIMES = {
    "Rust": ["rustc", "--version"],
    "Python": [sys.executable, "--version"],
    "Node": ["node", "--version"],
    "Java": ["java", "-version"],
}


def main():
    parser = argparse.ArgumentParser(allow_abbrev=False)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--add", action="store_true")
    parser.add_argument("targets", nargs="+")
    given = parser.parse_args()
    quick, add, targets = given.quick, given.add, given.targets
    rows = []
    for count, target in enumerate(targets, 1):
        print(f"[{count}/{len(targets)}] {target} ...", file=sys.stderr, flush=True)
        rows += rows_of(target, quick)
    report = {"date": str(datetime.date.today()), "machine": machine(), "rows": rows}
    print(table(report))
    if quick:
        return
    if add:
        report = added(json.loads((HERE / "results.json").read_text()), report)
        rows = report["rows"]
    lines = ",\n".join(json.dumps(row) for row in rows)
    about = json.dumps({"date": report["date"], "machine": report["machine"]})
    (HERE / "results.json").write_text(f'{about[:-1]}, "rows": [\n{lines}\n]}}\n')
    (HERE / "RESULTS.md").write_text(table(report))
    import chart

    chart.draw(report, HERE)


def added(before, report):
    """Returns the report of before with the rows of this one, which replace those of the same name."""
    if before["machine"] != report["machine"]:
        sys.exit("the other rows are of another machine, or of other versions: measure all of them")

    def name(row):
        # Several figures of one thing, such as its time and its memory, differ in the unit alone.
        return row["language"], row["row"], row["unit"]

    rows = {name(row): row for row in before["rows"]}
    rows |= {name(row): row | {"date": report["date"]} for row in report["rows"]}
    return before | {"rows": list(rows.values())}


def rows_of(target, quick):
    """Runs a target of the Makefile. Returns the rows that it prints."""
    command = ["make", "--silent", "--no-print-directory", target, f"QUICK={'--quick' if quick else ''}"]
    process = subprocess.Popen(command, cwd=HERE.parent, stdout=subprocess.PIPE, text=True)
    rows = []
    for line in process.stdout:
        if line.startswith("{"):
            rows.append(json.loads(line))
            print(f"    {sentence(rows[-1])}", file=sys.stderr, flush=True)
        else:
            print(f"    {line}", end="", file=sys.stderr, flush=True)
    if process.wait() != 0:
        sys.exit(f"make {target} failed")
    if not rows:
        sys.exit(f"make {target} measured nothing")
    return rows


def machine():
    """Describes this machine."""
    info = Path("/proc/cpuinfo").read_text()
    found = re.search(r"^model name\s*: (.*)$", info, re.M)
    flags = re.search(r"^flags\s*: (.*)$", info, re.M)
    return {
        "processor": found[1].strip() if found else platform.machine(),
        "cores": os.cpu_count(),
        "sha instructions": "sha_ni" in flags[1].split() if flags else False,
        "system": f"{platform.system()} {platform.release().split('-')[0]}",
        "runtimes": [f"{name} {version(command)}" for name, command in RUNTIMES.items()],
    }


def version(command):
    said = subprocess.run(command, capture_output=True, text=True, check=True)
    return re.search(r"[0-9][0-9.]*", said.stdout + said.stderr)[0]


def sentence(row):
    peers = ", ".join(f"{name} {shown(row, name)}" for name in row["peers"])
    return f"{row['language']}, {row['row']}: {shown(row)} {row['unit']}" + (
        f", next to {peers}" if peers else ""
    )


def table(report):
    """Returns the report as Markdown."""
    about = report["machine"]
    lines = [
        "# What a token costs, next to its peers",
        "",
        f"Measured by `make bench` on {report['date']}, on {about['processor']}"
        f" ({about['cores']} cores, {'with' if about['sha instructions'] else 'without'} SHA"
        f" instructions), {about['system']}, with {', '.join(about['runtimes'])}. In every row, rdsign"
        " and its peers take turns, and the medians are shown. *Times* is how many times better"
        " rdsign's figure is than the peer's; ± is how far the medians of five parts of the run are"
        " from their middle. The machine may be shared: trust the comparison more than the figures,"
        " and neither if the row is *noisy*. *Cannot tell* means that a figure is not above zero or"
        " not above its own noise.",
        "",
        "| language | what | unit | rdsign | ± | peer | theirs | times | aim |",
        "|---|---|---|---:|---:|---|---:|---:|---|",
    ]
    for row in report["rows"]:
        trust = ", ".join(filter(None, [unsteadiness(row), is_noisy(row) and "noisy"]))
        what = row["row"] + (f" (on {row['date']})" if "date" in row else "")
        cells = [row["language"], what, row["unit"], shown(row), trust]
        for index, name in enumerate(row["peers"] or [""]):
            cells += [name]
            if name:
                cells += [shown(row, name), times(row, name)]
            else:
                cells += ["", ""]
            cells += ["; ".join(aims(row)) if index == 0 else ""]
            lines.append("| " + " | ".join(cells) + " |")
            cells = [""] * 5
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
