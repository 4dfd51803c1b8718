"""TLS between clients and the proxy."""

import contextlib
import os
import socket
import ssl
import struct
import threading

import psycopg
import pytest
from common import PATIENCE, wait_until

SSL_REQUEST = struct.pack("!II", 8, 80877103)
GSSENC_REQUEST = struct.pack("!II", 8, 80877104)
STARTUP = b"\0\x03\0\0user\0iam_user\0database\0testdb\0\0"
STARTUP = struct.pack("!I", 4 + len(STARTUP)) + STARTUP
SLEEPS = "select count(*) from pg_stat_activity where query = 'select pg_sleep(601)' and state = 'active'"


def connect(proxy):
    connection = socket.create_connection(("127.0.0.1", proxy.port), timeout=PATIENCE)
    connection.settimeout(PATIENCE)
    return connection


def context(certificate, *protocols):
    context = ssl.create_default_context(cafile=certificate.cert)
    if protocols:
        context.set_alpn_protocols(protocols)
    return context


def is_closed(connection):
    try:
        return connection.recv(1) == b""
    except ConnectionResetError:
        return True


@pytest.fixture
def proxy(start, certificate):
    return start(*certificate.flags)


def test_psql_verifies_the_certificate_of_the_proxy(proxy, certificate, psql):
    assert psql(f"{proxy.conninfo} {certificate.verified}").stdout == "iam_user\n"
    done = psql(f"{proxy.conninfo} sslmode=verify-full sslrootcert=/etc/ssl/certs/ca-certificates.crt")
    assert done.returncode == 2 and "certificate verify failed" in done.stderr
    assert proxy.wait_for("refused")["message"].endswith("received fatal alert: UnknownCA")


def test_on_loopback_tls_is_the_client_s_choice(proxy):
    for mode, has_tls in [("disable", False), ("prefer", True), ("require", True)]:
        with psycopg.connect(f"{proxy.conninfo} sslmode={mode}") as connection:
            assert connection.pgconn.ssl_in_use == has_tls, mode


def test_a_unix_socket_has_no_tls(start, certificate, tmp_path):
    start(*certificate.flags, f"--socket={tmp_path}/s")
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(PATIENCE)
        connection.connect(f"{tmp_path}/s/.s.PGSQL.5432")
        connection.sendall(SSL_REQUEST)
        assert connection.recv(1) == b"N"
        connection.sendall(STARTUP)
        assert connection.recv(1) == b"R"


@pytest.mark.skipif(psycopg.pq.version() < 170000, reason="libpq has direct TLS since 17")
def test_libpq_starts_with_tls_at_once(proxy, certificate):
    with psycopg.connect(f"{proxy.conninfo} {certificate.verified} sslnegotiation=direct") as connection:
        assert connection.pgconn.ssl_in_use
        assert connection.execute("select current_user").fetchone() == ("iam_user",)


def test_direct_tls_needs_the_name_of_the_protocol(proxy, certificate):
    with (
        connect(proxy) as plain,
        context(certificate, "postgresql").wrap_socket(plain, server_hostname="localhost") as connection,
    ):
        assert connection.selected_alpn_protocol() == "postgresql"
        connection.sendall(STARTUP)
        assert connection.recv(1) == b"R"
    with (
        connect(proxy) as plain,
        context(certificate).wrap_socket(plain, server_hostname="localhost") as connection,
    ):
        with contextlib.suppress(OSError):
            connection.sendall(STARTUP)
        assert is_closed(connection)
    message = proxy.wait_for("refused")["message"]
    assert message == "direct TLS without the ALPN protocol postgresql"
    with connect(proxy) as plain, pytest.raises(ssl.SSLError):
        context(certificate, "http/1.1").wrap_socket(plain, server_hostname="localhost")


def test_after_a_request_for_tls_no_protocol_must_be_named(proxy, certificate):
    with connect(proxy) as plain:
        plain.sendall(GSSENC_REQUEST)
        assert plain.recv(1) == b"N"
        plain.sendall(SSL_REQUEST)
        assert plain.recv(1) == b"S"
        with context(certificate).wrap_socket(plain, server_hostname="localhost") as connection:
            connection.sendall(STARTUP)
            assert connection.recv(1) == b"R"


def test_encryption_cannot_be_asked_for_inside_of_tls(proxy, certificate):
    for request in (SSL_REQUEST, GSSENC_REQUEST):
        with (
            connect(proxy) as plain,
            context(certificate, "postgresql").wrap_socket(plain, server_hostname="localhost") as connection,
        ):
            connection.sendall(request)
            assert is_closed(connection)
    assert proxy.wait_for("refused", 2)["message"] == "encryption is requested twice"


