"""No error shows a secret that a user put in the wrong place."""

import subprocess
from urllib.parse import quote

import pytest
from common import HOSTNAME
from harness import PATIENCE, RDSIGN

KEYS = {"AWS_ACCESS_KEY_ID": "ASIAEXAMPLE000000001", "AWS_SECRET_ACCESS_KEY": "x"}
KEYS["AWS_SESSION_TOKEN"] = "s" * 80
TARGET = ["--hostname", HOSTNAME, "--username", "u", "--region", "eu-central-1"]
URL = "postgresql://admin:hunter2@mydb/app"


def run(arguments, **variables):
    return subprocess.run(
        [RDSIGN, *arguments], env=KEYS | variables, timeout=PATIENCE, capture_output=True, text=True
    )


@pytest.fixture(scope="module")
def token():
    done = run(["token", *TARGET])
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.mark.parametrize(
    "arguments",
    [
        ["{}"],
        ["--{}"],
        ["token", "{}"],
        ["token", "--{}"],
        ["token", "--hostname", "{}"],
        ["token", *TARGET[:2], "--username={}"],
        ["token", *TARGET, "--port", "{}"],
        ["token", *TARGET, "--expires-in", "{}"],
        ["token", *TARGET, "--signing-time", "{}"],
        ["doctor", *TARGET, "--hostaddr", "{}"],
        ["doctor", *TARGET, "--hostport={}"],
        ["exec", *TARGET, "--hostport", "{}", "--", "true"],
        ["inspect", "--driver", "{}", "x"],
    ],
    ids=" ".join,
)
@pytest.mark.parametrize("around", ["{}", '"{}"', "{}\r", "'{}'", "\\{}\t"])
def test_no_error_repeats_a_token(token, arguments, around):
    given = around.format(token)
    done = run([argument.format(given) for argument in arguments])
    assert done.returncode == 2, done
    signature = token.partition("X-Amz-Signature=")[2]
    assert done.stdout == "" and signature not in done.stderr and "s" * 80 not in done.stderr


def test_inspect_shows_no_token_in_the_place_of_the_user(token):
    signed = token.replace("DBUser=u", f"DBUser={quote(token, safe='')}")
    for options in [[], ["--json"]]:
        done = run(["inspect", *options, signed])
        assert done.returncode == 1, done
        assert "malformed" in done.stdout and "s" * 80 not in done.stdout + done.stderr


@pytest.mark.parametrize(
    "arguments, variables",
    [
        ([URL], {}),
        (["token", URL], {}),
        (["token", f"--{URL}"], {}),
        (["token", "--hostname", URL], {}),
        (["token", *TARGET, "--port", "5432 password=hunter2"], {}),
        (["token", *TARGET, "--region", URL], {}),
        (["token", *TARGET, "--expires-in", URL], {}),
        (["token"], {"PGHOST": "admin:hunter2@mydb"}),
        (["token", *TARGET], {"PGPORT": "5432 password=hunter2"}),
        (["doctor", *TARGET, "--hostaddr", URL], {}),
        (["doctor", *TARGET, "--hostport", URL], {}),
        (["inspect", "--driver", URL, "x"], {}),
    ],
)
def test_no_error_repeats_a_password(arguments, variables):
    done = run(arguments, **variables)
    assert done.returncode == 2, done
    assert "hunter2" not in done.stdout + done.stderr


def test_a_wrong_value_without_a_password_is_shown_in_full():
    for value in ["jane@mydb", "Mydb.example.com:5432", "postgresql://jane@mydb/app"]:
        for option in ["--hostname", "--hostaddr"]:
            assert f'"{value}"' in run(["doctor", *TARGET[2:], option, value]).stderr
