"""Threads, tasks and forked processes share a Signer. A second interpreter is rejected."""

import asyncio
import contextlib
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import warnings
from concurrent.futures import ThreadPoolExecutor
from urllib.request import urlopen

import pytest
import rdsign
from common import BOUND, PATIENCE, wait_until
from conftest import HOSTNAME, PROGRAMS, run, signed_by, signer
from harness import free_port


def with_the_default_chain(**options):
    return rdsign.Signer(hostname=HOSTNAME, username="iam_user", **({"credentials_timeout": BOUND} | options))


# Threads


def test_32_threads_at_once_ask_the_source_once(imds):
    imds.hold()
    one = with_the_default_chain()
    barrier = threading.Barrier(33)

    def token(_):
        barrier.wait()
        return [signed_by(one.token()) for _ in range(50)]

    with ThreadPoolExecutor(32) as pool:
        answers = pool.map(token, range(32))
        barrier.wait()
        imds.wait_until("self.held == 1")
        imds.release()
        assert {key for keys in answers for key in keys} == {imds.last().access_key_id}
    assert imds.count() == 1


def test_a_function_is_called_once_for_32_threads():
    about_to_ask = threading.Barrier(33)
    calls = []

    def keys():
        calls.append(1)
        about_to_ask.wait(PATIENCE)
        return {"access_key_id": "akid", "secret_access_key": "secret"}

    one = signer(credentials=keys)

    def ask(_):
        about_to_ask.wait(PATIENCE)
        return signed_by(one.password())

    with ThreadPoolExecutor(33) as pool:
        first = pool.submit(lambda: signed_by(one.password()))
        assert set(pool.map(ask, range(32))) == {first.result()} == {"akid"}
    assert calls == [1]


# asyncio


def test_async_signing_with_cached_credentials_uses_no_thread(monkeypatch):
    monkeypatch.setattr(asyncio, "to_thread", None)

    async def main():
        one = signer()
        return await one.token_async(), await one.password_async()

    token, password = asyncio.run(main())
    assert signed_by(token) == signed_by(password) == "akid"
    assert threading.active_count() == 1


def test_async_signing_with_cached_credentials_needs_no_event_loop():
    coroutine = signer().password_async()
    with pytest.raises(StopIteration) as ended:
        coroutine.send(None)
    assert signed_by(ended.value.value) == "akid"


def test_the_event_loop_runs_during_a_wait_for_credentials(imds):
    imds.hold()

    async def main():
        waiting = asyncio.ensure_future(with_the_default_chain().token_async())
        while not imds.held:
            await asyncio.sleep(0.001)
        # The loop can run this only if the held request does not block it.
        await asyncio.sleep(0.001)
        assert not waiting.done()
        imds.release()
        return await waiting

    assert signed_by(asyncio.run(main())) == imds.last().access_key_id
    # The threads of the event loop have ended with it.
    assert threading.active_count() - 1 == len([t for t in threading.enumerate() if t.daemon])


def test_await_raises_the_error_unchanged():
    async def main():
        with pytest.raises(rdsign.CredentialsError) as caught:
            await with_the_default_chain().password_async()
        assert caught.value.code == "CREDENTIALS_NOT_FOUND"

    asyncio.run(main())


def test_a_cancelled_task_ends_at_once(imds):
    imds.hold()

    async def main():
        one = with_the_default_chain()
        task = asyncio.ensure_future(one.token_async())
        while not imds.held:
            await asyncio.sleep(0.001)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert imds.held == 1
        imds.release()
        return one

    assert asyncio.run(main()).ready_token() is not None


def test_100_tasks_ask_the_source_once(imds):
    async def main():
        one = with_the_default_chain()
        return await asyncio.gather(*[one.password_async() for _ in range(100)])

    assert {signed_by(password) for password in asyncio.run(main())} == {imds.last().access_key_id}
    assert imds.count() == 1


# Forks


