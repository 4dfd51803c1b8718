"""Servers, networks and clients that do not do what they should."""

import contextlib
import socket
import ssl
import struct
import subprocess
import threading

import psycopg
import pytest
from common import PATIENCE, wait_until
from harness import free_port

MESSAGE = struct.Struct("!I")
TERMINATE = b"X\0\0\0\x04"


def connect(proxy):
    connection = socket.create_connection(("127.0.0.1", proxy.port), timeout=PATIENCE)
    connection.settimeout(PATIENCE)
    return connection


def everything(connection):
    """Reads until the other side has hung up."""
    got = b""
    with contextlib.suppress(ConnectionResetError):
        while part := connection.recv(65536):
            got += part
    return got


def startup(**parameters):
    words = [word for item in parameters.items() for word in item]
    body = b"\0\x03\0\0" + b"".join(word.encode() + b"\0" for word in words) + b"\0"
    return MESSAGE.pack(4 + len(body)) + body


def hint_of(error):
    return str(error.value).partition("HINT:  ")[2]


class Relay:
    """A TCP relay to the local RDS, whose connections a test can break. If it `waits`, it connects to the server
    after `start`."""

    def __init__(self, port, waits=False):
        self.server = int(port)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.open = []
        if not waits:
            self.start()

    def start(self):
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        with contextlib.suppress(OSError):
            while True:
                client, _ = self.listener.accept()
                server = socket.create_connection(("127.0.0.1", self.server))
                self.open += [client, server]
                for pair in ((client, server), (server, client)):
                    threading.Thread(target=self.copy, args=pair, daemon=True).start()

    @staticmethod
    def copy(source, target):
        with contextlib.suppress(OSError):
            while part := source.recv(65536):
                target.sendall(part)
            target.shutdown(socket.SHUT_WR)

    def reset(self):
        """Breaks all connections, as a server does that dies."""
        for connection in self.open:
            linger = struct.pack("ii", 1, 0)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
            connection.close()
        self.open.clear()

    def close(self):
        self.reset()
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()


class Recorder:
    """A server that has TLS with its own certificate, asks for a password, and keeps what it gets."""

    def __init__(self, folder, names):
        self.certificate = folder / "certificate.pem"
        key = folder / "key.pem"
        make = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"]
        make += ["-nodes", "-days", "2", "-subj", "/CN=test", "-addext", f"subjectAltName=DNS:{names}"]
        make += ["-addext", "basicConstraints=critical,CA:FALSE"]
        make += ["-keyout", key, "-out", self.certificate]
        subprocess.run(make, check=True, capture_output=True)
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(self.certificate, key)
        self.plain, self.decrypted = b"", b""
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.thread = threading.Thread(target=self.serve)
        self.thread.start()

    def serve(self):
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self.listener.accept()
                with connection, contextlib.suppress(OSError):
                    self.plain += connection.recv(8)
                    connection.sendall(b"S")
                    with self.context.wrap_socket(connection, server_side=True) as inside:
                        self.decrypted += inside.recv(65536)
                        inside.sendall(b"R\0\0\0\x08\0\0\0\x03")
                        while part := inside.recv(65536):
                            self.decrypted += part
                            if b"\0" in part:
                                break

    def close(self):
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.thread.join()


@pytest.fixture
def recording(tmp_path):
    """Starts servers that record."""
    with contextlib.ExitStack() as stack:

        def start(names):
            folder = tmp_path / names
            folder.mkdir()
            recorder = Recorder(folder, names)
            stack.callback(recorder.close)
            return recorder

        yield start


def test_only_a_server_with_the_right_certificate_gets_a_token(local, start, recording):
    own = recording(local.host)
    proxy = start(f"--hostport={own.port}", f"--sslrootcert={own.certificate}")
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(proxy.conninfo)
    assert b"X-Amz-Signature" in own.decrypted, "this server must get a token, or the others show nothing"

    cases = [(recording("localhost"), "wrong-name", True), (recording(f"x.{local.host}"), "wrong-name", True)]
    cases.append((recording("other.example"), "unknown-issuer", False))
    for server, id, is_trusted in cases:
        trust = [f"--sslrootcert={server.certificate}"] if is_trusted else []
        proxy = start(f"--hostport={server.port}", *trust)
        with pytest.raises(psycopg.OperationalError, match="is not trusted, so no token was sent") as error:
            psycopg.connect(proxy.conninfo)
        assert hint_of(error).startswith(f"{id}: ")
        assert server.plain == b"\0\0\0\x08\x04\xd2\x16\x2f"
        assert server.decrypted == b""
        assert proxy.wait_for("refused")["id"] == id


def test_a_server_without_tls_gets_no_token(start, recorder):
    proxy = start(f"--hostport={recorder.port}")
    with pytest.raises(psycopg.OperationalError, match="has no TLS, and no token is sent") as error:
        psycopg.connect(proxy.conninfo)
    assert hint_of(error).startswith("no-tls: ")
    assert recorder.received == b"\0\0\0\x08\x04\xd2\x16\x2f"


def test_a_port_where_nothing_listens_is_said_to_the_client(start):
    proxy = start(f"--hostport={free_port()}")
    with pytest.raises(psycopg.OperationalError, match="refuses connections") as error:
        psycopg.connect(proxy.conninfo)
    assert hint_of(error).startswith("refused: `rdsign doctor` with the same flags")


