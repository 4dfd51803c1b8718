"""Checks that nothing waits forever. Servers accept the connection and send nothing, or do not even
accept it. If the length of a wait matters, the test controls the clock."""

import contextlib
import hashlib
import os
import select
import socket
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from clock import Clock
from common import wait_until
from fake_aws import FakeAws, keys_file, long_lived_keys, new_secret
from machine import key_of, signed_by
from sources import (
    ROLE,
    alone,
    container,
    instance_metadata,
    role_on_top_of_the_environment,
    role_on_top_of_the_instance,
    sso_session,
    web_identity,
    web_identity_in_a_profile,
)

BEFORE = ["environment: ", "profile role: ", "profile: ", "web identity: ", "container: "]
WITHOUT_FILES = [BEFORE[0], *BEFORE[2:]]
HANGING = [
    (instance_metadata, "imds_token", "instance metadata", WITHOUT_FILES),
    (instance_metadata, "imds_role", "instance metadata", WITHOUT_FILES),
    (instance_metadata, "imds", "instance metadata", WITHOUT_FILES),
    (container, "container", "container", WITHOUT_FILES[:3]),
    (web_identity, "sts", "web identity", WITHOUT_FILES[:2]),
    (web_identity_in_a_profile, "sts", 'profile "default"', BEFORE[:2]),
    (sso_session, "sso", 'profile "default"', [*BEFORE[:2], BEFORE[3]]),
    (role_on_top_of_the_environment, "sts", "role", []),
    (role_on_top_of_the_instance, "sts", "role", WITHOUT_FILES),
    (role_on_top_of_the_instance, "imds", "instance metadata", WITHOUT_FILES),
]


@contextlib.contextmanager
def at_work(machine, *arguments, **options):
    """Runs rdsign in another thread, and yields the future."""
    with ThreadPoolExecutor(1) as pool:
        yield pool.submit(machine.run, *arguments, **options)


@pytest.mark.parametrize("seconds", [1, None], ids=["the given bound", "5 s by default"])
def test_a_hanging_server_times_out_after(seconds, tmp_path, clock_so, subtests):
    def one(n):
        source, route, _, _ = HANGING[n]
        with FakeAws() as fake:
            machine, flags = alone(source, tmp_path / str(n), fake)
            clock = Clock(clock_so, machine.home)
            clock.stop_waits()
            machine.set(**clock.environment)
            bound = () if seconds is None else ("--credentials-timeout", str(seconds))
            route = fake.routes[route]
            route.hold()
            with at_work(machine, "credentials", *flags, *bound, bound=False) as run:
                route.wait_until("self.held == 1")
                clock.wait(seconds or 5)
            route.wait_until("self.given_up and not self.held")
            route.release()
            assert machine.run("credentials", *flags).status == 0
            return run.result()

    with ThreadPoolExecutor(len(HANGING)) as pool:
        done = [pool.submit(one, n) for n in range(len(HANGING))]
    for (source, route, name, before), future in zip(HANGING, done, strict=True):
        with subtests.test(source=source.__name__, route=route):
            run = future.result()
            assert (run.status, run.code) == (1, "CREDENTIALS_TIMEOUT"), run
            assert run.message.startswith(f"credentials: {name} gave no answer within {seconds or 5}.0 s."), (
                run
            )
            assert [words for words in BEFORE if words in run.message] == before, run
            assert ("hop limit" in run.message) == (route == "imds_token"), run


@pytest.fixture
def slow(machine, clock):
    """Delays a route's answers by a number of seconds on the machine's clock."""
    clock.stop_waits()
    machine.set(**clock.environment)
    return lambda route, seconds: route.delay(seconds, clock.wait)


def test_the_bound_covers_all_calls_together(machine, fake, slow):
    machine.set(AWS_ENDPOINT_URL_STS=fake.url, AWS_REGION="eu-central-1")
    machine.credentials(keys_file("r0", long_lived_keys()))
    roles = [f"[profile r{n}]\nrole_arn = {ROLE}\nsource_profile = r{n - 1}\n" for n in (1, 2, 3)]
    machine.config("".join(roles))
    slow(fake.sts, 0.7)
    run = machine.run("credentials", "--profile", "r3", "--credentials-timeout", "1")
    assert (run.code, "within 1.0 s" in run.message) == ("CREDENTIALS_TIMEOUT", True)
    assert fake.sts.count() == 2
    machine.found("--profile", "r3", "--credentials-timeout", "3")


