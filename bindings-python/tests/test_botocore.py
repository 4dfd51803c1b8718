"""botocore's refreshes below a Signer: keys that always expire soon, failures while the old keys are
valid, threads that refresh at once, and sources that never answer.

botocore refreshes in the last 15 minutes of its keys (advisory: a failure does not matter) and waits for
it in the last 10 (mandatory). A Signer caches what botocore returns, and has its own rules on top.
"""

import asyncio
import itertools
import json
import os
import sys
import threading
from datetime import datetime, timedelta, timezone
from urllib.parse import parse_qs

import boto3
import pytest
import rdsign
from botocore.credentials import DeferredRefreshableCredentials, RefreshableCredentials
from conftest import NOON, run, signed_by, signer
from fake_aws import keys_file, long_lived_keys

TEN_MINUTES = 600


def in_(seconds):
    return datetime.now(timezone.utc) + timedelta(seconds=seconds)


# Sources whose keys always expire within 15 minutes


@pytest.fixture
def configured(tmp_path, monkeypatch):
    """Writes the AWS configuration file."""

    def configured(text):
        file = tmp_path / "config"
        file.write_text(text)
        monkeypatch.setenv("AWS_CONFIG_FILE", str(file))
        monkeypatch.setenv("AWS_PROFILE", "short")

    return configured


@pytest.fixture
def role(fake, configured, tmp_path, monkeypatch):
    keys = tmp_path / "credentials"
    keys.write_text(keys_file("base", long_lived_keys()))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(keys))
    monkeypatch.setenv("AWS_ENDPOINT_URL_STS", fake.url)
    configured(
        "[profile short]\nrole_arn = arn:aws:iam::123456789012:role/short\nsource_profile = base\n"
        "region = eu-central-1\nduration_seconds = 900\n"
    )
    fake.sts.lifetime = 900
    return fake.sts.count


@pytest.fixture
def process(configured, tmp_path):
    runs = tmp_path / "runs"
    keys = {"Version": 1, "AccessKeyId": "ASIAPROCESS", "SecretAccessKey": "s", "SessionToken": "t"}
    answer = json.dumps(keys | {"Expiration": in_(TEN_MINUTES).isoformat()})
    script = tmp_path / "process.py"
    script.write_text(f"open({str(runs)!r}, 'a').write('x')\nprint({answer!r})\n")
    configured(f"[profile short]\ncredential_process = {sys.executable} -S {script}\n")
    return lambda: len(runs.read_text())


@pytest.fixture
def container(fake, monkeypatch):
    monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", fake.container_url)
    fake.container.lifetime = TEN_MINUTES
    return fake.container.count


# botocore fetches a process's and a container's keys when it finds them, and again when they are used.
# Two more are for the two turns of reading keys and their expiry.
@pytest.mark.parametrize("source, most", [("role", 2), ("process", 3), ("container", 3)])
def test_a_session_whose_source_has_short_keys_is_asked_a_few_times(source, most, request):
    asked = request.getfixturevalue(source)
    one = signer(credentials=boto3.Session())
    tokens = {one.password() for _ in range(5)}
    assert tokens and asked() <= most
    assert one.token().expires_at <= in_(900)


# Refreshes


class Counting(RefreshableCredentials):
    """Counts its refreshes, and makes keys of the count: botocore's own tests of races do so."""

    def __init__(self, lasting, advisory=900, mandatory=600, clock=lambda: datetime.now(timezone.utc)):
        self.count, self.fails, self.lasting, self.clock = 0, False, lasting, clock
        first = self.made()
        super().__init__(
            first["access_key"],
            first["secret_key"],
            first["token"],
            datetime.fromisoformat(first["expiry_time"]),
            self.made,
            "counting",
            time_fetcher=clock,
            advisory_timeout=advisory,
            mandatory_timeout=mandatory,
        )

    def made(self):
        if self.fails:
            raise OSError("the source is away")
        self.count += 1
        expiry = (self.clock() + timedelta(seconds=self.lasting)).isoformat()
        name = f"KEY{self.count}"
        return {"access_key": name, "secret_key": name, "token": name, "expiry_time": expiry}


def generation(token):
    """Returns the key that signed a token, and checks that its session token came with it."""
    key = signed_by(token)
    assert parse_qs(token)["X-Amz-Security-Token"] == [key]
    return key


@pytest.mark.parametrize(
    "lasting, advisory, refreshes", [(2000, 1000, True), (5000, 6000, True), (100_000, 900, False)]
)
def test_threads_see_keys_of_one_refresh(lasting, advisory, refreshes):
    """The clock goes on by a second with each token."""
    seconds, latest = itertools.count(), [NOON]
    counting = Counting(lasting, advisory, mandatory=0, clock=lambda: latest[0])
    signers = [signer(credentials=counting) for _ in range(4)]
    seen, failures = set(), []

    def many(one):
        for _ in range(200):
            latest[0] = moment = NOON + timedelta(seconds=next(seconds))
            try:
                seen.add(generation(one.token(signing_time=moment).value))
            except Exception as error:
                failures.append(error)

    threads = [threading.Thread(target=many, args=(one,)) for one in signers * 5]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert seen and seen <= {f"KEY{number}" for number in range(1, counting.count + 1)}
    assert (counting.count > 1) == refreshes