def test_a_silent_server_ends_in_time(start):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        proxy = start(f"--hostport={silent.getsockname()[1]}", "--connect-timeout=1")
        with pytest.raises(psycopg.OperationalError, match="then stays silent") as error:
            psycopg.connect(proxy.conninfo)
        assert hint_of(error).startswith("tls-timeout: ")


def test_a_client_that_hangs_during_the_startup_is_hung_up_on(start):
    proxy = start("--startup-timeout=1")
    with connect(proxy) as silent, connect(proxy) as half:
        half.sendall(startup(user="iam_user")[:9])
        assert (everything(silent), everything(half)) == (b"", b"")
    assert proxy.wait_for("refused", 2)["message"] == "the client's first message does not come"


def test_startup_messages_that_postgresql_refuses_are_refused(proxy):
    longest = startup(user="iam_user", database="testdb", options="")
    fits = startup(user="iam_user", database="testdb", options=" " * (10_004 - len(longest)))
    with connect(proxy) as connection:
        connection.sendall(fits)
        assert connection.recv(1) == b"R"
    too_long = startup(user="iam_user", database="testdb", options=" " * 65_000)
    for message in (too_long, b"GET / HTTP/1.1\r\n\r\n", MESSAGE.pack(7) + b"\0\0\0\0"):
        with connect(proxy) as connection:
            with contextlib.suppress(OSError):  # the proxy may hang up before it has got everything
                connection.sendall(message)
                connection.shutdown(socket.SHUT_WR)
            assert everything(connection) == b""
    assert proxy.wait_for("refused", 3)["message"] == "invalid length of startup packet"


def test_the_server_answers_protocols_that_the_proxy_does_not_know(proxy):
    with connect(proxy) as connection:
        connection.sendall(MESSAGE.pack(9) + b"\0\x09\0\0\0")
        assert b"unsupported frontend protocol 9.0" in everything(connection)


def test_a_newer_minor_version_is_negotiated_with_the_server(proxy):
    with connect(proxy) as connection:
        message = bytearray(startup(user="iam_user", database="testdb"))
        message[6:8] = b"\x27\x0f"
        connection.sendall(message)
        assert connection.recv(1) == b"v", "every PostgreSQL answers 3.9999 with NegotiateProtocolVersion"
        connection.sendall(b"X\0\0\0\x04")
        assert b"Z\0\0\0\x05I" in everything(connection)


def test_a_session_that_the_server_ends_frees_its_place_and_shows_the_server_s_error(local, start):
    proxy = start("--max-connections=1")
    with psycopg.connect(proxy.conninfo, autocommit=True) as connection:
        assert not proxy.can_connect()
        local.as_postgres(f"select pg_terminate_backend({connection.info.backend_pid})")
        # The client does not know it yet, as one that waits in a pool.
        wait_until(proxy.can_connect, "the place is free")
        with pytest.raises(psycopg.errors.AdminShutdown):
            connection.execute("select 1")


def test_a_server_that_dies_ends_its_sessions_and_not_the_proxy(local, start):
    relay = Relay(local.port)
    proxy = start(f"--hostport={relay.port}")
    with psycopg.connect(proxy.conninfo, autocommit=True) as connection:
        relay.reset()
        with pytest.raises(psycopg.OperationalError):
            connection.execute("select 1")
    proxy.wait_for("closed")
    psycopg.connect(proxy.conninfo).close()
    proxy.wait_for("closed", 2)
    relay.close()


def test_clients_that_hang_up_while_they_wait_take_no_turn(local, start):
    relay = Relay(local.port)
    proxy = start(f"--hostport={relay.port}", "--max-logins-per-second=1")
    message = startup(user="iam_user", database="testdb")
    with psycopg.connect(proxy.conninfo), contextlib.ExitStack() as waiting:
        # The last of them has its turn in three seconds.
        for _ in range(3):
            waiting.enter_context(connect(proxy)).sendall(message)
        for more in [b""] * 4 + [TERMINATE]:
            with connect(proxy) as client:
                client.sendall(message + more)
        line = proxy.wait_for("refused", 5)
        assert line["message"].startswith("the client hung up during the login: ")
        assert proxy.can_connect()
        assert len(relay.open) == 2 * 5, "nobody logged in for those who hung up"
    relay.close()


def test_what_a_client_sends_while_it_waits_arrives_after_its_login(start):
    proxy = start("--max-logins-per-second=1")
    with psycopg.connect(proxy.conninfo), connect(proxy) as client:
        query = b"select 6 * 7\0"
        messages = startup(user="iam_user", database="testdb") + b"Q" + MESSAGE.pack(4 + len(query)) + query
        client.sendall(messages + TERMINATE)
        assert b"\0\x0242C" in everything(client)


def test_a_client_that_vanishes_ends_its_session_at_the_server(local, proxy):
    connection = psycopg.connect(proxy.conninfo, autocommit=True)
    pid = connection.info.backend_pid
    with socket.socket(fileno=connection.fileno()) as raw:
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    proxy.wait_for("closed")
    sql = f"select count(*) from pg_stat_activity where pid = {pid}"
    wait_until(lambda: local.as_postgres(sql) == ["0"], "the server's session ends")
