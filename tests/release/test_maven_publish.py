"""What tools/maven-publish refuses before it signs and uploads anything."""

import os
import subprocess

import pytest
from common import REPOSITORY

GIVEN = {"PORTAL": "https://127.0.0.1:1", "TOKEN": "user:hidden", "GPG_KEY": "hidden"}


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        ({"PORTAL": "http://127.0.0.1:1"}, "PORTAL: http://127.0.0.1:1 is not verified, so no token is sent"),
        ({"PORTAL": ""}, "PORTAL: missing"),
        ({"TOKEN": ""}, "TOKEN: missing"),
        ({"GPG_KEY": ""}, "GPG_KEY: missing"),
    ],
)
def test_a_wrong_variable_is_named_and_no_secret_shown(variables, message, tmp_path):
    environment = os.environ | GIVEN | variables | {"TMPDIR": str(tmp_path)}
    command = [REPOSITORY / "tools/maven-publish", tmp_path]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert done.returncode != 0
    assert message in done.stderr
    assert "hidden" not in done.stderr + done.stdout
    assert list(tmp_path.iterdir()) == []
