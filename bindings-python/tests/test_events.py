"""What a Signer writes to the logger "rdsign", and that nothing in a handler changes the outcome."""

import asyncio
import logging
import os
import sys
from datetime import timedelta

import pytest
import rdsign
from conftest import HOSTNAME, NOON, run, signed_by, signer
from fake_aws import known_secrets, new_secret
from planted import FAILURES, planted, shows_a_secret

HOUR = timedelta(hours=1)


def answering(*answers):
    """Returns a signer whose function returns keys that expire then, or raises the exception, one
    answer for each call."""
    remaining = list(answers)
    secret, session_token = new_secret(), new_secret()

    def function():
        answer = remaining.pop(0)
        if isinstance(answer, Exception):
            raise answer
        keys = {"access_key_id": f"ASIA{len(remaining)}", "secret_access_key": secret}
        return keys | {"session_token": session_token, "expires_at": answer}

    return signer(credentials=function)


def told(caplog):
    """Returns (level, event) of each record since the last call, after a check of its text."""
    records = [record for record in caplog.records if record.name == "rdsign"]
    caplog.clear()
    for record in records:
        text = f"{record.getMessage()} {record.__dict__}"
        assert not any(secret in text for secret in known_secrets())
        assert "ASIA" not in text
    return [(record.levelname, record.rdsign["event"]) for record in records]


def test_a_fetch_is_information(caplog):
    caplog.set_level("INFO", logger="rdsign")
    one = answering(NOON + HOUR)
    assert told(caplog) == []
    for _ in range(3):
        one.token(signing_time=NOON)
    (record,) = caplog.records
    assert record.getMessage().startswith("credentials fetched from provider in ")
    assert record.getMessage().endswith(" s; they expire at 2024-08-26T23:00:00Z")
    assert record.pathname == __file__, "the record names the caller"
    seconds = record.rdsign.pop("seconds")
    assert isinstance(seconds, float) and seconds >= 0
    assert record.rdsign == {
        "event": "fetched",
        "hostname": HOSTNAME,
        "username": "iam_user",
        "source": "provider",
        "expires_at": NOON + HOUR,
        "code": None,
        "message": None,
    }


def test_a_refresh_that_fails_and_a_fetch_that_fails_are_warnings(caplog):
    caplog.set_level("INFO", logger="rdsign")
    sealed = ValueError("the vault is sealed")
    one = answering(NOON + HOUR, sealed, NOON + 2 * HOUR, sealed)
    one.token(signing_time=NOON)
    assert told(caplog) == [("INFO", "fetched")]
    one.token(signing_time=NOON + HOUR - timedelta(minutes=10))
    (record,) = caplog.records
    assert record.getMessage() == (
        "credentials not refreshed; those in use expire at 2024-08-26T23:00:00Z: CREDENTIALS_FAILED: "
        "credentials: the provider given to the signer failed: ValueError: the vault is sealed"
    )
    assert record.rdsign["code"] == "CREDENTIALS_FAILED"
    assert record.rdsign["message"].endswith("the vault is sealed")
    assert told(caplog) == [("WARNING", "refresh-failed")]
    one.token(signing_time=NOON + HOUR - timedelta(minutes=5))
    assert told(caplog) == [("INFO", "fetched")]
    with pytest.raises(rdsign.CredentialsError):
        one.token(signing_time=NOON + 2 * HOUR)
    assert told(caplog) == [("WARNING", "fetch-failed")]


def test_an_asynchronous_token_writes_too(caplog):
    caplog.set_level("INFO", logger="rdsign")
    one = signer(credentials=lambda: {"access_key_id": "AKIA", "secret_access_key": "secret"})
    asyncio.run(one.token_async())
    assert told(caplog) == [("INFO", "fetched")]


def test_keys_of_the_environment_are_a_fetch_too(caplog, monkeypatch):
    caplog.set_level("INFO", logger="rdsign")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIA")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", new_secret())
    one = rdsign.Signer(hostname=HOSTNAME, username="iam_user")
    for _ in range(2):
        assert signed_by(one.password()) == "AKIA"
    assert [record.rdsign["source"] for record in caplog.records] == ["environment"]
    assert told(caplog) == [("INFO", "fetched")]