def test_the_bound_covers_base_and_role_together(machine, fake, clock, slow):
    flags = role_on_top_of_the_instance(machine, fake, fake).flags
    fake.sts_behind = None
    # A second request would move the clock, too.
    machine.asks_once()
    slow(fake.imds, 0.7)
    fake.sts.hold()
    with at_work(machine, "credentials", *flags, "--credentials-timeout", "1") as run:
        fake.sts.wait_until("self.held == 1")
        clock.wait(0.3)
    assert run.result().code == "CREDENTIALS_TIMEOUT"
    assert "role gave no answer within 0.3 s" in run.result().message
    fake.sts.release()
    machine.found(*flags, "--credentials-timeout", "1")


@pytest.mark.parametrize("source", [instance_metadata, container, sso_session, web_identity])
def test_a_slow_server_gets_time_to_answer(source, tmp_path, fake):
    machine, flags = alone(source, tmp_path, fake)
    routes = [fake.imds, fake.container, fake.sso, fake.sts]
    for route in routes:
        route.delay(1.5)
    token = machine.token(*flags)
    assert signed_by(token) in [route.last().access_key_id for route in routes if route.handed_out]


def test_a_server_that_is_slower_than_its_keys_live_is_asked_until_the_bound(machine, fake, clock, stopped):
    container(machine, fake, fake)
    passed = 0

    def late(seconds):
        nonlocal passed
        fake.container.lifetime = passed + 1
        passed += seconds
        clock.set(stopped + passed)
        clock.wait(seconds)

    fake.container.delay(2.2, late)
    with machine.probe(timeout=5) as probe:
        answer = probe.ask()
    assert answer["code"] == "CREDENTIALS_EXPIRED", answer
    assert "before the source answered" in answer["message"]
    # Each request takes 2.2 of the 5 seconds. Next to one that takes half of what is left, another is sent.
    assert 2 <= fake.container.count() <= 5


