"""Checks that a Signer works in the child after fork(), even if other threads of the parent were fetching.
It does not hang, and does not use the parent's connections."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from fake_aws import FakeAws, keys_file, long_lived_keys, temporary_keys
from machine import DUE, HOUR, Machine, key_of
from sources import ROLE, process_output

TIMES = 50


def by_sender(answers):
    """Returns the answers by their sender."""
    return {answer["from"]: answer for answer in answers}


def test_a_child_forked_during_a_fetch_gets_its_own_token(machine, fake):
    machine.uses_imds(fake.url)
    with machine.probe() as probe:
        for n in range(TIMES):
            if n:
                probe.tell(do="signer")
            fake.imds.hold(1)
            probe.tell(do="start")
            fake.imds.wait_until("self.held == 1")
            child = probe.ask("fork")
            assert child["from"] == "child"
            assert key_of(child) == fake.imds.last().access_key_id
            # The parent is still waiting, and gets its own token.
            fake.imds.release()
            parent = probe.answer()
            assert parent["from"] == "started"
            assert key_of(parent) == fake.imds.last().access_key_id != key_of(child)
    assert fake.imds.count() == 2 * TIMES
    for route in (fake.imds_token, fake.imds_role, fake.imds):
        assert len({request.connection for request in route.requests}) == 2 * TIMES


@pytest.mark.usefixtures("stopped")
def test_a_child_forked_during_a_refresh_gets_its_own_token(machine, fake):
    machine.uses_imds(fake.url)
    with machine.probe() as probe:
        old = probe.key()
        fake.imds.hold(1)
        probe.tell(do="start", after=DUE)
        fake.imds.wait_until("self.held == 1")
        child = probe.ask("fork", after=DUE)
        assert key_of(child) == fake.imds.last().access_key_id != old
        fake.imds.release()
        assert key_of(probe.answer()) == fake.imds.last().access_key_id != key_of(child)


@pytest.mark.parametrize("route", ["imds_token", "imds_role", "imds"])
def test_a_child_forked_at_any_request_gets_a_token(route, machine, fake):
    machine.uses_imds(fake.url)
    route = fake.routes[route]
    route.hold(1)
    with machine.probe() as probe:
        probe.tell(do="start")
        route.wait_until("self.held == 1")
        assert key_of(probe.ask("fork")) == fake.imds.last().access_key_id
        route.release()
        assert key_of(probe.answer()) == fake.imds.last().access_key_id


def sweep(set_up, tmp_path, microseconds):
    """Forks a new process this long after its first fetch began."""
    folder = tmp_path / str(microseconds)
    folder.mkdir()
    with FakeAws() as fake:
        machine = Machine(folder)
        with machine.probe(**set_up(machine, fake)) as probe:
            probe.tell(do="fork", while_asking_us=microseconds)
            answers = by_sender(probe.answers(2))
    assert set(answers) == {"child", "started"}
    for answer in answers.values():
        key_of(answer)


def with_imds(machine, fake):
    machine.uses_imds(fake.url)
    return {}


def with_a_role(machine, fake):
    machine.set(AWS_ENDPOINT_URL_STS=fake.url)
    machine.credentials(keys_file("default", long_lived_keys()))
    return {"role_arn": ROLE}


def with_a_process(machine, fake):
    output = machine.file("output", process_output(temporary_keys("process")))
    machine.config(f"[default]\ncredential_process = sleep 0.01; cat '{output}'\n")
    return {}


@pytest.mark.parametrize("set_up", [with_imds, with_a_role, with_a_process])
def test_a_child_forked_at_any_moment_of_the_first_fetch_gets_a_token(set_up, tmp_path):
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda n: sweep(set_up, tmp_path, n * 600), range(TIMES)))


def test_a_child_has_its_parent_s_keys_and_refreshes_them_itself(machine, fake):
    machine.uses_imds(fake.url)
    with machine.probe() as probe:
        first = probe.key()
        assert key_of(probe.ask("fork")) == first
        assert fake.imds.count() == 1
        fake.imds.lifetime = 3 * HOUR
        second = key_of(probe.ask("fork", after=2 * HOUR))
        assert second == fake.imds.last().access_key_id != first
        assert probe.key(after=2 * HOUR) == fake.imds.last().access_key_id != second


def test_the_parent_s_fetch_succeeds_after_its_child_s(machine, fake):
    machine.uses_imds(fake.url)
    fake.imds.hold(1)
    with machine.probe() as probe:
        probe.tell(do="start")
        fake.imds.wait_until("self.held == 1")
        probe.ask("fork")
        probe.tell(do="threads", count=8)
        fake.imds.release()
        assert {key_of(answer) for answer in probe.answers(9)} == {fake.imds.last().access_key_id}
    assert fake.imds.count() == 2
