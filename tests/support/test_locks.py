"""Checks that the locks name what the requirements and the POMs ask for, and a hash for each package."""

import re
import subprocess
from pathlib import Path

import pytest
from common import VERSION

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


def test_the_lock_of_maven_has_a_hash_for_each_artifact_that_a_pom_names():
    lines = (ROOT / "tools/maven/artifacts.lock").read_text().splitlines()
    locked = dict(line.split(" ") for line in lines)
    assert list(locked) == sorted(locked)
    assert all(re.fullmatch("[0-9a-f]{64}", digits) for digits in locked.values())
    named = set()
    for path in ("bindings-jvm", "examples/scala-scalikejdbc", "examples/junit-hikaricp"):
        pom = (ROOT / path / "pom.xml").read_text()
        versions = dict(re.findall(r"<([\w.-]+)>([\d.]+)</", pom))
        parts = re.findall(r"<artifactId>([\w.-]+)</artifactId>\s*<version>(?:\$\{)?([\w.-]+)\}?<", pom)
        named |= {(name, versions.get(version, version)) for name, version in parts}
    assert len(named) > 10
    known = {(name.split(":")[1], name.rpartition(":")[2]) for name in locked}
    own = {("rdsign", VERSION), ("batch", "1"), ("visits", "1")}
    assert named - known == own, "tools/lock was not run"