class Raising(logging.Handler):
    """Raises an exception for each record."""

    def __init__(self, exception):
        super().__init__()
        self.exception = exception

    def handle(self, record):
        raise self.exception


@pytest.fixture
def raising():
    """Returns a function that adds a handler which raises an exception."""
    logger = logging.getLogger("rdsign")
    added = []

    def add(exception):
        added.append(Raising(exception))
        logger.addHandler(added[-1])

    logger.setLevel("INFO")
    yield add
    logger.setLevel(logging.NOTSET)
    for handler in added:
        logger.removeHandler(handler)


def test_a_handler_that_raises_does_not_change_the_outcome(raising, monkeypatch):
    ignored = []
    monkeypatch.setattr(sys, "unraisablehook", lambda raised: ignored.append(raised.exc_value))
    own = RuntimeError("the disk is full")
    raising(own)
    sealed = ValueError("the vault is sealed")
    one = answering(NOON + HOUR, sealed, sealed)
    one.token(signing_time=NOON)
    one.token(signing_time=NOON + HOUR - timedelta(minutes=10))
    with pytest.raises(rdsign.CredentialsError) as caught:
        one.token(signing_time=NOON + HOUR)
    assert caught.value.__cause__ is sealed
    assert ignored == [own] * 3


def test_ctrl_c_in_a_handler_is_not_lost(raising):
    raising(KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        answering(NOON + HOUR).token(signing_time=NOON)
        # Without a wait, it is raised as soon as Python runs.
        for _ in range(10_000):
            pass


KEYS = """
import os, sys
import rdsign
os.environ |= {"AWS_ACCESS_KEY_ID": "AKIA", "AWS_SECRET_ACCESS_KEY": "secret"}
signer = rdsign.Signer(hostname="HOSTNAME", username="iam_user")
broken = rdsign.Signer(hostname="HOSTNAME", username="iam_user", credentials=lambda: 1 / 0)
def use():
    assert signer.password()
    try:
        broken.password()
    except rdsign.Error:
        print("failed")
""".replace("HOSTNAME", HOSTNAME)


@pytest.mark.parametrize("start", ["pass", "import logging", "import logging; logging.getLogger('rdsign')"])
def test_nothing_is_imported_and_printed_unless_the_program_sets_up_logging(start):
    # Standard error goes to standard output.
    program = f"import os, sys\nos.dup2(1, 2)\n{start}\nbefore = 'logging' in sys.modules\n{KEYS}\nuse()\n"
    program += "assert ('logging' in sys.modules) == before\n"
    assert run("-c", program) == "failed\n"


def test_a_forked_child_and_the_end_of_the_program_write_too():
    program = f"""{KEYS}
import atexit, logging
logging.basicConfig(level="INFO", stream=sys.stdout, format="%(levelname)s %(rdsign)s")
sys.stdout.reconfigure(line_buffering=True)
class Late:
    def __del__(self):
        use()
if (child := os.fork()) == 0:
    use()
    os._exit(0)
assert os.waitpid(child, 0)[1] == 0
atexit.register(use)
late = Late()
"""
    lines = run("-c", program).splitlines()
    events = [line.split("'")[3] if line.startswith(("INFO", "WARNING")) else line for line in lines]
    # The finalizer runs when the interpreter shuts down. It must not end the program with an error.
    assert events[:6] == ["fetched", "fetch-failed", "failed"] * 2


@pytest.mark.parametrize("failure", FAILURES)
def test_no_record_shows_a_secret(failure, tmp_path):
    variables = {k: v for k, v in os.environ.items() if not k.startswith("AWS_")} | planted(tmp_path, failure)
    program = f"""
import logging, sys
import rdsign
logging.basicConfig(level="DEBUG", stream=sys.stdout, format="%(levelname)s %(message)s %(rdsign)s")
try:
    rdsign.Signer(hostname="{HOSTNAME}", username="iam_user").token()
except rdsign.CredentialsError:
    pass
"""
    (line,) = run("-c", program, env=variables).splitlines()
    assert line.startswith("WARNING credentials not fetched: CREDENTIALS_FAILED: ")
    assert not shows_a_secret(line)
