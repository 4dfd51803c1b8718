"""Checks that the locks name what the requirements ask for, and a hash for each package."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LISTED = subprocess.run(
    ["git", "ls-files", "*requirements.txt"], cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True
)
WANTED = [ROOT / name for name in LISTED.stdout.split()]


def normal(name: str) -> str:
    """Returns a package's name as indexes spell it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def packages(text: str) -> dict[str, str]:
    """Returns the versions of the packages in a file of requirements."""
    found = re.findall(r"^([\w.-]+)(?:\[[\w,]+\])?==([\w.]+)", text, re.MULTILINE)
    return {normal(name): version for name, version in found}


@pytest.mark.parametrize("path", WANTED, ids=lambda path: str(path.relative_to(ROOT)))
def test_the_lock_has_the_wanted_versions_and_a_hash_for_each_package(path):
    wanted = packages(path.read_text())
    lock = path.with_suffix(".lock").read_text()
    locked = packages(lock)
    assert wanted, "a file of requirements is empty"
    assert wanted.items() <= locked.items(), "tools/lock was not run"
    entries = [entry for entry in re.split(r"\n(?=\S)", lock) if entry.strip()]
    assert len(entries) >= len(locked)
    assert [entry for entry in entries if "--hash=sha256:" not in entry] == []