def test_the_first_fetch_of_deferred_credentials_serves_all_threads():
    made = []

    def metadata():
        made.append(1)
        expiry = in_(86_400).isoformat()
        return {"access_key": "KEY", "secret_key": "s", "token": "KEY", "expiry_time": expiry}

    one = signer(credentials=DeferredRefreshableCredentials(metadata, "deferred"))
    seen = []
    threads = [threading.Thread(target=lambda: seen.append(generation(one.password()))) for _ in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (seen, made) == (["KEY"] * 50, [1])


@pytest.mark.parametrize("minutes_left", [12, 5], ids=["advisory", "mandatory"])
def test_a_refresh_that_fails_keeps_keys_that_are_valid(minutes_left):
    clock = [NOON]
    counting = Counting(3600, clock=lambda: clock[0])
    one = signer(credentials=counting)

    def token():
        return one.token(signing_time=clock[0])

    assert generation(token().value) == "KEY1"
    expiry = NOON + timedelta(hours=1)
    counting.fails = True
    clock[0] = expiry - timedelta(minutes=minutes_left)
    late = token()
    assert (generation(late.value), late.expires_at) == ("KEY1", expiry)
    # Once they have expired, the failure is reported; once the source is back, it is asked again.
    clock[0] = expiry
    with pytest.raises(rdsign.CredentialsError, match="OSError: the source is away") as caught:
        token()
    assert caught.value.code == "CREDENTIALS_FAILED"
    assert isinstance(caught.value.__cause__, OSError)
    counting.fails = False
    assert generation(token().value) == "KEY2"


# Sources that never answer


class Hanging:
    """Credentials whose fetch waits until the test is over."""

    def __init__(self):
        self.asked, self.over = 0, threading.Event()

    def get_frozen_credentials(self):
        self.asked += 1
        self.over.wait()
        return type("Frozen", (), {"access_key": "KEY", "secret_key": "s", "token": None})

    def get_credentials(self):
        return self


@pytest.fixture
def hanging():
    hanging = Hanging()
    yield hanging
    hanging.over.set()


SHAPES = {
    "a session": lambda hanging: hanging,
    "credentials": lambda hanging: type(
        "C", (), {"get_frozen_credentials": hanging.get_frozen_credentials}
    )(),
    "a function": lambda hanging: lambda: hanging,
}


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_the_timeout_ends_a_fetch_that_does_not_return(shape, hanging):
    one = signer(credentials=shape(hanging), credentials_timeout=0.1)
    for _ in range(3):
        with pytest.raises(
            rdsign.CredentialsError, match="botocore returned no credentials within 0.1 s"
        ) as e:
            one.token()
        assert e.value.code == "CREDENTIALS_TIMEOUT"
        assert isinstance(e.value.__cause__, TimeoutError)
    assert hanging.asked == 1, "one fetch is running, and no other is started"
    hanging.over.set()
    later = signer(credentials=shape(hanging))
    assert signed_by(later.token()) == "KEY"


def test_a_forked_process_does_not_wait_for_a_fetch_of_its_parent(hanging, monkeypatch):
    one = signer(credentials=hanging, credentials_timeout=0.1)
    for process in (1, 2):
        monkeypatch.setattr(os, "getpid", lambda process=process: process)
        with pytest.raises(rdsign.CredentialsError):
            one.token()
    assert hanging.asked == 2


def test_a_function_that_raises_timeout_error_is_a_timeout():
    def keys():
        raise TimeoutError("the vault is slow")

    with pytest.raises(rdsign.CredentialsError, match="the vault is slow") as caught:
        signer(credentials=keys).token()
    assert caught.value.code == "CREDENTIALS_TIMEOUT"
    assert isinstance(caught.value.__cause__, TimeoutError)


def test_wait_for_ends_a_fetch_that_does_not_return(hanging):
    one = signer(credentials=hanging, credentials_timeout=1)

    async def main():
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(one.token_async(), 0.1)

    asyncio.run(main())


def test_a_program_ends_while_a_fetch_does_not_return():
    program = """
import rdsign, threading
class Hanging:
    def get_credentials(self):
        threading.Event().wait()
options = {"hostname": "a.b.eu-west-1.rds.amazonaws.com", "username": "x"}
try:
    rdsign.Signer(credentials=Hanging(), credentials_timeout=0.1, **options).token()
except rdsign.CredentialsError as error:
    print(error.code)
"""
    assert run("-c", program) == "CREDENTIALS_TIMEOUT\n"
