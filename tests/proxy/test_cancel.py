"""Requests to cancel a query through the proxy."""

import contextlib
import resource
import struct
import threading

import psycopg
import pytest
from common import PATIENCE, wait_until
from test_config import reload
from test_faults import Recorder, connect, everything, startup

BUSY = "select count(*) from pg_stat_activity where query = 'select pg_sleep(600)' and state = 'active'"


class Sleeper:
    """A session whose query runs until it is cancelled."""

    def __init__(self, conninfo, local):
        self.connection = psycopg.connect(conninfo, autocommit=True)
        self.error = None
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()
        wait_until(lambda: local.as_postgres(BUSY) == ["1"], "the query runs")

    def _run(self):
        try:
            self.connection.execute("select pg_sleep(600)")
        except psycopg.Error as error:
            self.error = error

    def cancel(self):
        self.connection.cancel()
        self.thread.join(PATIENCE)
        assert isinstance(self.error, psycopg.errors.QueryCanceled)


def test_a_running_query_is_cancelled_and_its_session_goes_on(local, proxy):
    sleeper = Sleeper(proxy.conninfo, local)
    sleeper.cancel()
    assert sleeper.connection.execute("select 1").fetchone() == (1,)
    assert proxy.wait_for("cancel")["level"] == "info"
    sleeper.connection.close()


def test_a_cancel_is_possible_when_the_proxy_is_full(local, start):
    proxy = start("--max-connections=1")
    sleeper = Sleeper(proxy.conninfo, local)
    with pytest.raises(psycopg.OperationalError, match="too many clients already: --max-connections is 1"):
        psycopg.connect(proxy.conninfo)
    sleeper.cancel()
    sleeper.connection.close()
    proxy.wait_for("closed")
    wait_until(proxy.can_connect, "the place is free again")


def test_a_cancel_is_possible_while_others_wait_at_a_full_proxy(local, start, config):
    config.write({"orders": {}}, max_connections=1)
    proxy = start(config.flag)
    _, hard = resource.prlimit(proxy.process.pid, resource.RLIMIT_NOFILE)
    resource.prlimit(proxy.process.pid, resource.RLIMIT_NOFILE, (64, hard))
    reload(proxy)
    sleeper = Sleeper(proxy.conninfo, local)
    with contextlib.ExitStack() as stack:
        for _ in range(98):
            stack.enter_context(connect(proxy))
        sleeper.cancel()
    sleeper.connection.close()
    assert proxy.lines("accept") == [], "there are files enough"


def test_a_key_of_no_session_cancels_nothing(local, proxy):
    with psycopg.connect(proxy.conninfo, autocommit=True) as connection:
        other = connection.pgconn.get_cancel()
    proxy.wait_for("closed")
    sleeper = Sleeper(proxy.conninfo, local)
    other.cancel()
    line = proxy.wait_for("cancel")
    assert line["message"] == "no open session has this key"
    assert local.as_postgres(BUSY) == ["1"]
    sleeper.cancel()
    sleeper.connection.close()


CANCEL = b"\x04\xd2\x16\x2e"
PID = b"\0\0\0\7"
READY = b"Z\0\0\0\5I"


class KeyServer(Recorder):
    """A server that lets everybody in, gives this key, and keeps the requests to cancel."""

    def __init__(self, folder, name, key):
        self.key, self.requests = key, []
        super().__init__(folder, name)

    def serve(self):
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self.listener.accept()
                threading.Thread(target=self.answer, args=(connection,), daemon=True).start()

    def answer(self, connection):
        with connection, contextlib.suppress(OSError):
            connection.recv(8)
            connection.sendall(b"S")
            with self.context.wrap_socket(connection, server_side=True) as inside:
                first = inside.recv(65536)
                if first[4:8] == CANCEL:
                    self.requests.append(first)
                    return
                key = b"K" + struct.pack("!I", 8 + len(self.key)) + PID + self.key
                inside.sendall(b"R\0\0\0\x08\0\0\0\0" + key + READY)
                inside.recv(65536)


@pytest.fixture
def key_server(local, tmp_path):
    """Starts a server with a key of this length."""
    with contextlib.ExitStack() as stack:

        def start(length):
            server = KeyServer(tmp_path, local.host, bytes(number % 256 for number in range(length)))
            stack.callback(server.close)
            return server

        yield start


@pytest.mark.parametrize("length", [4, 32, 256])
def test_a_key_of_each_length_of_the_protocol_reaches_the_client_and_cancels(start, key_server, length):
    server = key_server(length)
    proxy = start(f"--hostport={server.port}", f"--sslrootcert={server.certificate}")
    with connect(proxy) as session, session.makefile("rb") as file:
        session.sendall(startup(user="iam_user"))
        expected = b"K" + struct.pack("!I", 8 + length) + PID + server.key + READY
        assert file.read(9 + len(expected))[9:] == expected
        request = struct.pack("!I", 12 + length) + CANCEL + PID + server.key
        with connect(proxy) as other:
            other.sendall(request)
            assert everything(other) == b""
    assert server.requests == [request]
    assert proxy.wait_for("cancel")["level"] == "info"


def test_a_client_of_protocol_3_2_cancels_with_the_key_of_its_server(local, proxy):
    # Before PostgreSQL 18, the server negotiates 3.0. `make test-versions` runs this with 18.
    is_longer = int(local.as_postgres("show server_version_num")[0]) >= 180000
    message = bytearray(startup(user="iam_user", database="testdb"))
    message[4:8] = b"\0\3\0\2"
    with connect(proxy) as session, session.makefile("rb") as file:

        def read_to(last):
            found = {}
            while last not in found:
                kind, length = struct.unpack("!cI", file.read(5))
                found[kind] = file.read(length - 4)
            return found

        session.sendall(message)
        first = read_to(b"Z")
        key = first[b"K"]
        assert (len(key), b"v" in first) == ((4 + 32, False) if is_longer else (4 + 4, True))
        query = b"select pg_sleep(600)\0"
        session.sendall(b"Q" + struct.pack("!I", 4 + len(query)) + query)
        wait_until(lambda: local.as_postgres(BUSY) == ["1"], "the query runs")
        with connect(proxy) as other:
            other.sendall(struct.pack("!I", 8 + len(key)) + CANCEL + key)
            assert everything(other) == b""
        assert b"C57014\0" in read_to(b"Z")[b"E"]
        session.sendall(b"X\0\0\0\4")
    assert proxy.wait_for("cancel")["level"] == "info"


def test_a_key_that_is_too_long_is_refused(start, key_server):
    server = key_server(257)
    proxy = start(f"--hostport={server.port}", f"--sslrootcert={server.certificate}")
    with connect(proxy) as session:
        session.sendall(startup(user="iam_user"))
        answer = everything(session)
    problem = "the server sent a key to cancel queries of more than 256 bytes"
    assert problem.encode() in answer and READY not in answer
    line = proxy.wait_for("refused")
    assert (line["message"], line["id"]) == (problem, "login-broken")
