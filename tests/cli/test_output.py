"""What happens if nobody reads the output, or if it cannot be written."""

import os
import subprocess

import pytest
from common import HOSTNAME
from harness import PATIENCE, RDSIGN

KEYS = {"AWS_ACCESS_KEY_ID": "AKIAEXAMPLE000000001", "AWS_SECRET_ACCESS_KEY": "x"}
TARGET = ["--hostname", HOSTNAME, "--username", "u", "--region", "eu-central-1"]
COMMANDS = [
    ["--help"],
    ["help", "exec"],
    ["--version"],
    ["token", *TARGET],
    ["pgpass", *TARGET],
    ["credentials"],
    ["inspect", "***"],
    ["inspect", "--json", "***"],
    ["doctor", *TARGET, "--hostaddr", "127.0.0.1", "--hostport", "1"],
    ["doctor", "--json", *TARGET, "--hostaddr", "127.0.0.1", "--hostport", "1"],
    ["ca-bundle"],
    ["ca-bundle", "--list"],
    ["policy", "--username", "u", "--sql"],
    ["completions", "bash"],
]
each_command = pytest.mark.parametrize("command", COMMANDS, ids=" ".join)


def run(command, **pipes):
    return subprocess.run([RDSIGN, *command], env=KEYS, timeout=PATIENCE, **pipes)


@each_command
def test_a_pipe_that_nobody_reads_ends_silently(command):
    read, write = os.pipe()
    os.close(read)
    try:
        done = run(command, stdout=write, stderr=subprocess.PIPE)
    finally:
        os.close(write)
    assert done.stderr == b""


@each_command
def test_nobody_reads_standard_error(command):
    """A panic would end with 101."""
    read, write = os.pipe()
    os.close(read)
    try:
        for arguments in [command, [*command, "--no-such-flag"]]:
            assert run(arguments, stdout=subprocess.DEVNULL, stderr=write).returncode != 101
    finally:
        os.close(write)


@each_command
def test_a_full_disk_is_an_error(command):
    with open("/dev/full", "wb") as full:
        done = run(command, stdout=full, stderr=subprocess.PIPE)
    assert done.returncode == 1
    assert b"rdsign: cannot write the output: No space left on device" in done.stderr


def test_local_ends_if_its_output_cannot_be_written(place):
    with open("/dev/full", "wb") as full:
        process = place.popen(stdout=full)
        _, error = process.communicate(timeout=PATIENCE)
    assert process.returncode == 1
    assert "rdsign: cannot write the output: No space left on device" in error
    assert place.leftovers() == []
