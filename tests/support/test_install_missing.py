"""What `tools/install-missing` installs: programs that stand in for apt-get and its like record it."""

import shutil
import subprocess

import pytest
from common import REPOSITORY

SCRIPT = REPOSITORY / "tools/install-missing"
REAL = ("cat", "dirname", "dpkg", "env", "mkdir", "rm", "sed", "sh", "tee", "uname")


def install(folder, *parts, candidate, present=()):
    """Runs the script on a machine that has only the programs `present`, as a user who is not root.
    Returns how it ended, and the commands that it would have run as root."""
    for name in REAL:
        (folder / name).symlink_to(shutil.which(name))
    log = folder / "log"
    log.touch()
    stand_ins = {
        "id": "echo 1000",
        "sudo": f'echo "$@" >> {log}',
        "apt-get": "exit 1",  # only as root
        "apt-cache": f"echo '  Candidate: {candidate}'",
    }
    for name, text in stand_ins.items() | dict.fromkeys(present, "exit 0").items():
        (folder / name).write_text(f"#!/bin/sh\n{text}\n")
        (folder / name).chmod(0o755)
    done = subprocess.run([SCRIPT, *parts], env={"PATH": str(folder)}, capture_output=True, text=True)
    return done, log.read_text()


def test_a_machine_without_cargo_gets_debian_s_rust(tmp_path):
    done, commands = install(tmp_path, "build", candidate="1.96.0+dfsg1-1~deb12u2", present=["cc"])
    assert done.returncode == 0, done.stderr
    assert "apt-get install -y -qq --no-install-recommends cargo-web rustc-web" in commands


@pytest.mark.parametrize(
    ("candidate", "shown"), [("1.85.0+dfsg3-1~deb12u3", "1.85.0+dfsg3-1~deb12u3"), ("(none)", "none")]
)
def test_a_rust_that_is_too_old_is_not_installed(candidate, shown, tmp_path):
    done, commands = install(tmp_path, "build", candidate=candidate, present=["cc"])
    assert done.returncode == 1
    assert f"has no cargo-web 1.95 (only: {shown})" in done.stderr
    assert "https://rustup.rs" in done.stderr
    assert "install -y" not in commands


def test_what_the_tests_of_a_release_need_is_installed(tmp_path):
    done, commands = install(tmp_path, "release", candidate="", present=["curl", "strip"])
    assert done.returncode == 0, done.stderr
    assert "apt-get install -y -qq --no-install-recommends socat\n" in commands


def test_a_cargo_that_is_there_stays(tmp_path):
    done, commands = install(tmp_path, "build", candidate="(none)", present=["cc", "cargo"])
    assert (done.returncode, done.stderr, commands) == (0, "", "")
