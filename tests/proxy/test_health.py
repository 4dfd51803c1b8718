"""What a proxy answers to those who watch it: probes of Kubernetes, and Prometheus."""

import contextlib
import re
import signal
import socket
import urllib.error
import urllib.request

import psycopg
import pytest
from common import PATIENCE, wait_until
from harness import free_port
from test_faults import Relay, connect, startup


class Watched:
    """A proxy with --health."""

    def __init__(self, proxy):
        self.proxy = proxy
        self.address = proxy.wait_for("health")["address"]

    def get(self, path, method="GET"):
        """Returns the status and the text of an answer."""
        request = urllib.request.Request(f"http://{self.address}{path}", method=method)
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as answer:
            with answer:
                return answer.code, answer.read().decode()

    def metrics(self):
        """Returns the values by their names with labels. Every line must be one that Prometheus reads."""
        status, text = self.get("/metrics")
        assert status == 200
        values, typed = {}, set()
        for line in text.splitlines():
            if line.startswith("# TYPE "):
                typed.add(line.split()[2])
            if not line.startswith("#"):
                name, labels, value = re.fullmatch(
                    r'(\w+)(\{\w+="[^"]*"(?:,\w+="[^"]*")*\})? ([0-9.]+)', line
                ).groups()
                assert name in typed or re.sub("_(bucket|sum|count)$", "", name) in typed
                values[name.removeprefix("rdsign_proxy_") + (labels or "")] = float(value)
        return values


@pytest.fixture
def watch(start):
    def watch(*flags, **more):
        return Watched(start("--health=127.0.0.1:0", *flags, **more))

    return watch


def test_it_is_ready_only_after_a_login_which_it_makes_itself(watch):
    watched = watch()
    assert watched.get("/startup") == (200, "started\n")
    assert watched.get("/liveness") == (200, "alive\n")
    assert "logins_total" not in "".join(watched.metrics())
    assert watched.get("/readiness") == (200, "ready\n")
    assert watched.metrics()['logins_total{outcome="ok",id=""}'] == 1
    assert watched.get("/readiness") == (200, "ready\n")
    assert watched.metrics()['logins_total{outcome="ok",id=""}'] == 1, "the last login is new enough"


def test_a_client_s_login_makes_it_ready(watch):
    watched = watch("--health-database=nonexistent")
    psycopg.connect(watched.proxy.conninfo).close()
    assert watched.get("/readiness") == (200, "ready\n")
    assert watched.proxy.lines("not-ready") == []


def test_a_login_of_before_a_sleep_makes_it_ready_no_more(watch, clock):
    watched = watch("--max-login-age=60", **clock.environment)
    assert watched.get("/readiness") == (200, "ready\n")
    clock.jump(61)
    assert watched.get("/readiness") == (200, "ready\n")
    assert watched.metrics()['logins_total{outcome="ok",id=""}'] == 2


