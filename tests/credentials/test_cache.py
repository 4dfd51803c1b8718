"""Checks the Signer's cache: it fetches credentials once, again before they expire, and again after a
failure. The clock stands still; only `after` moves it."""

import os
import signal
from datetime import datetime, timezone
from pathlib import Path

import pytest
from common import wait_until
from fake_aws import keys_file, long_lived_keys, temporary_keys
from machine import DUE, EARLY, HOUR, key_of, signed_by
from sources import ROLE, process_output

pytestmark = pytest.mark.usefixtures("stopped")


@pytest.fixture
def imds(machine, fake):
    """Sets up an instance whose keys are valid for an hour."""
    machine.uses_imds(fake.url)
    return fake.imds


def test_64_threads_at_once_cause_one_request(machine, fake, imds):
    with machine.probe() as probe:
        probe.tell(do="threads", count=64)
        keys = {key_of(answer) for answer in probe.answers(64)}
    assert keys == {imds.last().access_key_id}
    assert [route.count() for route in (fake.imds_token, fake.imds_role, imds)] == [1, 1, 1]


def test_64_threads_wait_for_the_one_that_fetches(machine, imds):
    imds.hold()
    with machine.probe() as probe:
        probe.tell(do="threads", count=64)
        imds.wait_until("self.held == 1")
        imds.release()
        keys = {key_of(answer) for answer in probe.answers(64)}
    assert keys == {imds.last().access_key_id}
    assert imds.count() == 1


def test_64_threads_cause_one_request_when_a_refresh_is_due(machine, imds):
    with machine.probe() as probe:
        old = probe.key()
        probe.tell(do="threads", count=64, after=DUE)
        keys = {key_of(answer) for answer in probe.answers(64)}
        assert probe.key(after=DUE) == imds.last().access_key_id
    assert keys <= {old, imds.last().access_key_id}
    assert imds.count() == 2


def test_64_threads_cause_one_request_when_keys_are_expired(machine, imds):
    with machine.probe() as probe:
        old = probe.key()
        imds.lifetime = 3 * HOUR
        probe.tell(do="threads", count=64, after=2 * HOUR)
        keys = {key_of(answer) for answer in probe.answers(64)}
    assert keys == {imds.last().access_key_id} != {old}
    assert imds.count() == 2


def test_keys_are_cached_until_a_refresh_is_due(machine, imds):
    with machine.probe() as probe:
        first = probe.key()
        assert [probe.key(after=seconds) for seconds in (1, 60, 600, EARLY)] == [first] * 4
        assert imds.count() == 1
        second = probe.key(after=DUE)
        assert first != second == imds.last().access_key_id
        assert imds.count() == 2


def test_a_shorter_token_lifetime_makes_the_refresh_due_later(machine, imds):
    with machine.probe(expires_in=60) as probe:
        first = probe.key()
        assert probe.key(after=HOUR - 80) == first
        assert probe.key(after=HOUR - 50) != first


def test_signers_that_started_together_do_not_refresh_at_once(machine, imds):
    imds.rotating = False
    asked = []
    with machine.probe() as probe:
        for _ in range(24):
            probe.tell(do="signer")
            probe.key()
            before = imds.count()
            probe.key(after=(EARLY + DUE) / 2)
            asked.append(imds.count() - before)
    assert set(asked) == {0, 1}


def test_a_token_expires_with_the_keys_if_they_expire_first(machine, imds):
    imds.lifetime = 120
    with machine.probe() as probe:
        answer = probe.ask()
    assert answer["expires_at"] == imds.last().expires_at.timestamp()
    # The token still says 900 s: the server checks the keys' expiry itself.
    assert "X-Amz-Expires=900" in answer["token"]


def test_a_token_expires_at_its_own_time_if_that_is_first(machine, imds, stopped):
    with machine.probe() as probe:
        assert probe.ask()["expires_at"] == stopped + 900
    with machine.probe(expires_in=60) as probe:
        assert probe.ask()["expires_at"] == stopped + 60


def test_keys_that_expire_within_the_token_s_lifetime_are_refreshed_first(machine, imds, stopped):
    with machine.probe() as probe:
        probe.key()
        imds.lifetime = 2 * HOUR
        answer = probe.ask(after=DUE)
    assert key_of(answer) == imds.last().access_key_id
    assert answer["expires_at"] == stopped + DUE + 900


