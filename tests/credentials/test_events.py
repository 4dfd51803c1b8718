"""What a Signer says of its fetches, from the sources that need the chain. The probe adds the events to its
answers, and every answer is searched for secrets."""

import pytest
from fake_aws import new_secret, temporary_keys
from machine import DUE, HOUR

pytestmark = pytest.mark.usefixtures("stopped")


def test_an_instance_that_fails_and_recovers(machine, fake):
    machine.uses_imds(fake.url)
    with machine.probe() as probe:
        [fetched] = probe.ask()["events"]
        assert (fetched["name"], fetched["source"]) == ("fetched", "instance metadata")
        end = fake.imds.last().expiration
        assert fetched["text"].endswith(f" s; they expire at {end}")
        assert probe.ask()["events"] == []

        fake.imds.respond(403, new_secret())
        failed = probe.ask(after=DUE)
        assert "token" in failed
        [event] = failed["events"]
        assert event["name"] == "refresh-failed"
        assert event["text"].startswith(
            f"credentials not refreshed; those in use expire at {end}: CREDENTIALS_"
        )

        failed = probe.ask(after=HOUR)
        [event] = failed["events"]
        assert event["name"] == "fetch-failed"
        assert event["text"] == f"credentials not fetched: {failed['code']}: {failed['message']}"

        fake.imds.lifetime = 2 * HOUR
        fake.imds.release()
        [event] = probe.ask(after=HOUR)["events"]
        assert event["name"] == "fetched"


def test_an_instance_that_has_no_newer_keys(machine, fake):
    machine.uses_imds(fake.url)
    with machine.probe() as probe:
        probe.ask()
        fake.imds.rotating = False
        assert probe.ask(after=DUE)["events"] == []
        [event] = probe.ask(after=HOUR - 50)["events"]
        assert event["name"] == "expiring"
        end = fake.imds.last().expiration
        assert event["text"] == f"credentials expire at {end}, and instance metadata has no newer ones"
        assert probe.ask(after=HOUR - 20)["events"] == []


def test_keys_of_the_environment(machine):
    machine.uses_keys(temporary_keys("env"))
    with machine.probe() as probe:
        [event] = probe.ask()["events"]
    assert (event["name"], event["source"]) == ("fetched", "environment")


def test_an_asynchronous_token(machine, fake):
    machine.uses_imds(fake.url)
    with machine.probe() as probe:
        [event] = probe.ask(do="async", on="current")["events"]
    assert event["name"] == "fetched"
