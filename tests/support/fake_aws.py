"""A fake AWS on 127.0.0.1, with every service that hands out credentials on one port.

It serves IMDSv2, the endpoint of ECS and EKS containers, the portal and the token service of IAM
Identity Center (SSO), AWS Sign-In, and STS, whose requests it can forward to another server, such as
moto. A test can make each route slow, hang, return any answer, or hand out expired or changing keys;
faults.py has a plan of faults for all routes. Every request is recorded. The fake checks no signatures; moto does.

In a test: `FakeAws()`, and `close()` at the end. For programs in other languages:

    python fake_aws.py

prints the URL as its only line and serves until its standard input ends. There, `PUT
/fake/ROUTE` with a JSON object sets the attributes of a route or, with "status", "body", "hold"
or "delay", how it answers; `GET /fake/ROUTE` returns its requests and the keys it handed out.
"""

import base64
import contextlib
import http.client
import itertools
import json
import secrets
import select
import socket
import ssl
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit
from xml.etree import ElementTree
from xml.sax.saxutils import escape

from common import PATIENCE

ROLE_NAME = "a-role-of-the-tests"
# The minimum lengths that STS requires.
STS_LEAST = {"RoleArn": 20, "RoleSessionName": 2, "ExternalId": 2, "WebIdentityToken": 4}
STS_NAMESPACE = "https://sts.amazonaws.com/doc/2011-06-15/"

_serial = itertools.count(1)
_secrets: set[str] = set()


def new_secret(length: int = 30) -> str:
    """Makes a secret with the characters of real ones. No output may ever show it."""
    text = base64.b64encode(secrets.token_bytes(length)).decode()
    # Always includes characters that are escaped in a token, so that every run tests the escaping.
    secret = text[:4] + "/+" + text[6:]
    keep_secret(secret)
    return secret


def keep_secret(*texts: str) -> None:
    """Adds texts made elsewhere to the known secrets."""
    _secrets.update(texts)


def known_secrets() -> frozenset[str]:
    """Returns every secret so far."""
    return frozenset(_secrets)


class NewSecrets:
    """The secrets that are made from now on."""

    def __init__(self) -> None:
        self._others = known_secrets()

    def __iter__(self) -> Iterator[str]:
        return iter(known_secrets() - self._others)


@dataclass(frozen=True)
class Keys:
    """The keys that a source hands out. The expiry has no fraction of a second, like AWS's."""

    access_key_id: str
    secret_access_key: str = field(repr=False)
    session_token: str | None = field(default=None, repr=False)
    expires_at: datetime | None = None

    @property
    def expiration(self) -> str:
        """The expiry in AWS's format, or an empty text."""
        return self.expires_at.strftime("%Y-%m-%dT%H:%M:%SZ") if self.expires_at else ""


class Now:
    """The time at which keys are made. A test can stop it, so that keys made one after the other expire
    at the same time, or put it ahead of the real time."""

    def __init__(self) -> None:
        self._set: datetime | None = None
        self.ahead = timedelta()

    def __call__(self) -> datetime:
        return self._set or (datetime.now(timezone.utc) + self.ahead).replace(microsecond=0)

    @property
    def is_stopped(self) -> bool:
        return self._set is not None

    @contextlib.contextmanager
    def stopped(self):
        """Stops the time, and yields it."""
        self._set = self()
        try:
            yield self._set
        finally:
            self._set = None


now = Now()


def temporary_keys(source: str, lifetime: float = 3600) -> Keys:
    """Makes keys with a session token that expire `lifetime` seconds from now."""
    end = now() + timedelta(seconds=lifetime)
    key_id = f"ASIA{source.upper():A<8.8}{next(_serial):08}"
    return Keys(key_id, new_secret(), new_secret(300), end)


def long_lived_keys(source: str = "user") -> Keys:
    """Makes keys without a session token and without an expiry."""
    return Keys(f"AKIA{source.upper():A<8.8}{next(_serial):08}", new_secret())


def keys_file(name: str, keys: Keys) -> str:
    """Returns a section of a credentials file."""
    lines = [f"[{name}]", f"aws_access_key_id = {keys.access_key_id}"]
    lines.append(f"aws_secret_access_key = {keys.secret_access_key}")
    if keys.session_token:
        lines.append(f"aws_session_token = {keys.session_token}")
    return "\n".join([*lines, ""])