@contextlib.contextmanager
def forking():
    """Silences the warning of Python 3.12 and later about a fork while threads run: it is intended here."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "This process .* is multi-threaded", DeprecationWarning)
        yield


def in_a_child(function):
    """Calls a function in a forked child, which must end by itself. Returns the repr of the result."""
    reading, writing = os.pipe()
    with forking():
        child = os.fork()
    if child == 0:
        try:
            os.write(writing, repr(function()).encode())
        except BaseException as error:
            os.write(writing, f"failed: {error!r}".encode())
        finally:
            os._exit(0)
    os.close(writing)
    timer = threading.Timer(PATIENCE, os.kill, (child, signal.SIGKILL))
    timer.start()
    with open(reading) as answer:
        text = answer.read()
    os.waitpid(child, 0)
    timer.cancel()
    return text


@pytest.mark.parametrize("route", ["imds_token", "imds_role", "imds"])
def test_a_child_forked_during_a_refresh_gets_its_own_token(route, imds, fake):
    one = with_the_default_chain()
    route = fake.routes[route]
    route.hold(1)
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(one.token)
        route.wait_until("self.held == 1")
        child = in_a_child(lambda: signed_by(one.token()))
        assert child == repr(imds.last().access_key_id)
        # The parent still waits, and then gets its own token.
        assert not waiting.done()
        route.release()
        assert repr(signed_by(waiting.result())) != child


def test_a_child_forked_while_a_function_runs_calls_the_function_again():
    entered, leave = threading.Event(), threading.Event()

    def keys():
        if os.getpid() == parent:
            entered.set()
            leave.wait()
        return {"access_key_id": f"AKIA{os.getpid() == parent}", "secret_access_key": "secret"}

    parent = os.getpid()
    one = signer(credentials=keys)
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(one.token)
        entered.wait()
        assert in_a_child(lambda: signed_by(one.token())) == "'AKIAFalse'"
        leave.set()
        assert signed_by(waiting.result()) == "AKIATrue"


def test_children_use_the_credentials_that_the_parent_cached(imds):
    one = with_the_default_chain()
    expected = signed_by(one.token())
    assert in_a_child(lambda: signed_by(one.token())) == repr(expected)
    assert in_a_child(lambda: asyncio.run(one.password_async())[:4]) == repr(HOSTNAME[:4])
    assert imds.count() == 1


def access_key_of(one):
    return signed_by(one.password())


def test_processes_started_by_fork_inherit_a_signer(imds):
    one = with_the_default_chain()
    context = multiprocessing.get_context("fork")
    with forking():
        queue = context.SimpleQueue()
        processes = [context.Process(target=lambda: queue.put(access_key_of(one))) for _ in range(4)]
        for process in processes:
            process.start()
    keys = [queue.get() for _ in processes]
    for process in processes:
        process.join()
        assert process.exitcode == 0
    assert sorted(keys) == sorted(keys.access_key_id for keys in imds.handed_out)


def test_a_signer_cannot_be_sent_to_a_spawned_process():
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        with pytest.raises(TypeError, match="cannot pickle an rdsign.Signer"):
            pool.apply(access_key_of, (signer(),))


def test_gunicorn_with_preload_serves_tokens_from_every_worker(imds, tmp_path):
    port = free_port()
    options = ["--preload", "--workers", "3", "--bind", f"127.0.0.1:{port}", "--chdir", PROGRAMS]
    command = [sys.executable, "-m", "gunicorn", *options, "application:application"]
    with open(tmp_path / "log", "w") as log:
        server = subprocess.Popen([*map(str, command)], stdout=log, stderr=log)
    try:
        wait_until(lambda: listens(port), "gunicorn")
        seen = set()
        wait_until(lambda: seen.add(fetch(port)) or len(seen) == 3, "an answer of each worker")
    finally:
        server.terminate()
        assert server.wait(PATIENCE) == 0, (tmp_path / "log").read_text()
    assert {process for process, _ in seen} != {server.pid}
    assert len({process for process, _ in seen}) == 3
    # The credentials were fetched before the fork, and only once.
    assert {key for _, key in seen} == {imds.last().access_key_id}
    assert imds.count() == 1


def listens(port):
    with contextlib.suppress(OSError):
        return fetch(port)


def fetch(port):
    process, key = urlopen(f"http://127.0.0.1:{port}/", timeout=PATIENCE).read().decode().split()
    return int(process), key


# Interpreters


def test_a_subinterpreter_is_rejected_with_a_message():
    said = run(PROGRAMS / "subinterpreter.py")
    assert "ImportError" in said and "subinterpreter" in said, said
    assert said.endswith("the first interpreter signs\n")


def test_no_thread_outlives_a_call(imds):
    imds.hold()  # the fake keeps one thread for each open connection
    with pytest.raises(rdsign.CredentialsError):
        with_the_default_chain(credentials_timeout=0.1).token()
    imds.release()
    assert with_the_default_chain().token()
    assert asyncio.run(with_the_default_chain().token_async())
    # Python counts its own threads and the fake's. Any other one would be rdsign's.
    wait_until(lambda: len(os.listdir("/proc/self/task")) == threading.active_count(), "the end of threads")
