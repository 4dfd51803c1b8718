"""The fault plan of the fake AWS is reproducible, and its record is true."""

import re
import socket
import time
from http.client import HTTPException
from urllib.request import Request, urlopen

import pytest
from common import wait_until
from fake_aws import FakeAws
from faults import BY_NAME, FAULTS, FINAL, GOOD, FaultPlan

CONTAINER = [fault.name for fault in FAULTS if "container" in fault.routes]


@pytest.fixture
def plan():
    with FakeAws() as fake:
        yield FaultPlan(fake, "seed", 50, (8, 14), lambda keys: None), fake


def choose_always(plan, name):
    plan.choose = lambda number, route: (BY_NAME[name], 10)


def test_a_seed_decides_about_each_request(plan):
    plan, fake = plan
    twin = FaultPlan(fake, "seed", 50, (8, 14), lambda keys: None)
    other = FaultPlan(fake, "another", 50, (8, 14), lambda keys: None)
    chosen = [[one.choose(n, "container") for n in range(500)] for one in (plan, twin, other)]
    assert chosen[0] == chosen[1] != chosen[2]
    faulty = [fault.name for fault, _ in chosen[0] if fault.name != "none"]
    assert 200 < len(faulty) < 300
    assert {lifetime for _, lifetime in chosen[0]} == set(range(8, 15))


def test_every_fault_occurs_at_most_at_its_routes(plan):
    plan, fake = plan
    always = FaultPlan(fake, "seed", 100, (8, 14), lambda keys: None)
    for route in ("imds", "imds_role", "imds_token", "container", "sts"):
        chosen = {always.choose(n, route)[0].name for n in range(3000)}
        assert chosen == {fault.name for fault in FAULTS if route in fault.routes}


def test_without_a_percentage_there_is_no_fault(plan):
    _, fake = plan
    never = FaultPlan(fake, "seed", 0, (8, 14), lambda keys: None)
    assert {never.choose(n, "container")[0].name for n in range(500)} == {"none"}


@pytest.mark.parametrize("name", [name for name in CONTAINER if name not in ("hang", "endless drip")])
def test_only_a_right_answer_has_keys_that_a_client_can_use(plan, name):
    plan, fake = plan
    choose_always(plan, name)
    try:
        # The redirect leads to a path that is not there.
        with urlopen(Request(fake.container_url), timeout=60) as answer:
            text = answer.read().decode()
    except (OSError, HTTPException, ValueError) as error:
        text = repr(error)
    wait_until(lambda: plan.asks[0].done, "the record of the answer")
    ask = plan.asks[0]
    whole = (
        '"SecretAccessKey": "' in text and '"Token": "' in text and re.search(r'"Expiration": "20\d\d', text)
    )
    is_json_object = text.startswith("{") and text.endswith("}")
    ended = ask.end is not None and ask.end < time.time()
    assert (bool(whole) and is_json_object and not ended) == (ask.outcome == GOOD)
    if ask.outcome == GOOD:
        assert ask.key in text and ask.delivered


@pytest.mark.parametrize("name", ["hang", "endless drip"])
def test_a_client_that_gives_up_was_handed_nothing(plan, name):
    plan, fake = plan
    choose_always(plan, name)
    host, port = fake.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port))) as client:
        client.sendall(b"GET /container/credentials HTTP/1.1\r\n\r\n")
        wait_until(lambda: plan.asks, "the request")
    wait_until(lambda: plan.asks[0].done, "the end of the answer")
    assert not plan.asks[0].delivered


def test_there_are_at_least_fifteen_kinds_and_some_are_refusals():
    assert len([fault for fault in FAULTS if fault.outcome != GOOD]) >= 15
    assert {fault.name for fault in FAULTS if fault.outcome == FINAL} == {"403", "403 of STS", "404"}