@dataclass
class Answer:
    """An answer to send instead of the route's own. A body of None keeps the route's own body, which
    `change` may change. `lifetime` is that of the keys in it. `is_cut` sends half of the body and closes
    the connection; `is_closed` closes it without an answer. `send` gets the handler of the connection and
    a function that writes the answer to its `wfile`, and decides what is sent."""

    status: int = 200
    body: str | None = None
    delay: float = 0
    hold: bool = False
    sleep: Callable[[float], None] = time.sleep
    headers: dict[str, str] = field(default_factory=dict)
    change: Callable[[str], str] | None = None
    lifetime: float | None = None
    is_cut: bool = False
    is_closed: bool = False
    send: Callable[["_Handler", Callable[[], None]], None] | None = None


@dataclass(frozen=True)
class Request:
    """A recorded request."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: str
    connection: int  # a number, which no other connection has

    @property
    def form(self) -> dict[str, str]:
        """The parameters of a body that is a form."""
        return dict(parse_qsl(self.body, keep_blank_values=True))

    @property
    def signed_by(self) -> str | None:
        """The access key ID that signed the request."""
        _, found, rest = self.headers.get("authorization", "").partition("Credential=")
        return rest.split("/")[0] if found else None


class Route:
    """One endpoint: its requests, the keys it handed out, and its answer."""

    def __init__(self, name: str):
        self.name = name
        self.requests: list[Request] = []
        self.handed_out: list[Keys] = []
        self.lifetime = 3600.0
        self.next_lifetime: float | None = None
        self.rotating = True
        self.answer: Answer | None = None
        self.next_answers: deque[Answer] = deque()
        # Chooses the answer to each request, unless one is set.
        self.plan: Callable[[Route], Answer] | None = None
        self.held = 0
        self.given_up = 0
        self._released = threading.Event()
        self._changed = threading.Condition()

    def respond(self, status: int = 200, body: str | None = None, **headers: str) -> None:
        """Sends this answer from now on."""
        self.answer = Answer(status, body, headers=headers)

    def delay(self, seconds: float, sleep: Callable[[float], None] = time.sleep) -> None:
        """Delays its own answer from now on, by calling `sleep`."""
        self.answer = Answer(delay=seconds, sleep=sleep)

    def hold(self, requests: int | None = None) -> None:
        """Holds the next requests, or all of them, until `release` or until the clients give up."""
        self._released.clear()
        if requests is None:
            self.answer = Answer(hold=True)
        else:
            self.next_answers.extend([Answer(hold=True)] * requests)

    def release(self) -> None:
        """Sends its own answer to the held and to all further requests."""
        self.answer = None
        self.next_answers.clear()
        self._released.set()

    def reset(self) -> None:
        """Sends its own answer again, and forgets the recorded requests."""
        self.release()
        self.requests.clear()

    def count(self) -> int:
        """Returns the number of requests."""
        return len(self.requests)

    def last(self) -> Keys:
        """Returns the last keys that it handed out."""
        return self.handed_out[-1]

    def wait_until(self, what: str) -> None:
        """Waits until a Python condition on `self` is true."""
        condition = compile(what, "<condition>", "eval")
        with self._changed:
            came = self._changed.wait_for(lambda: eval(condition, {"self": self}), PATIENCE)
        assert came, f"{self.name}: not true after {PATIENCE} s: {what}"

    def keys(self) -> Keys:
        """Returns the keys to hand out now."""
        with self._changed:
            lifetime, self.next_lifetime = self.next_lifetime, None
            if self.rotating or not self.handed_out:
                lifetime = self.lifetime if lifetime is None else lifetime
                self.handed_out.append(temporary_keys(self.name.replace("_", ""), lifetime))
            return self.handed_out[-1]

    def note(self, request: Request) -> Answer:
        """Records a request, and returns the answer to send."""
        with self._changed:
            self.requests.append(request)
            self._changed.notify_all()
            if self.next_answers:
                return self.next_answers.popleft()
            return self.answer or (self.plan(self) if self.plan else Answer())

    def keep_waiting(self, connection: socket.socket) -> bool:
        """Holds a request until it is released (True) or its client gave up (False)."""
        self._count(held=1)
        try:
            while not self._released.wait(0.005):
                readable, _, _ = select.select([connection], [], [], 0)
                if readable and not _peek(connection):
                    self._count(given_up=1)
                    return False
            return True
        finally:
            self._count(held=-1)

    def _count(self, held: int = 0, given_up: int = 0) -> None:
        with self._changed:
            self.held += held
            self.given_up += given_up
            self._changed.notify_all()


def _peek(connection: socket.socket) -> bytes:
    try:
        return connection.recv(1, socket.MSG_PEEK)
    except OSError:
        return b""


ROUTES = {
    ("PUT", "/latest/api/token"): "imds_token",
    ("GET", "/latest/meta-data/iam/security-credentials/"): "imds_role",
    ("GET", f"/latest/meta-data/iam/security-credentials/{ROLE_NAME}"): "imds",
    ("GET", "/container/credentials"): "container",
    ("GET", "/federation/credentials"): "sso",
    ("POST", "/token"): "sso_oidc",
    ("POST", "/v1/token"): "signin",
    ("POST", "/"): "sts",
}


class FakeAws:
    """The server, and its routes by name."""

    def __init__(self, address: tuple[str, int] = ("127.0.0.1", 0), tls: ssl.SSLContext | None = None):
        self.imds_token, self.imds_role, self.imds = map(Route, ("imds_token", "imds_role", "imds"))
        self.container, self.sso, self.sso_oidc = map(Route, ("container", "sso", "sso_oidc"))
        self.sts, self.signin = map(Route, ("sts", "signin"))
        self.routes = {name: getattr(self, name) for name in ROUTES.values()}
        self.strays: list[Request] = []
        self.imds_session = new_secret()
        self.imds_has_version_1 = False
        self.container_authorization: str | None = None
        self.sso_access_token = new_secret()
        self.sts_refused: set[str] = set()
        self.sts_behind: str | None = None
        self._server = _Server(address, _Handler)
        self._server.fake = self
        self._scheme = "https" if tls else "http"
        if tls:
            self._server.socket = tls.wrap_socket(self._server.socket, True, do_handshake_on_connect=False)
        serve = {"poll_interval": 0.01}
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs=serve, daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        """The URL at which it listens."""
        host, port = self._server.server_address[:2]
        return f"{self._scheme}://{host}:{port}"

    @property
    def container_url(self) -> str:
        """The full URI of the container's credentials."""
        return f"{self.url}/container/credentials"

    def serve(self, connection: socket.socket, address: tuple[str, int]) -> None:
        """Answers on a connection that another server accepted."""
        _Handler(connection, address, self._server)

    def close(self) -> None:
        """Releases held requests, and stops."""
        for route in self.routes.values():
            route.release()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def __enter__(self) -> "FakeAws":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # Each route's own answer: a status and a body.

    def say_imds_token(self, request: Request) -> tuple[int, str]:
        if "x-aws-ec2-metadata-token-ttl-seconds" not in request.headers:
            return 400, "no lifetime is asked for"
        return 200, self.imds_session

    def say_imds_role(self, request: Request) -> tuple[int, str]:
        return self._imds(request, lambda: ROLE_NAME)

    def say_imds(self, request: Request) -> tuple[int, str]:
        return self._imds(request, lambda: json.dumps(as_metadata(self.imds.keys())))

    def _imds(self, request: Request, text) -> tuple[int, str]:
        session = request.headers.get("x-aws-ec2-metadata-token")
        if session != self.imds_session and (session or not self.imds_has_version_1):
            return 401, "no session token, or another"
        return 200, text()

    def say_container(self, request: Request) -> tuple[int, str]:
        if request.headers.get("authorization") != self.container_authorization:
            return 401, json.dumps({"code": "Unauthorized", "message": "another authorization"})
        return 200, json.dumps(as_metadata(self.container.keys()))

    def say_sso(self, request: Request) -> tuple[int, str]:
        if request.headers.get("x-amz-sso_bearer_token") != self.sso_access_token:
            problem = {"__type": "UnauthorizedException", "message": "Session token not found or invalid"}
            return 401, json.dumps(problem)
        keys = self.sso.keys()
        names = ("accessKeyId", "secretAccessKey", "sessionToken", "expiration")
        milliseconds = int(keys.expires_at.timestamp() * 1000)
        values = (keys.access_key_id, keys.secret_access_key, keys.session_token, milliseconds)
        return 200, json.dumps({"roleCredentials": dict(zip(names, values, strict=True))})

    def say_sso_oidc(self, request: Request) -> tuple[int, str]:
        self.sso_access_token = new_secret()
        token = {"accessToken": self.sso_access_token, "tokenType": "Bearer", "expiresIn": 28800}
        return 200, json.dumps(token | {"refreshToken": new_secret()})

    def say_signin(self, request: Request) -> tuple[int, str]:
        keys = self.signin.keys()
        names = ("accessKeyId", "secretAccessKey", "sessionToken")
        values = (keys.access_key_id, keys.secret_access_key, keys.session_token)
        answer = {"accessToken": dict(zip(names, values, strict=True)), "tokenType": "aws_sigv4"}
        return 200, json.dumps(
            answer | {"expiresIn": int(self.signin.lifetime), "refreshToken": new_secret()}
        )

    def say_sts(self, request: Request) -> tuple[int, str]:
        form = request.form
        if request.signed_by in self.sts_refused:
            return 403, sts_error("AccessDenied", f"{request.signed_by} may not assume {form.get('RoleArn')}")
        if self.sts_behind:
            return self._pass_on(request)
        for name, least in STS_LEAST.items():
            if len(form.get(name, "x" * least)) < least:
                return 400, sts_error("ValidationError", f"{name} has fewer than {least} characters")
        if int(form.get("DurationSeconds", 3600)) < 900:
            return 400, sts_error("ValidationError", "DurationSeconds is less than 900")
        keys = self.sts.keys()
        arn = form["RoleArn"].replace(":iam:", ":sts:").replace(":role/", ":assumed-role/")
        return 200, sts_answer(form["Action"], keys, f"{arn}/{form['RoleSessionName']}")

    def _pass_on(self, request: Request) -> tuple[int, str]:
        behind = http.client.HTTPConnection(urlsplit(self.sts_behind).netloc, timeout=PATIENCE)
        with contextlib.closing(behind):
            # Sends all headers unchanged, including Host, because they are signed.
            behind.request(request.method, request.path, request.body, request.headers)
            answer = behind.getresponse()
            text = answer.read().decode()
        if answer.status == 200:
            self.sts.handed_out.append(keys_in_sts_answer(text))
        # moto wraps its errors once more than STS does.
        return answer.status, text.replace("<Errors>", "").replace("</Errors>", "")