def test_newer_keys_that_expire_sooner_are_not_used(machine, imds):
    with machine.probe() as probe:
        old = probe.key()
        imds.lifetime = HOUR - 1
        assert probe.key(after=DUE) == old
    assert imds.count() == 2


def test_without_newer_keys_a_token_expires_with_the_old_ones(machine, imds):
    with machine.probe() as probe:
        old = probe.key()
        imds.respond(403)
        answer = probe.ask(after=DUE)
        assert key_of(answer) == old
        assert answer["expires_at"] == imds.last().expires_at.timestamp()
    assert imds.count() == 2


def test_a_failed_refresh_is_retried_only_after_a_minute(machine, imds):
    with machine.probe() as probe:
        old = probe.key()
        imds.respond(403)
        assert [probe.key(after=DUE + n) for n in (0, 1, 10, 30)] == [old] * 4
        assert imds.count() == 2
        assert probe.key(after=DUE + 80) == old
        assert imds.count() == 3
        imds.release()
        assert probe.key(after=DUE + 160) == imds.last().access_key_id != old
        assert imds.count() == 4


def test_without_valid_keys_a_failure_is_reported_and_retried_at_once(machine, imds):
    with machine.probe() as probe:
        probe.key()
        imds.respond(403)
        for count in (2, 3):
            answer = probe.ask(after=HOUR + 1)
            assert answer["code"] == "CREDENTIALS_FAILED", answer
            assert "instance metadata" in answer["message"] and "403" in answer["message"]
            assert imds.count() == count
        imds.lifetime = 2 * HOUR
        imds.release()
        assert probe.key(after=HOUR + 1) == imds.last().access_key_id


def test_a_first_failure_is_not_cached(machine, imds):
    imds.respond(403)
    with machine.probe() as probe:
        assert probe.ask()["code"] == "CREDENTIALS_FAILED"
        imds.release()
        assert probe.key() == imds.last().access_key_id


def test_expired_keys_without_newer_ones_sign_nothing(machine, fake, imds):
    machine.asks_once()
    with machine.probe() as probe:
        old = probe.key()
        imds.rotating = False
        answer = probe.ask(after=HOUR + 1)
        assert answer["code"] == "CREDENTIALS_EXPIRED"
        assert old in answer["message"] and imds.last().expiration in answer["message"]
        fake.imds_role.respond(404)
        answer = probe.ask(after=HOUR + 1)
        assert answer["code"] == "CREDENTIALS_EXPIRED"
        assert imds.last().expiration in answer["message"]
        assert "environment: AWS_ACCESS_KEY_ID is not set" in answer["message"]
        assert probe.key(after=HOUR - 1) == old


def test_a_frozen_process_refreshes_on_its_first_call(machine, imds, stopped):
    with machine.probe() as probe:
        first = probe.key()
        os.kill(probe.process.pid, signal.SIGSTOP)
        state = Path(f"/proc/{probe.process.pid}/stat")
        wait_until(lambda: ") T " in state.read_text(), "the freeze")
        probe.tell(do="token", after=2 * HOUR)
        imds.lifetime = 3 * HOUR
        os.kill(probe.process.pid, signal.SIGCONT)
        second = probe.answer()
    assert key_of(second) == imds.last().access_key_id != first
    assert second["expires_at"] == stopped + 2 * HOUR + 900


def test_a_clock_that_is_set_back_keeps_the_keys(machine, imds):
    with machine.probe() as probe:
        newer = [probe.key(), probe.key(after=DUE)][-1]
        assert probe.key() == newer
    assert imds.count() == 2


def test_a_refresh_calls_every_route_again(machine, fake, imds):
    with machine.probe() as probe:
        probe.key()
        probe.key(after=DUE)
    assert [route.count() for route in (fake.imds_token, fake.imds_role, imds)] == [2, 2, 2]
    first, second = (request.connection for request in imds.requests)
    assert first != second


def test_no_thread_and_no_file_stays_open_between_tokens(machine, imds):
    with machine.probe() as probe:
        probe.key()
        process = f"/proc/{probe.process.pid}"
        assert len(os.listdir(f"{process}/task")) == 1
        open_once = os.listdir(f"{process}/fd")
        for n in range(1, 5):
            imds.lifetime = (n + 2) * HOUR
            probe.key(after=n * HOUR + DUE)
        assert imds.count() == 5
        assert len(os.listdir(f"{process}/task")) == 1
        assert os.listdir(f"{process}/fd") == open_once