@pytest.mark.parametrize(
    "flags, variables, why, outcome",
    [
        (["--hostaddr=127.0.0.1", "--hostport={free}"], {}, "refused", 'outcome="refused",id="refused"'),
        (
            [],
            {"AWS_SECRET_ACCESS_KEY": "wrong"},
            "token-refused",
            'outcome="refused-by-server",id="token-refused"',
        ),
        (
            [],
            {"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""},
            "CREDENTIALS_NOT_FOUND",
            'outcome="refused",id="CREDENTIALS_NOT_FOUND"',
        ),
        (
            ["--health-database=nonexistent"],
            {},
            "no-such-database",
            'outcome="refused-by-server",id="no-such-database"',
        ),
    ],
)
def test_it_is_alive_but_not_ready_if_logins_fail(watch, flags, variables, why, outcome):
    flags = [flag.format(free=free_port()) for flag in flags]
    watched = watch(*flags, **variables)
    assert watched.get("/readiness") == (503, f"not ready: {why}\n")
    assert watched.get("/liveness") == (200, "alive\n")
    assert watched.metrics()[f"logins_total{{{outcome}}}"] == 1
    line = watched.proxy.wait_for("not-ready")
    assert line["level"] == "warning" and line["user"] == "iam_user" and line["message"]


def test_it_is_alive_while_many_wait_for_a_login(watch):
    with contextlib.ExitStack() as stack:
        silent = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        watched = watch(f"--hostport={silent.getsockname()[1]}", "--connect-timeout=600")
        host, port = watched.address.split(":")
        for _ in range(40):
            waiting = stack.enter_context(socket.create_connection((host, int(port)), timeout=PATIENCE))
            waiting.sendall(b"GET /readiness HTTP/1.1\r\n\r\n")
        assert watched.get("/liveness") == (200, "alive\n")
        assert watched.get("/readiness") == (503, "not ready: login-pending\n")


def test_it_is_alive_while_many_connections_are_silent(watch):
    watched = watch()
    host, port = watched.address.split(":")
    with contextlib.ExitStack() as stack:
        silent = [
            stack.enter_context(socket.create_connection((host, int(port)), timeout=PATIENCE))
            for _ in range(64)
        ]
        assert watched.get("/liveness") == (200, "alive\n")
        assert silent[0].recv(1) == b"", "the oldest has made place"
        silent[-1].sendall(b"GET /liveness HTTP/1.1\r\n\r\n")
        assert silent[-1].recv(65536).startswith(b"HTTP/1.1 200 OK\r\n"), "the newest has time left"


def test_silent_connections_end_no_request_that_waits(watch):
    with contextlib.ExitStack() as stack:
        silent = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        watched = watch(f"--hostport={silent.getsockname()[1]}", "--connect-timeout=600")
        host, port = watched.address.split(":")

        def connection():
            return stack.enter_context(socket.create_connection((host, int(port)), timeout=PATIENCE))

        waiting = connection()
        waiting.sendall(b"GET /readiness HTTP/1.1\r\n\r\n")
        stack.enter_context(silent.accept()[0])
        for _ in range(64):
            connection()
        assert watched.get("/liveness") == (200, "alive\n")
        waiting.setblocking(False)
        with pytest.raises(BlockingIOError):
            waiting.recv(1)


def test_it_is_not_ready_while_it_stops(watch):
    watched = watch()
    with psycopg.connect(watched.proxy.conninfo):
        assert watched.get("/readiness") == (200, "ready\n")
        watched.proxy.process.send_signal(signal.SIGTERM)
        watched.proxy.wait_for("stopping")
        assert watched.get("/readiness") == (503, "not ready: stopping\n")
        assert watched.get("/liveness") == (200, "alive\n")
    assert watched.proxy.process.wait(PATIENCE) == 0


def test_the_metrics_count_what_happens(watch, psql):
    watched = watch()
    with psycopg.connect(watched.proxy.conninfo) as connection:
        connection.execute("select repeat('x', 100000)")
        open_now = watched.metrics()
        assert open_now["connections"] == 1
        assert open_now['bytes_total{direction="to_client"}'] > 100_000, "while the session is open"
    refused = psql(watched.proxy.conninfo.replace("iam_user", "someone"))
    assert refused.returncode != 0
    wait_until(lambda: watched.metrics()["connections"] == 0, "the connections end")
    values = watched.metrics()
    assert values["connections_total"] == 2
    assert values['logins_total{outcome="ok",id=""}'] == 1
    assert values['logins_total{outcome="refused",id=""}'] == 1
    assert values["login_seconds_count"] == values['login_seconds_bucket{le="+Inf"}'] == 1
    assert values["login_seconds_sum"] > 0
    assert 0 < values['bytes_total{direction="to_server"}'] < 10_000


def test_a_client_that_hangs_up_during_its_login_counts_as_gone(watch, local):
    relay = Relay(local.port, waits=True)
    watched = watch(f"--hostport={relay.port}")
    with connect(watched.proxy) as client:
        client.sendall(startup(user="iam_user", database="testdb"))
    relay.start()
    line = watched.proxy.wait_for("refused")
    assert line["message"].startswith("the client hung up during the login: ") and "id" not in line
    assert watched.metrics()['logins_total{outcome="client-gone",id=""}'] == 1
    relay.close()


def test_the_metrics_count_failed_fetches_of_credentials(watch, psql):
    watched = watch(AWS_ACCESS_KEY_ID="", AWS_SECRET_ACCESS_KEY="")
    assert psql(watched.proxy.conninfo).returncode != 0
    assert watched.metrics()['credentials_total{event="fetch-failed"}'] == 1


def test_no_answer_names_the_server_or_a_user(watch, local, psql):
    watched = watch()
    for user in ("iam_user", "someone"):
        psql(watched.proxy.conninfo.replace("iam_user", user))
    answers = [watched.get(path)[1] for path in ("/startup", "/liveness", "/readiness", "/metrics")]
    for secret in ("iam_user", "someone", "testdb", local.exports["PGHOST"]):
        assert secret not in "".join(answers)


def test_other_requests_are_answered_and_harm_nothing(watch):
    watched = watch()
    assert watched.get("/") == (404, "accepted: /startup, /liveness, /readiness, /metrics\n")
    assert watched.get("/liveness?verbose") == (200, "alive\n")
    assert watched.get("/liveness", "POST") == (405, "accepted: GET, HEAD\n")
    host, port = watched.address.split(":")
    with socket.create_connection((host, int(port)), timeout=PATIENCE) as connection:
        connection.sendall(b"HEAD /liveness HTTP/1.1\r\n\r\n")
        got = b"".join(iter(lambda: connection.recv(65536), b""))
        assert got.startswith(b"HTTP/1.1 200 OK\r\n") and got.endswith(b"\r\n\r\n")
    for request in (b"\x16\x03\x01\0\0", b"GET /liveness HTTP/1.1\r\nx: " + b"x" * 9_000):
        with socket.create_connection((host, int(port)), timeout=PATIENCE) as connection:
            connection.sendall(request)
            assert connection.recv(65536).startswith(b"HTTP/1.1 400 Bad Request\r\n")
    assert watched.get("/liveness") == (200, "alive\n")
