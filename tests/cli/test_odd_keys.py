"""The command line warns about keys that can sign, but whose tokens a database refuses. It never shows a
text that may be a secret."""

import subprocess

import pytest
from common import HOSTNAME, RDSIGN

ID = "AKIAEXAMPLE000000001"
TEMPORARY = "ASIAEXAMPLE000000001"
SECRET = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"

ODD = {
    "a swapped pair": ((SECRET, ID, None), "access key id: does not look like one"),
    "quotes around the id": ((f'"{ID}"', SECRET, None), "has quotes around it"),
    "quotes around the secret": ((ID, f"'{SECRET}'", None), "has quotes around it"),
    "a temporary key alone": ((TEMPORARY, SECRET, None), "session token: missing"),
    "a session token of another key": (
        (ID, SECRET, "of-another-key"),
        "session token: belongs to another key",
    ),
}


def run(command, keys):
    names = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
    environment = {name: value for name, value in zip(names, keys, strict=True) if value}
    arguments = [RDSIGN, command]
    if command != "credentials":
        arguments += ["--hostname", HOSTNAME, "--username", "u"]
    if command == "exec":
        arguments += ["--", "/bin/true"]
    done = subprocess.run(arguments, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done
    return done


@pytest.mark.parametrize("command", ["token", "exec", "pgpass", "credentials"])
@pytest.mark.parametrize("keys, warning", ODD.values(), ids=ODD)
def test_odd_keys_sign_and_are_warned_about(keys, warning, command):
    done = run(command, keys)
    assert done.stderr.startswith("rdsign: warning: ") and warning in done.stderr, done
    assert done.stderr.count("\n") == 1
    assert SECRET not in done.stderr and "of-another-key" not in done.stderr


@pytest.mark.parametrize("command", ["token", "exec", "pgpass", "credentials"])
@pytest.mark.parametrize(
    "keys", [(ID, SECRET, None), (TEMPORARY, SECRET, "its-own")], ids=["long-lived", "temporary"]
)
def test_keys_as_aws_issues_them_cause_no_warning(keys, command):
    assert run(command, keys).stderr == ""


def test_an_access_key_id_that_may_be_a_secret_is_not_shown():
    done = run("credentials", (SECRET, ID, None))
    assert "access key id:  (not shown" in done.stdout, done
    assert SECRET not in done.stdout + done.stderr
