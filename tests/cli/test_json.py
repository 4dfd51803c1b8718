"""docs/cli.md lists every key that `--json` prints, and no other."""

import json
import re
import subprocess
from pathlib import Path

import pytest
from harness import PATIENCE, RDSIGN

PAGE = Path(__file__).resolve().parents[2] / "docs/cli.md"


def documented(command):
    section = re.search(rf"^### {command}\n(.*?)(?=^##|\Z)", PAGE.read_text(), re.M | re.S)[1]
    cells = re.findall(r"^\| (`.*?) \|", section, re.M)
    return {key for cell in cells for key in re.findall(r"`(.*?)`", cell)}


def keys(value, path=""):
    """Lists the keys of a document, such as `steps[].says`."""
    if isinstance(value, list):
        return set().union(*(keys(item, f"{path}[]") for item in value))
    if not isinstance(value, dict):
        return set()
    below = [keys(item, f"{path}.{key}".lstrip(".")) for key, item in value.items()]
    return {f"{path}.{key}".lstrip(".") for key in value}.union(*below)


@pytest.mark.parametrize("command", [["doctor"], ["inspect", "***"]], ids=lambda command: command[0])
def test_the_keys_of_json_are_documented(environment, command):
    arguments = [RDSIGN, *command, "--json"]
    done = subprocess.run(arguments, env=environment, text=True, capture_output=True, timeout=PATIENCE)
    assert keys(json.loads(done.stdout)) == documented(command[0])
