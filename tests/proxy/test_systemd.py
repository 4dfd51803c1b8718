"""A proxy that systemd runs: what it tells systemd, and the sockets that systemd opens for it."""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import activated
import psycopg
import pytest
from common import PATIENCE, RDSIGN, wait_until

NAME = ".s.PGSQL.5432"
ACCEPTED = f"; accepted: a loopback address, or a path that ends with /{NAME}, as ListenStream\n"
UNSHARE = ("unshare", "--map-root-user", "--net")


class Manager:
    """A manager of services that a program tells how it is. Its address is a path, or starts with a NUL."""

    def __init__(self, address):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(address)
        self.socket.settimeout(PATIENCE)

    def hears(self):
        """Waits for the next message. Returns its lines."""
        return self.socket.recv(4096).decode().splitlines()

    def heard_nothing_more(self):
        self.socket.setblocking(False)
        with pytest.raises(BlockingIOError):
            self.hears()


@pytest.fixture
def manager(tmp_path):
    manager = Manager(str(tmp_path / "notify"))
    with manager.socket:
        yield manager


@pytest.fixture
def notify(tmp_path):
    return {"NOTIFY_SOCKET": str(tmp_path / "notify")}


@pytest.fixture
def opened():
    """Opens sockets as systemd does: those of a path in folders that all may enter."""
    with contextlib.ExitStack() as stack:

        def opened(place, kind=socket.SOCK_STREAM):
            is_path = isinstance(place, Path)
            new = stack.enter_context(socket.socket(socket.AF_UNIX if is_path else socket.AF_INET, kind))
            if is_path:
                place.parent.mkdir()
                place.parent.chmod(0o755)
            new.bind(str(place) if is_path else (place, 0))
            if is_path:
                place.chmod(0o666)
            if kind == socket.SOCK_STREAM:
                new.listen()
            return new

        yield opened


def port(tcp):
    return tcp.getsockname()[1]


def refused(environment, sockets, *flags):
    """Returns the status and the error of a proxy that gets these sockets and does not start."""
    command, options = activated.with_sockets(sockets, [RDSIGN, "proxy", *flags])
    pipes = {"stdin": subprocess.DEVNULL, "capture_output": True, "text": True, "timeout": PATIENCE}
    done = subprocess.run(command, env=environment, **pipes, **options)
    return done.returncode, done.stderr


def test_systemd_hears_that_the_proxy_is_ready_reloads_and_stops(start, config, manager, notify):
    config.write({"orders": {}})
    proxy = start(config.flag, **notify)
    assert manager.hears() == ["READY=1"]
    with psycopg.connect(proxy.conninfo) as connection:
        before = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
        proxy.process.send_signal(signal.SIGHUP)
        state, clock = manager.hears()
        after = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
        assert state == "RELOADING=1"
        name, _, microseconds = clock.partition("=")
        assert name == "MONOTONIC_USEC" and before <= int(microseconds) <= after
        assert manager.hears() == ["READY=1"]
        proxy.process.send_signal(signal.SIGTERM)
        assert manager.hears() == ["STOPPING=1"], "while a session is open"
        assert proxy.process.poll() is None
        connection.execute("select 1")
    assert proxy.stop() == 0
    manager.heard_nothing_more()


def test_a_manager_without_a_file_hears_it_too(start):
    name = f"rdsign-test-{os.getpid()}"
    manager = Manager(f"\0{name}")
    with manager.socket:
        proxy = start(NOTIFY_SOCKET=f"@{name}")
        assert manager.hears() == ["READY=1"]
        proxy.stop()
        assert manager.hears() == ["STOPPING=1"]


def test_systemd_hears_the_end_of_a_reload_that_failed(start, config, manager, notify):
    config.write({"orders": {}})
    proxy = start(config.flag, **notify)
    assert manager.hears() == ["READY=1"]
    config.path.write_text("not TOML")
    proxy.process.send_signal(signal.SIGHUP)
    assert manager.hears()[0] == "RELOADING=1"
    assert manager.hears() == ["READY=1"]
    assert proxy.wait_for("not-reloaded")


def test_systemd_hears_nothing_of_a_proxy_that_cannot_listen(environment, manager, notify):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        status, error = refused(environment | notify, [], f"--listen=127.0.0.1:{port(taken)}")
    assert status == 1 and error.startswith("rdsign: cannot listen on 127.0.0.1:"), error
    manager.heard_nothing_more()


def test_a_manager_that_is_gone_is_no_problem(start, notify):
    proxy = start(**notify)
    assert proxy.can_connect()
    assert proxy.stop() == 0


@pytest.mark.parametrize("are_named", [False, True], ids=["without flags", "with flags"])
def test_it_serves_on_the_sockets_of_systemd(start, opened, psql, tmp_path, are_named):
    folder = tmp_path / "run"
    tcp, unix = opened("127.0.0.1"), opened(folder / NAME)
    flags = [f"--listen=127.0.0.1:{port(tcp)}", f"--socket={folder}"] if are_named else []
    proxy = start(*flags, sockets=[tcp, unix])
    wait_until(lambda: len(proxy.lines("listening")) == 2, "it listens on both")
    addresses = [line["address"] for line in proxy.lines("listening")]
    assert addresses == [f"127.0.0.1:{port(tcp)}", str(folder / NAME)]
    assert psql(f"host=127.0.0.1 port={port(tcp)} user=iam_user dbname=testdb").stdout == "iam_user\n"
    assert psql(f"host={folder} user=iam_user dbname=testdb").stdout == "iam_user\n"
    assert proxy.stop() == 0
    assert (folder / NAME).is_socket(), "systemd's socket stays"


