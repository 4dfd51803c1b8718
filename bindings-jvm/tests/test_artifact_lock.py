"""Checks that tools/mvn uses no file whose hash is not in the lock."""

import shutil
import subprocess

import pytest
from conftest import JAR, REPOSITORY

PLUGIN = "org.apache.maven.plugins:maven-resources-plugin:jar:3.3.1"


@pytest.fixture
def resources(tmp_path):
    """Runs a plugin with a changed lock."""

    def run(change):
        tools = tmp_path / "tools"
        shutil.copytree(REPOSITORY / "tools/maven", tools / "maven")
        shutil.copy(REPOSITORY / "tools/mvn", tools)
        lock = tools / "maven/artifacts.lock"
        lines = lock.read_text().splitlines(keepends=True)
        assert sum(line.startswith(PLUGIN) for line in lines) == 1
        lock.write_text("".join(change(line) if line.startswith(PLUGIN) else line for line in lines))
        pom = REPOSITORY / "bindings-jvm/pom.xml"
        goal = "org.apache.maven.plugins:maven-resources-plugin:3.3.1:help"
        command = [tools / "mvn", "-q", "-f", pom, goal, f"-Drdsign.jar={JAR}"]
        done = subprocess.run(command, capture_output=True, text=True)
        return done.returncode, done.stderr

    return run


def test_an_artifact_with_the_hash_of_the_lock_is_used(resources):
    status, error = resources(lambda line: line)
    assert (status, "is not used" in error) == (0, False)


def test_an_artifact_with_another_hash_is_not_used(resources):
    status, error = resources(lambda line: f"{PLUGIN} {'0' * 64}\n")
    assert status == 1
    assert "maven-resources-plugin-3.3.1.jar is not used: its hash differs from that in" in error


def test_an_artifact_that_is_not_in_the_lock_is_not_used(resources):
    status, error = resources(lambda line: "")
    assert status == 1
    assert "maven-resources-plugin-3.3.1.jar is not used: it is not in" in error