def as_metadata(keys: Keys) -> dict[str, str]:
    """Returns keys in the format of IMDS and the container endpoint."""
    values = (keys.access_key_id, keys.secret_access_key, keys.session_token, keys.expiration)
    names = ("AccessKeyId", "SecretAccessKey", "Token", "Expiration")
    return {"Code": "Success", "Type": "AWS-HMAC"} | dict(zip(names, values, strict=True))


def sts_answer(action: str, keys: Keys, arn: str) -> str:
    """Returns keys in the format of STS."""
    return (
        f'<{action}Response xmlns="{STS_NAMESPACE}"><{action}Result>'
        f"<AssumedRoleUser><Arn>{escape(arn)}</Arn><AssumedRoleId>AROA:tests</AssumedRoleId></AssumedRoleUser>"
        f"<Credentials><AccessKeyId>{keys.access_key_id}</AccessKeyId>"
        f"<SecretAccessKey>{keys.secret_access_key}</SecretAccessKey>"
        f"<SessionToken>{keys.session_token}</SessionToken><Expiration>{keys.expiration}</Expiration>"
        f"</Credentials></{action}Result></{action}Response>"
    )


def sts_error(code: str, message: str) -> str:
    """Returns a refusal in the format of STS."""
    return (
        f'<ErrorResponse xmlns="{STS_NAMESPACE}"><Error><Type>Sender</Type><Code>{code}</Code>'
        f"<Message>{escape(message)}</Message></Error></ErrorResponse>"
    )


