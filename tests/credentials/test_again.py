"""Checks that one bad answer is not the end: a source that answers rightly a moment later is asked again,
and one that will never answer otherwise is not."""

import json
import re
from concurrent.futures import ThreadPoolExecutor, wait

import pytest
from clock import Clock
from fake_aws import Answer, FakeAws, sts_error
from machine import signed_by
from sources import (
    alone,
    container,
    instance_metadata,
    role_on_top_of_the_environment,
    sso_session,
    web_identity,
)
from test_bounds import at_work


def without(field):
    """Returns a function that takes a field out of an answer."""

    def change(text):
        if text.startswith("<"):
            return re.sub(f"<{field}>.*?</{field}>", "", text)
        fields = json.loads(text)
        keys = fields.get("roleCredentials", fields)
        del keys[next(name for name in keys if name.lower() == field.lower())]
        return json.dumps(fields)

    return change


BAD = {
    "throttled": Answer(429),
    "unavailable": Answer(503),
    "rubbish": Answer(200, "<html>sign in to the network</html>"),
    "empty": Answer(200, ""),
    "cut": Answer(is_cut=True),
    "closed": Answer(is_closed=True),
    "without the secret": Answer(change=without("SecretAccessKey")),
    "without the end": Answer(change=without("Expiration")),
    "expired": Answer(lifetime=-60),
}
SOURCES = [
    (container, "container", BAD),
    (instance_metadata, "imds", BAD),
    (instance_metadata, "imds_role", ["throttled", "unavailable", "rubbish", "empty", "cut", "closed"]),
    (instance_metadata, "imds_token", ["throttled", "unavailable", "cut", "closed"]),
    (sso_session, "sso", BAD),
    (web_identity, "sts", BAD),
    (role_on_top_of_the_environment, "sts", BAD),
]
CASES = [(source, route, kind) for source, route, kinds in SOURCES for kind in kinds]


def test_a_source_is_asked_again_after(tmp_path, subtests):
    def one(n):
        source, route, kind = CASES[n]
        with FakeAws() as fake:
            machine, flags = alone(source, tmp_path / str(n), fake)
            # The AWS SDK gives up after three.
            fake.routes[route].next_answers.extend([BAD[kind]] * 4)
            key = signed_by(machine.token(*flags))
            assert fake.routes[route].count() >= 5
            return key, [one.last().access_key_id for one in fake.routes.values() if one.handed_out][-1]

    with ThreadPoolExecutor(8) as pool:
        done = [pool.submit(one, n) for n in range(len(CASES))]
    for (source, route, kind), future in zip(CASES, done, strict=True):
        with subtests.test(source=source.__name__, route=route, kind=kind):
            key, expected = future.result()
            assert key == expected


HANGING = [(source, route) for source, route, _ in SOURCES]


def test_a_source_that_hangs_is_asked_a_second_time_after_half_of_the_bound(tmp_path, clock_so, subtests):
    def one(n):
        source, route = HANGING[n]
        with FakeAws() as fake:
            machine, flags = alone(source, tmp_path / str(n), fake)
            clock = Clock(clock_so, machine.home)
            clock.stop_waits()
            machine.set(**clock.environment)
            route = fake.routes[route]
            route.hold(1)
            with at_work(machine, "credentials", *flags, "--credentials-timeout", "9") as run:
                route.wait_until("self.held == 1")
                clock.wait(5)
            route.release()
            return run.result(), route.count()

    with ThreadPoolExecutor(len(HANGING)) as pool:
        done = [pool.submit(one, n) for n in range(len(HANGING))]
    for (source, route), future in zip(HANGING, done, strict=True):
        with subtests.test(source=source.__name__, route=route):
            run, count = future.result()
            assert (run.status, count) == (0, 2), run


def test_a_slow_answer_counts_even_after_the_second_request(machine, fake, clock):
    container(machine, fake, fake)
    clock.stop_waits()
    machine.set(**clock.environment)
    fake.container.hold()
    with at_work(machine, "credentials", "--credentials-timeout", "9") as run:
        fake.container.wait_until("self.held == 1")
        clock.wait(5)
        fake.container.wait_until("self.held == 2")
        fake.container.release()
    assert run.result().status == 0


FINAL = [
    (container, "container", (403, '{"code": "AccessDenied", "message": "no"}')),
    (container, "container", (404, "")),
    (container, "container", (200, '{"code": "AccessDenied", "message": "no"}')),
    (instance_metadata, "imds", (403, "")),
    (instance_metadata, "imds_role", (404, "")),
    (sso_session, "sso", (401, '{"__type": "UnauthorizedException", "message": "expired"}')),
    (sso_session, "sso", (403, '{"__type": "ForbiddenException", "message": "no"}')),
    (web_identity, "sts", (400, sts_error("ExpiredTokenException", "no"))),
    (web_identity, "sts", (400, sts_error("InvalidIdentityToken", "no"))),
    (role_on_top_of_the_environment, "sts", (403, sts_error("AccessDenied", "no"))),
]


@pytest.mark.parametrize(
    "source, route, answer",
    FINAL,
    ids=[f"{route}-{answer[0]}-{n}" for n, (_, route, answer) in enumerate(FINAL)],
)
def test_a_refusal_that_stays_is_reported_at_once(source, route, answer, tmp_path, fake, clock):
    machine, flags = alone(source, tmp_path, fake)
    # A pause would never end.
    clock.stop_waits()
    machine.set(**clock.environment)
    fake.routes[route].respond(*answer)
    assert machine.run("credentials", *flags).status == 1
    assert fake.routes[route].count() == 1


def test_a_source_that_keeps_failing_is_asked_until_the_bound(machine, fake, clock):
    container(machine, fake, fake)
    clock.stop_waits()
    machine.set(**clock.environment)
    fake.container.respond(200, "rubbish")
    with at_work(machine, "credentials", "--credentials-timeout", "3000") as run:
        # The pauses take tenths of a second.
        while fake.container.count() < 3 and not run.done():
            clock.wait(0.05)
            wait([run], timeout=0.01)
        clock.wait(3000)
    assert fake.container.count() >= 3
    run = run.result()
    assert (run.code, "not a JSON object" in run.message) == ("CREDENTIALS_FAILED", True), run


def test_the_number_of_attempts_can_be_limited(machine, fake):
    container(machine, fake, fake)
    machine.set(AWS_MAX_ATTEMPTS="2")
    fake.container.respond(503)
    assert machine.run("credentials").code == "CREDENTIALS_FAILED"
    assert fake.container.count() == 2
