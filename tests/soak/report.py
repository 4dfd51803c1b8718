"""Shows the result of a soak, and writes it to docs/reliability.md."""

import datetime
import os
import platform
import re
import subprocess
from dataclasses import dataclass, field

from common import REPOSITORY
from judge import Result

PAGE = REPOSITORY / "docs/reliability.md"


def machine() -> str:
    return f"{os.cpu_count()} cores, {platform.system()} {platform.release().split('-')[0]}"


def commit() -> str:
    command = ["git", "-C", str(REPOSITORY)]
    head = subprocess.run([*command, "rev-parse", "--short=10", "HEAD"], capture_output=True, text=True)
    others = ["status", "--porcelain", "--", f":!{PAGE.relative_to(REPOSITORY)}"]
    changed = subprocess.run([*command, *others], capture_output=True, text=True)
    return (head.stdout.strip() or "unknown") + (" with changes" if changed.stdout.strip() else "")


@dataclass
class Run:
    """How the soak was run."""

    minutes: float
    percent: float
    seed: str
    lifetimes: tuple[int, int]
    # That of the start: it may change during a long run.
    commit: str = field(default_factory=commit)

    @property
    def marks(self) -> tuple[str, str]:
        """What stands before and after its table on the page."""
        name = "with faults" if self.percent else "without faults"
        return f"<!-- soak {name} -->", f"<!-- end of soak {name} -->"


COLUMNS = [
    ("client", "label"),
    ("logins", "logins"),
    ("refused, avoidable", "refused"),
    ("refused, too late", "refused_late"),
    ("errors, avoidable", "errors"),
    ("errors, source failed", "errors_excused"),
    ("other failures", "broken"),
    ("late answers", "late"),
    ("longest wait, s", "longest"),
    ("forks", "forks"),
]


def shown(value: object) -> str:
    return f"{value:.1f}" if isinstance(value, float) else f"{value:,}" if isinstance(value, int) else value


def table(heads: list[str], rows: list[list[object]]) -> list[str]:
    """Returns a table in Markdown, with numbers to the right."""
    lines = [f"| {' | '.join(heads)} |", f"|{'|'.join(['---'] + ['---:'] * (len(heads) - 1))}|"]
    return lines + [f"| {' | '.join(shown(value) for value in row)} |" for row in rows]


def tables(result: Result) -> list[str]:
    rows = [[getattr(verdict, name) for _, name in COLUMNS] for verdict in result.verdicts]
    lines = table([head for head, _ in COLUMNS], rows)
    heads = ["process", "memory, KiB", "growth, KiB a minute", "in the second half", "descriptors", "threads"]
    rows = []
    for use in result.uses:
        growth = ["-", "-"] if use.growth is None else map(round, use.growth)
        rows.append([use.name, use.memory, *growth, use.descriptors, use.threads])
    return [*lines, "", *table(heads, rows)]


def about(result: Result, run: Run) -> str:
    kinds = f", of {len(result.faults)} kinds" if result.faults else ""
    return (
        f"{datetime.date.today()}, {machine()}, commit {run.commit}, debug build: {run.minutes:g} minutes,"
        f" credentials of {run.lifetimes[0]} to {run.lifetimes[1]} seconds,"
        f" {result.asks:,} requests to the fake AWS, of which {result.faults.total():,} got a fault{kinds}"
        f" ({run.percent:g} percent were to), seed {run.seed}."
    )


def text(result: Result, run: Run) -> str:
    """Returns what a run prints."""
    lines = ["", about(result, run), "", *tables(result), ""]
    lines += [f"Faults: {', '.join(f'{name} {n}' for name, n in sorted(result.faults.items()))}", ""]
    if not result.problems:
        return "\n".join([*lines, "Nothing avoidable happened."])
    return "\n".join([*lines, *grouped(result.problems)])


def grouped(problems: list[str]) -> list[str]:
    """Returns problems that differ only in numbers as one line, the most frequent ones first."""
    examples = {}
    for problem in problems:
        examples.setdefault(re.sub(r"\d+", "N", problem), []).append(problem)
    found = sorted(examples.values(), key=len, reverse=True)
    return [same[0] if len(same) == 1 else f"{len(same):,} times: {same[0]}" for same in found]


def write(result: Result, run: Run) -> None:
    """Replaces the run's table on the page."""
    first, last = run.marks
    outcome = "All counts that must be 0 were." if not result.problems else "**It failed.**"
    lines = [first, f"{about(result, run)} {outcome}", "", *tables(result), last]
    page = PAGE.read_text()
    replaced, count = re.subn(
        f"{re.escape(first)}.*?{re.escape(last)}", lambda _: "\n".join(lines), page, flags=re.S
    )
    assert count == 1, f"{PAGE}: no {first}"
    PAGE.write_text(replaced)