@contextlib.contextmanager
def silence():
    """Yields a local URL that answers no connection attempt, because its queue is full."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)  # a queue of one
        with socket.create_connection(listener.getsockname()):
            select.select([listener], [], [])
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"


def test_an_instance_that_does_not_answer_counts_as_a_source_without_keys(machine):
    with silence() as address:
        machine.uses_imds(address)
        run = machine.run("credentials")
    assert run.code == "CREDENTIALS_NOT_FOUND"
    assert "instance metadata: failed to load IMDS session token" in run.message


@pytest.mark.parametrize("source", [container, sso_session, web_identity, role_on_top_of_the_environment])
def test_a_server_that_accepts_no_connection_times_out(source, tmp_path, fake):
    machine, flags = alone(source, tmp_path, fake)
    with silence() as address:
        for name, value in list(machine.environment.items()):
            if value.startswith(fake.url):
                machine.set(**{name: value.replace(fake.url, address)})
        run = machine.run("credentials", *flags, "--credentials-timeout", "1")
    assert run.code == "CREDENTIALS_TIMEOUT"


def test_a_hanging_process_times_out(machine):
    # `cat` reads from a pipe that nobody writes to, and ends when the test closes the pipe.
    pipe = machine.home / "pipe"
    os.mkfifo(pipe)
    machine.config(f"[default]\ncredential_process = cat '{pipe}'\n")
    descriptor = os.open(pipe, os.O_RDWR)
    try:
        run = machine.run("credentials", "--credentials-timeout", "1")
    finally:
        pipe.unlink()
        os.close(descriptor)
    assert (run.code, 'profile "default" gave no answer' in run.message) == ("CREDENTIALS_TIMEOUT", True)
    assert "environment: " in run.message


def test_a_hanging_process_is_killed_with_its_children(machine, clock):
    # Both children keep the pipe open for reading until they are killed. The clock stands until both
    # run.
    pipe = machine.home / "pipe"
    os.mkfifo(pipe)
    script = machine.file("keys.sh", f"#!/bin/sh\ncat '{pipe}' &\ncat '{pipe}' & wait\n", 0o700)
    machine.config(f"[default]\ncredential_process = {script}\n")
    clock.stop_waits()
    machine.set(**clock.environment)
    with at_work(machine, "credentials", "--credentials-timeout", "2") as run:
        wait_until(lambda: count_readers(pipe) == 2, "both children")
        clock.wait(2)
    assert run.result().code == "CREDENTIALS_TIMEOUT"
    wait_until(lambda: count_readers(pipe) == 0, "the end of both children")
    with pytest.raises(OSError):
        os.open(pipe, os.O_WRONLY | os.O_NONBLOCK)


@pytest.mark.parametrize("redirect", ["", ">&2"], ids=["output", "errors"])
def test_a_process_that_prints_without_end_is_stopped(redirect, machine):
    machine.config(f"[default]\ncredential_process = yes {redirect}\n")
    run = machine.failure()
    assert run.code == "CREDENTIALS_FAILED"
    assert run.message.endswith("credential_process: printed more than 1 MiB"), run


def count_readers(path):
    """Counts the processes that run `cat` with this path."""
    commands = []
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            commands.append((process / "cmdline").read_bytes())
    return commands.count(b"cat\0" + os.fsencode(path) + b"\0")


BLOCKED = ["a web identity's token", "a container's authorization", "a CA bundle", "a login"]


@pytest.mark.parametrize("what", BLOCKED)
def test_a_pipe_in_place_of_a_file_is_named_and_not_read(what, machine, fake):
    # Nobody writes to the pipe.
    pipe = machine.home / "pipe"
    machine.set(AWS_REGION="eu-central-1")
    if what == "a web identity's token":
        machine.set(AWS_WEB_IDENTITY_TOKEN_FILE=pipe, AWS_ROLE_ARN=ROLE)
    elif what == "a container's authorization":
        uri = {"AWS_CONTAINER_CREDENTIALS_FULL_URI": fake.container_url}
        machine.set(**uri, AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE=pipe)
    elif what == "a CA bundle":
        token = machine.file("jwt", new_secret())
        machine.set(AWS_WEB_IDENTITY_TOKEN_FILE=token, AWS_ROLE_ARN=ROLE, AWS_CA_BUNDLE=pipe)
    elif what == "a login":
        session = "arn:aws:iam::123456789012:user/jane"
        machine.config(f"[default]\nlogin_session = {session}\n")
        machine.set(AWS_LOGIN_CACHE_DIRECTORY=machine.home)
        pipe = machine.home / f"{hashlib.sha256(session.encode()).hexdigest()}.json"
    os.mkfifo(pipe)
    run = machine.failure("--credentials-timeout", "60")
    assert run.code == "CREDENTIALS_FAILED", run
    assert str(pipe) in run.message and "is not a regular file" in run.message, run


@pytest.mark.parametrize("source", [container, instance_metadata, sso_session, web_identity])
def test_a_process_without_free_descriptors_fails_and_says_so(source, tmp_path, fake):
    machine, flags = alone(source, tmp_path, fake)
    machine.asks_once()
    # Standard input, output and error are open. One more is free, as the loader and the files need it;
    # a runtime needs several, and a connection another.
    runs = [machine.run("credentials", *flags, before=with_descriptors(count)) for count in range(4, 12)]
    assert not runs[0].output
    for run in runs:
        if run.status:
            assert (run.code, "Too many open files" in run.message) == ("CREDENTIALS_FAILED", True), run


def with_descriptors(count):
    """Returns a command to put before another, which may then have this many descriptors."""
    return ("sh", "-c", f'ulimit -n {count} && exec "$@"', "sh")


def test_a_bound_of_zero_is_rejected(machine):
    run = machine.failure("--credentials-timeout", "0")
    assert (run.status, run.code) == (2, "INVALID_CREDENTIALS")
    assert "credentials timeout: zero or negative; accepted: more than 0" in run.message


def test_with_valid_keys_only_one_caller_waits_a_second_for_a_hanging_server(machine, fake, clock):
    machine.uses_imds(fake.url)
    clock.stop_waits()
    with machine.probe() as probe:
        old = probe.key()
        fake.imds.hold()
        probe.tell(do="threads", count=8, after=3000)
        for answer in probe.answers(7):
            assert key_of(answer) == old
        # Seven have a token, and the one that refreshes is still waiting.
        fake.imds.wait_until("self.held == 1")
        assert fake.imds.given_up == 0
        clock.wait(1)
        assert key_of(probe.answer()) == old
        fake.imds.wait_until("self.given_up == 1 and not self.held")
        assert fake.imds.count() == 2


def test_without_valid_keys_all_wait_and_all_get_the_error(machine, fake):
    machine.uses_imds(fake.url)
    fake.imds.hold()
    with machine.probe(timeout=2) as probe:
        probe.tell(do="threads", count=16)
        answers = probe.answers(16)
    assert {answer.get("code") for answer in answers} == {"CREDENTIALS_TIMEOUT"}
    assert any("instance metadata" in answer["message"] for answer in answers)