def keys_in_sts_answer(text: str) -> Keys:
    """Returns the keys in an answer of STS."""
    answer = ElementTree.fromstring(text)
    namespace = answer.tag.partition("}")[0] + "}"
    found = {part.tag.removeprefix(namespace): part.text for part in answer.iter()}
    keep_secret(found["SecretAccessKey"], found["SessionToken"])
    end = datetime.fromisoformat(found["Expiration"].replace("Z", "+00:00"))
    return Keys(found["AccessKeyId"], found["SecretAccessKey"], found["SessionToken"], end)


CONNECTIONS = itertools.count(1)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request, client_address) -> None:
        # Some tests close the connection before the answer.
        if not isinstance(sys.exc_info()[1], (ConnectionError, ssl.SSLError)):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def setup(self) -> None:
        super().setup()
        # The client's port does not identify a connection: the system gives it out again.
        self.number = next(CONNECTIONS)

    def answer_any(self) -> None:
        length = int(self.headers.get("content-length", 0))
        url = urlsplit(self.path)
        request = Request(
            method=self.command,
            path=url.path,
            query=dict(parse_qsl(url.query)),
            headers={name.lower(): value for name, value in self.headers.items()},
            body=self.rfile.read(length).decode(),
            connection=self.number,
        )
        fake = self.server.fake
        if url.path.startswith("/fake/"):
            self.control(fake, request)
            return
        name = ROUTES.get((request.method, request.path))
        if name is None:
            fake.strays.append(request)
            self.say(404, "not found")
            return
        route = fake.routes[name]
        answer = route.note(request)
        if answer.delay:
            answer.sleep(answer.delay)
        if answer.hold and not route.keep_waiting(self.connection):
            self.close_connection = True
            return
        if answer.is_closed:
            self.close_connection = True
            return
        if answer.send:
            answer.send(self, lambda: self.reply(fake, name, request, answer))
        else:
            self.reply(fake, name, request, answer)

    do_GET = do_PUT = do_POST = answer_any

    def reply(self, fake: FakeAws, name: str, request: Request, answer: Answer) -> None:
        """Sends an answer to a request of the route with this name."""
        status, body = answer.status, answer.body
        if status == 200 and body is None:
            fake.routes[name].next_lifetime = answer.lifetime
            status, body = getattr(fake, f"say_{name}")(request)
            body = answer.change(body) if answer.change else body
        self.close_connection = self.close_connection or answer.is_cut
        self.say(status, body or "", answer.headers, name, answer.is_cut)

    def control(self, fake: FakeAws, request: Request) -> None:
        """Serves `/fake/ROUTE` for programs in other languages."""
        route = fake.routes.get(request.path.removeprefix("/fake/"))
        if route is None:
            self.say(404, f"not a route; accepted: {', '.join(fake.routes)}")
            return
        if request.method == "PUT":
            wanted = json.loads(request.body)
            names = [name for name in wanted if name in Answer.__dataclass_fields__]
            route.release()
            if names:
                route.hold()
                route.answer = Answer(**{name: wanted.pop(name) for name in names})
            for name, value in wanted.items():
                setattr(route, name, value)
        asked = [vars(one) for one in route.requests]
        keys = [vars(one) | {"expires_at": one.expiration} for one in route.handed_out]
        self.say(200, json.dumps({"requests": asked, "keys": keys}))

    def say(
        self,
        status: int,
        text: str,
        headers: dict[str, str] | None = None,
        name: str = "",
        is_cut: bool = False,
    ) -> None:
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Content-Type", "text/xml" if name == "sts" else "application/json")
        if name == "imds_token" and status == 200:
            self.send_header("x-aws-ec2-metadata-token-ttl-seconds", "21600")
        for header, value in (headers or {}).items():
            self.send_header(header.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body[: len(body) // 2] if is_cut else body)

    def log_message(self, *_: object) -> None:
        pass


def main() -> None:
    """Serves until standard input is closed."""
    with FakeAws() as fake:
        print(fake.url, flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main()