# A refresh reads the files again.


def test_a_rewritten_credentials_file_is_read_when_the_keys_expire(machine, fake):
    old, new = long_lived_keys("old"), long_lived_keys("new")
    machine.set(AWS_ENDPOINT_URL_STS=fake.url)
    machine.config(f"[profile app]\nrole_arn = {ROLE}\nsource_profile = base\n")
    machine.credentials(keys_file("base", old))
    with machine.probe(profile="app") as probe:
        probe.key()
        machine.credentials(keys_file("base", new))
        probe.key(after=EARLY)
        assert fake.sts.count() == 1
        fake.sts.lifetime = 2 * HOUR
        assert probe.key(after=HOUR + 1) == fake.sts.last().access_key_id
    assert [request.signed_by for request in fake.sts.requests] == [old.access_key_id, new.access_key_id]


def test_a_rewritten_credentials_file_is_read_after_a_refusal(machine, fake):
    old, new = long_lived_keys("old"), long_lived_keys("new")
    machine.set(AWS_ENDPOINT_URL_STS=fake.url)
    machine.credentials(keys_file("base", old))
    with machine.probe(profile="base", role_arn=ROLE) as probe:
        first = probe.key()
        fake.sts_refused.add(old.access_key_id)
        assert probe.key(after=DUE) == first
        machine.credentials(keys_file("base", new))
        assert probe.key(after=DUE + 80) == fake.sts.last().access_key_id != first
        fake.sts_refused.add(new.access_key_id)
        answer = probe.ask(after=3 * HOUR)
        assert (answer["code"], "AccessDenied" in answer["message"]) == ("CREDENTIALS_FAILED", True)


def test_a_process_runs_again_when_the_keys_are_about_to_expire(machine):
    old = temporary_keys("old", HOUR)
    output = machine.file("output", process_output(old))
    machine.config(f"[default]\ncredential_process = cat '{output}'\n")
    with machine.probe() as probe:
        assert probe.key() == old.access_key_id
        new = temporary_keys("new", 2 * HOUR)
        machine.file("output", process_output(new))
        assert probe.key(after=EARLY) == old.access_key_id
        assert probe.key(after=DUE) == new.access_key_id


def test_expired_keys_in_the_environment_are_not_refreshed(machine):
    keys = temporary_keys("env", HOUR)
    machine.uses_keys(keys)
    machine.set(AWS_CREDENTIAL_EXPIRATION=keys.expiration)
    with machine.probe() as probe:
        assert probe.key() == keys.access_key_id
        answer = probe.ask(after=DUE)
        assert (key_of(answer), answer["expires_at"]) == (keys.access_key_id, keys.expires_at.timestamp())
        answer = probe.ask(after=HOUR)
        assert (answer["code"], keys.access_key_id in answer["message"]) == ("CREDENTIALS_EXPIRED", True)


def test_long_lived_keys_are_fetched_once(machine):
    script = machine.file(
        "keys.sh",
        f"#!/bin/sh\necho asked >> $HOME/asked\necho '{process_output(long_lived_keys())}'\n",
        0o700,
    )
    machine.config(f"[default]\ncredential_process = {script}\n")
    with machine.probe() as probe:
        assert len({probe.key(after=n * 1000 * HOUR) for n in range(5)}) == 1
    assert (machine.home / "asked").read_text() == "asked\n"


def test_a_role_is_refreshed_with_its_base(machine, fake):
    machine.uses_imds(fake.url)
    machine.set(AWS_ENDPOINT_URL_STS=fake.url)
    with machine.probe(role_arn=ROLE) as probe:
        first = probe.key()
        second = probe.key(after=DUE)
    assert first != second == fake.sts.last().access_key_id
    asked_by = [request.signed_by for request in fake.sts.requests]
    assert asked_by == [keys.access_key_id for keys in fake.imds.handed_out]


def test_a_signer_s_token_equals_the_command_line_s(machine):
    machine.uses_keys(long_lived_keys("env"))
    with machine.probe() as probe:
        answer = probe.ask()
    signed = datetime.fromtimestamp(answer["expires_at"] - 900, timezone.utc)
    token = machine.token("--signing-time", signed.strftime("%Y-%m-%dT%H:%M:%SZ"))
    assert (token, signed_by(token)) == (answer["token"], machine.environment["AWS_ACCESS_KEY_ID"])