def test_bytes_before_the_handshake_are_not_part_of_the_session(proxy, certificate):
    with connect(proxy) as plain:
        plain.sendall(SSL_REQUEST + STARTUP)
        assert plain.recv(1) == b"S"
        with pytest.raises(OSError):
            context(certificate).wrap_socket(plain, server_hostname="localhost")
    assert proxy.wait_for("refused")["message"].startswith("the TLS handshake failed: ")
    assert not proxy.lines("login")


def test_a_client_that_hangs_during_the_handshake_is_hung_up_on(start, certificate):
    proxy = start(*certificate.flags, "--startup-timeout=1")
    with connect(proxy) as asked, connect(proxy) as direct:
        asked.sendall(SSL_REQUEST)
        assert asked.recv(1) == b"S"
        direct.sendall(b"\x16\x03\x01\x02")
        assert is_closed(asked) and is_closed(direct)
    proxy.wait_for("refused", 2)


def test_a_query_is_cancelled_over_tls(local, proxy, certificate):
    ended = []

    def run():
        with pytest.raises(psycopg.errors.QueryCanceled) as error:
            connection.execute("select pg_sleep(601)")
        ended.append(error.value)

    conninfo = f"{proxy.conninfo} {certificate.verified}"
    with psycopg.connect(conninfo, autocommit=True) as connection:
        thread = threading.Thread(target=run)
        thread.start()
        wait_until(lambda: local.as_postgres(SLEEPS) == ["1"], "the query runs")
        # Since 17, libpq uses TLS for it; before, it never does.
        connection.cancel_safe(timeout=PATIENCE)
        thread.join(PATIENCE)
        assert len(ended) == 1
    assert proxy.wait_for("cancel")["level"] == "info"


def test_the_log_says_that_a_client_was_cut_off(proxy, certificate):
    with psycopg.connect(f"{proxy.conninfo} {certificate.verified}") as connection:
        with socket.socket(fileno=os.dup(connection.fileno())) as cut:
            cut.shutdown(socket.SHUT_RDWR)
        assert proxy.wait_for("closed")["message"] == "cut off without the end of TLS"


def test_megabytes_pass_through_both_sides_of_tls(proxy, certificate):
    with psycopg.connect(f"{proxy.conninfo} {certificate.verified}") as connection:
        sql = "select repeat('x', 20000000), length(%s)"
        text, length = connection.execute(sql, ["y" * 10_000_000]).fetchone()
        assert (len(text), length) == (20_000_000, 10_000_000)


def test_a_new_certificate_is_used_without_a_restart(proxy, certificate, psql):
    conninfo = f"{proxy.conninfo} {certificate.verified}"
    assert psql(conninfo).stdout == "iam_user\n"
    certificate.make()
    assert psql(conninfo).stdout == "iam_user\n"
    assert proxy.wait_for("files")["message"] == f"{certificate.cert} and {certificate.key} were read again"

    good = certificate.key.read_bytes()
    certificate.key.write_bytes(good[:50])
    assert psql(conninfo).stdout == "iam_user\n"
    line = proxy.wait_for("files", 2)
    assert line["level"] == "warning"
    assert line["message"].startswith(f"tls key: {certificate.key} has no private key that can be read; ")
    assert line["message"].endswith("; what was read before stays in use")
    assert psql(conninfo).stdout == "iam_user\n"
    proxy.wait_for("login", 4)
    assert len(proxy.lines("files")) == 2


@pytest.mark.parametrize(
    "begin, end, problem",
    [
        ("20200101000000Z", "20210101000000Z", "expired at 2021-01-01T00:00:00Z"),
        (
            "20900101000000Z",
            "20910101000000Z",
            "is not valid before 2090-01-01T00:00:00Z, and expires at 2091-01-01T00:00:00Z",
        ),
    ],
    ids=["expired", "not yet valid"],
)
def test_a_certificate_that_is_not_valid_now_is_used_with_a_warning(
    start, certificate, psql, begin, end, problem
):
    certificate.make_valid(begin, end)
    proxy = start(*certificate.flags)
    warning = (
        f"tls cert: {certificate.cert} has a certificate that {problem}; clients that verify it refuse it"
    )
    again = f"{certificate.cert} and {certificate.key} were read again"
    for _ in range(2):
        assert psql(f"{proxy.conninfo} sslmode=require").stdout == "iam_user\n"
    certificate.make()
    assert psql(f"{proxy.conninfo} {certificate.verified}").stdout == "iam_user\n"
    certificate.make_valid(begin, end)
    assert psql(f"{proxy.conninfo} sslmode=require").stdout == "iam_user\n"
    proxy.wait_for("files", 4)
    lines = [(line["level"], line["message"]) for line in proxy.lines("files")]
    assert lines == [("warning", warning), ("info", again), ("warning", warning), ("info", again)]