def test_clients_that_came_before_the_proxy_are_served(start, opened, psql):
    tcp = opened("127.0.0.1")
    with socket.create_connection(tcp.getsockname()) as early:
        # The startup message of a client that asks whether there is TLS.
        early.sendall(bytes.fromhex("0000000804d2162f"))
        start(sockets=[tcp])
        early.settimeout(PATIENCE)
        assert early.recv(1) == b"N"


def test_each_endpoint_of_a_file_gets_its_socket_again_after_it_was_removed(start, config, opened, psql):
    first, second = opened("127.0.0.1"), opened("127.0.0.1")
    both = {name: {"listen": f"127.0.0.1:{port(tcp)}"} for name, tcp in [("a", first), ("b", second)]}
    config.write(both)
    proxy = start(config.flag, sockets=[first, second])
    for count, endpoints in enumerate(({"a": both["a"]}, both), 1):
        config.write(endpoints)
        proxy.process.send_signal(signal.SIGHUP)
        proxy.wait_for("reloaded", count)
        proxy.wait_for("not-listening")
    assert [line["endpoint"] for line in proxy.lines("listening")] == ["a", "b", "b"]
    [line] = proxy.lines("not-listening")
    assert (line["level"], line["endpoint"]) == ("warning", "b")
    assert line["message"].startswith("the socket of systemd stays open: clients wait until ")
    assert psql(f"host=127.0.0.1 port={port(second)} user=iam_user dbname=testdb").stdout == "iam_user\n"


@pytest.mark.parametrize(
    "name, kind, problem",
    [
        (None, socket.SOCK_DGRAM, "it does not listen for connections"),
        (NAME, socket.SOCK_DGRAM, "it does not listen for connections"),
        ("proxy.sock", socket.SOCK_STREAM, "it has another name than that of libpq's port 5432"),
    ],
    ids=["UDP", "datagrams", "another name"],
)
@pytest.mark.parametrize("flags", [[], ["--listen=127.0.0.1:0"]], ids=["without flags", "with flags"])
def test_another_kind_of_socket_is_refused(environment, opened, tmp_path, name, kind, problem, flags):
    wrong = opened(tmp_path / "run" / name if name else "127.0.0.1", kind)
    sockets = [opened("127.0.0.1"), wrong]
    expected = f"rdsign: a socket of systemd cannot be used: {problem}{ACCEPTED}"
    assert refused(environment, sockets, *flags) == (2, expected)


def can_have_a_network():
    if shutil.which("unshare") is None:
        return False
    return subprocess.run([*UNSHARE, "true"], capture_output=True).returncode == 0


@pytest.mark.skipif(not can_have_a_network(), reason="this machine lets nobody create network namespaces")
def test_an_address_that_other_machines_reach_is_refused(environment):
    # In a network of its own, where nobody reaches it.
    code = """
import socket, sys, activated
activated.run([socket.create_server(("0.0.0.0", 5432)).detach()], sys.argv[1:])
"""
    # The user of that network may not read the file of the local RDS.
    authorities = {"PGSSLROOTCERT": "system"}
    command = [*UNSHARE, sys.executable, "-c", code, RDSIGN, "proxy"]
    own = {"cwd": Path(activated.__file__).parent, "stdin": subprocess.DEVNULL, "timeout": PATIENCE}
    done = subprocess.run(command, env=environment | authorities, capture_output=True, text=True, **own)
    assert done.returncode == 2
    assert done.stderr.startswith("rdsign: listen: 0.0.0.0:5432 can be reached from other machines, "), done


def test_a_count_of_sockets_that_are_not_there_is_refused(environment, opened):
    status, error = refused(environment | {"LISTEN_FDS": "2"}, [opened("127.0.0.1")])
    assert status == 2
    assert error.startswith("rdsign: a socket of systemd cannot be used: Bad file descriptor"), error
    assert error.endswith(ACCEPTED)


@pytest.mark.parametrize(
    "more", [{"LISTEN_FDS": "0"}, {"LISTEN_PID": "1"}], ids=["no sockets", "another process"]
)
def test_only_sockets_for_this_process_count(environment, opened, more):
    tcp = opened("127.0.0.1")
    status, error = refused(environment | more, [tcp], f"--listen=127.0.0.1:{port(tcp)}")
    assert status == 1
    assert error.startswith(f"rdsign: cannot listen on 127.0.0.1:{port(tcp)}: "), error


def test_a_socket_on_which_no_endpoint_listens_is_refused(environment, opened, tmp_path):
    used, other, unix = opened("127.0.0.1"), opened("127.0.0.1"), opened(tmp_path / "run" / NAME)
    problem = "rdsign: a socket of systemd cannot be used: no endpoint listens on"
    error = f"{problem} 127.0.0.1:{port(other)}; accepted: no ListenStream\n"
    assert refused(environment, [other], "--listen=127.0.0.1:0") == (2, error)
    error = (
        f"{problem} 127.0.0.1:{port(other)} or {tmp_path}/run/{NAME}; "
        f"accepted: 127.0.0.1:{port(used)} or {tmp_path}/s/{NAME} as ListenStream\n"
    )
    flags = [f"--listen=127.0.0.1:{port(used)}", f"--socket={tmp_path}/s"]
    assert refused(environment, [used, other, unix], *flags) == (2, error)
