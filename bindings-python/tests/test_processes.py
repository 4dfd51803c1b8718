"""Threads, tasks, forks and interpreters: one Signer serves all of them, or says that it cannot."""

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


def of_the_chain(**options):
    return rdsign.Signer(hostname=HOSTNAME, username="iam_user", **({"credentials_timeout": BOUND} | options))


# Threads


def test_32_threads_at_once_ask_the_source_once(imds):
    imds.hold()
    one = of_the_chain()
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


def test_32_threads_share_a_function_which_is_called_by_one_at_a_time():
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


def test_async_tokens_at_hand_take_no_thread(monkeypatch):
    monkeypatch.setattr(asyncio, "to_thread", None)

    async def main():
        one = signer()
        return await one.token_async(), await one.password_async()

    token, password = asyncio.run(main())
    assert signed_by(token) == signed_by(password) == "akid"
    assert threading.active_count() == 1


def test_async_tokens_at_hand_need_no_event_loop_at_all():
    coroutine = signer().password_async()
    with pytest.raises(StopIteration) as ended:
        coroutine.send(None)
    assert signed_by(ended.value.value) == "akid"


def test_the_event_loop_goes_on_while_credentials_are_waited_for(imds):
    imds.hold()

    async def main():
        waiting = asyncio.ensure_future(of_the_chain().token_async())
        while not imds.held:
            await asyncio.sleep(0.001)
        # The loop gets here, and on, while the request is held.
        await asyncio.sleep(0.001)
        assert not waiting.done()
        imds.release()
        return await waiting

    assert signed_by(asyncio.run(main())) == imds.last().access_key_id
    # The event loop's own threads end with it.
    assert threading.active_count() - 1 == len([t for t in threading.enumerate() if t.daemon])


def test_an_error_comes_out_of_await_as_itself():
    async def main():
        with pytest.raises(rdsign.CredentialsError) as caught:
            await of_the_chain().password_async()
        assert caught.value.code == "CREDENTIALS_NOT_FOUND"

    asyncio.run(main())


def test_a_task_that_is_cancelled_ends_at_once(imds):
    imds.hold()

    async def main():
        one = of_the_chain()
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
        one = of_the_chain()
        return await asyncio.gather(*[one.password_async() for _ in range(100)])

    assert {signed_by(password) for password in asyncio.run(main())} == {imds.last().access_key_id}
    assert imds.count() == 1


# Forks


@contextlib.contextmanager
def forking():
    """Python 3.12 and later warn of a fork beside threads, which is what is tested here."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "This process .* is multi-threaded", DeprecationWarning)
        yield


def in_a_child(function):
    """What a function returns in a forked child, which must end by itself."""
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
def test_a_child_forked_in_mid_refresh_gets_its_own_token(route, imds, fake):
    one = of_the_chain()
    route = fake.routes[route]
    route.hold(1)
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(one.token)
        route.wait_until("self.held == 1")
        child = in_a_child(lambda: signed_by(one.token()))
        assert child == repr(imds.last().access_key_id)
        # The parent's is still waiting, and gets its own.
        assert not waiting.done()
        route.release()
        assert repr(signed_by(waiting.result())) != child


def test_a_child_forked_while_a_function_runs_calls_it_itself():
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


def test_children_forked_from_a_warm_signer_need_no_source(imds):
    one = of_the_chain()
    expected = signed_by(one.token())
    assert in_a_child(lambda: signed_by(one.token())) == repr(expected)
    assert in_a_child(lambda: asyncio.run(one.password_async())[:4]) == repr(HOSTNAME[:4])
    assert imds.count() == 1


def key_of_a_token(one):
    return signed_by(one.password())


def test_multiprocessing_by_fork_hands_a_signer_on(imds):
    one = of_the_chain()
    context = multiprocessing.get_context("fork")
    with forking():
        queue = context.SimpleQueue()
        processes = [context.Process(target=lambda: queue.put(key_of_a_token(one))) for _ in range(4)]
        for process in processes:
            process.start()
    keys = [queue.get() for _ in processes]
    for process in processes:
        process.join()
        assert process.exitcode == 0
    assert sorted(keys) == sorted(keys.access_key_id for keys in imds.handed_out)


def test_multiprocessing_by_spawn_says_that_a_signer_cannot_be_sent():
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        with pytest.raises(TypeError, match="cannot pickle an rdsign.Signer"):
            pool.apply(key_of_a_token, (signer(),))


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
    # The first token was made before the fork: nobody had to ask again.
    assert {key for _, key in seen} == {imds.last().access_key_id}
    assert imds.count() == 1


def listens(port):
    with contextlib.suppress(OSError):
        return fetch(port)


def fetch(port):
    process, key = urlopen(f"http://127.0.0.1:{port}/", timeout=PATIENCE).read().decode().split()
    return int(process), key


# Interpreters


def test_a_sub_interpreter_is_refused_in_words():
    said = run(PROGRAMS / "subinterpreter.py")
    assert "ImportError" in said and "subinterpreter" in said, said
    assert said.endswith("the first interpreter signs\n")


def test_no_thread_is_left_behind(imds):
    imds.hold()  # a thread of the fake's for each connection, until the end of it
    with pytest.raises(rdsign.CredentialsError):
        of_the_chain(credentials_timeout=0.1).token()
    imds.release()
    assert of_the_chain().token()
    assert asyncio.run(of_the_chain().token_async())
    # Python knows all threads that are its own or the fake's, which leaves none of rdsign's.
    wait_until(lambda: len(os.listdir("/proc/self/task")) == threading.active_count(), "the end of threads")
