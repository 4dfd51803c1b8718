"""Checks token_async on every kind of runtime, and token inside a runtime."""

import pytest
from machine import DUE, HOUR, key_of

RUNTIMES = ["current", "multi", "plain"]


@pytest.fixture
def imds(machine, fake):
    """Sets up an instance whose keys are valid for an hour."""
    machine.uses_imds(fake.url)
    return fake.imds


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_token_async_works_on(runtime, machine, imds):
    with machine.probe() as probe:
        answer = probe.ask("async", on=runtime)
        assert key_of(answer) == imds.last().access_key_id
        assert key_of(probe.ask("async", on=runtime)) == imds.last().access_key_id
    assert imds.count() == 1


def test_one_signer_serves_every_runtime(machine, imds):
    with machine.probe() as probe:
        keys = {key_of(probe.ask("async", on=runtime)) for runtime in RUNTIMES}
        keys |= {key_of(probe.ask("inside", on=runtime)) for runtime in ("current", "multi")}
        keys |= {key_of(probe.ask())}
    assert (len(keys), imds.count()) == (1, 1)


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_concurrent_calls_cause_one_request_on(runtime, machine, imds):
    imds.hold()
    with machine.probe() as probe:
        probe.tell(do="async", on=runtime, count=64, meanwhile=True)
        assert probe.answer()["from"] == "meanwhile", "all of them wait"
        imds.wait_until("self.held == 1")
        imds.release()
        keys = {key_of(answer) for answer in probe.answers(64)}
    assert keys == {imds.last().access_key_id}
    assert imds.count() == 1


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_token_async_is_bounded_on(runtime, machine, imds):
    imds.hold()
    with machine.probe(timeout=1) as probe:
        answer = probe.ask("async", on=runtime)
    assert answer["code"] == "CREDENTIALS_TIMEOUT"


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_token_async_fails_as_token_does_on(runtime, machine, imds):
    imds.respond(403)
    with machine.probe() as probe:
        alike = [probe.ask("async", on=runtime), probe.ask()]
    for answer in alike:
        assert answer["code"] == "CREDENTIALS_FAILED"
    assert alike[0]["message"] == alike[1]["message"]


@pytest.mark.parametrize("runtime", ["current", "multi"])
@pytest.mark.usefixtures("stopped")
def test_token_works_inside_a_runtime(runtime, machine, imds):
    with machine.probe() as probe:
        first = key_of(probe.ask("inside", on=runtime))
        assert key_of(probe.ask("inside", on=runtime)) == first
        imds.lifetime = 2 * HOUR
        assert key_of(probe.ask("inside", on=runtime, after=DUE)) == imds.last().access_key_id != first
    assert imds.count() == 2


@pytest.mark.parametrize("runtime", ["current", "multi"])
def test_token_is_bounded_inside_a_runtime(runtime, machine, imds):
    imds.hold()
    with machine.probe(timeout=1) as probe:
        answer = probe.ask("inside", on=runtime)
    assert answer["code"] == "CREDENTIALS_TIMEOUT"


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_a_waiting_call_does_not_block_its_thread_on(runtime, machine, imds):
    imds.hold()
    with machine.probe() as probe:
        probe.tell(do="async", on=runtime, meanwhile=True)
        assert probe.answer()["from"] == "meanwhile"
        imds.wait_until("self.held == 1")
        imds.release()
        assert key_of(probe.answer()) == imds.last().access_key_id
