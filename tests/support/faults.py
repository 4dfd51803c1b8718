"""A plan of faults for the fake AWS: which request gets which wrong answer.

The plan is seeded. Whether a client's request number N gets a fault, and which one, depends only on the
seed, the client, the number and the route. Every request is recorded with the times of its answer, so a test
can tell which credentials its client could have had.
"""

import contextlib
import json
import os
import random
import re
import select
import socket
import struct
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from io import BytesIO

from fake_aws import Answer, FakeAws, Keys, Route, sts_error

# What a client should make of an answer: use the keys in it; ask again; report the refusal at once.
GOOD, PASSING, FINAL = "good", "passing", "final"

KEYS = ("imds", "container", "sts")  # the routes that hand out keys
ROLE, SESSION = "imds_role", "imds_token"
# Hangs and endless answers end when the client gives up, or at the latest after this many seconds.
LONGEST = 60
HUGE = 4 << 20  # bytes


@dataclass(frozen=True)
class Fault:
    """A kind of answer: what it does to an answer, what a client should make of it, and where it occurs.
    `write` gets the handler and the bytes of the whole answer, and the connection is closed after it if
    `closes` says so."""

    name: str
    outcome: str = PASSING
    answer: Answer = field(default_factory=Answer)
    write: Callable | None = None
    routes: tuple[str, ...] = (*KEYS, ROLE)
    closes: bool = True


# Ways to send the bytes of an answer.


def has_given_up(connection: socket.socket, seconds: float) -> bool:
    """Waits until the client closes the connection, for at most this long."""
    if not select.select([connection], [], [], seconds)[0]:
        return False
    with contextlib.suppress(OSError):
        return connection.recv(1, socket.MSG_PEEK) == b""
    return True


def whole(handler, response: bytes) -> None:
    # Otherwise the system would accept the bytes for a client that is no longer there.
    if has_given_up(handler.connection, 0):
        raise ConnectionAbortedError
    handler.wfile.write(response)


def never(handler, response: bytes) -> None:
    has_given_up(handler.connection, LONGEST)
    raise ConnectionAbortedError


def after_a_while(handler, response: bytes) -> None:
    time.sleep(0.4)
    whole(handler, response)


def in_drops(handler, response: bytes) -> None:
    size = len(response) // 8 + 1
    for start in range(0, len(response), size):
        handler.wfile.write(response[start : start + size])
        time.sleep(0.05)


def without_an_end(handler, response: bytes) -> None:
    end = time.monotonic() + LONGEST
    for byte in response[:-1]:
        handler.wfile.write(bytes([byte]))
        if time.monotonic() > end or has_given_up(handler.connection, 0.2):
            break
    raise ConnectionAbortedError


def half(handler, response: bytes) -> None:
    handler.wfile.write(response[: response.index(b"\r\n\r\n") + 4 + len(body_of(response)) // 2])


def nothing(handler, response: bytes) -> None:
    pass


def reset(handler, response: bytes) -> None:
    """Sends RST, which only the last close of a socket does."""
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    other = os.open(os.devnull, os.O_RDWR)
    os.dup2(other, handler.connection.fileno())
    os.close(other)


def no_http(handler, response: bytes) -> None:
    handler.wfile.write(b"\x15\x03\x03\x00\x02\x02\x28 this is not HTTP\r\n\r\n")


def until_the_close(handler, response: bytes) -> None:
    handler.wfile.write(re.sub(rb"Content-Length: \d+\r\n", b"Connection: close\r\n", response, count=1))


def too_long(handler, response: bytes) -> None:
    handler.wfile.write(with_length(response, len(body_of(response)) + 100))


def too_short(handler, response: bytes) -> None:
    handler.wfile.write(with_length(response, len(body_of(response)) // 2))


def body_of(response: bytes) -> bytes:
    return response.partition(b"\r\n\r\n")[2]


def with_length(response: bytes, length: int) -> bytes:
    return re.sub(rb"Content-Length: \d+", b"Content-Length: %d" % length, response, count=1)


# Ways to change the body of an answer, in JSON or in STS's XML.


def body(json_change: Callable[[dict], object], xml: Callable[[str], str] | None = None) -> Answer:
    def change(text: str) -> str:
        if text.startswith("<"):
            return xml(text)
        return json.dumps(json_change(json.loads(text)))

    return Answer(change=change)


def without(name: str) -> Answer:
    return body(
        lambda fields: {key: value for key, value in fields.items() if key != name},
        lambda text: re.sub(f"<{name}>.*?</{name}>", "", text),
    )


def with_value(name: str, value: object, xml: str) -> Answer:
    return body(
        lambda fields: fields | {name: value},
        lambda text: re.sub(f"<{name}>.*?</{name}>", f"<{name}>{xml}</{name}>", text),
    )


JSON = ("imds", "container")
EVERYWHERE = (*KEYS, ROLE, SESSION)
THROTTLED = Answer(400, sts_error("Throttling", "Rate exceeded"))
REFUSED = Answer(403, '{"code": "AccessDenied", "message": "no"}')
FAULTS = [
    Fault("400 throttling", answer=THROTTLED, routes=("sts",)),
    Fault("403", FINAL, REFUSED, routes=(*JSON, ROLE)),
    Fault("403 of STS", FINAL, Answer(403, sts_error("AccessDenied", "no")), routes=("sts",)),
    Fault("404", FINAL, Answer(404, ""), routes=(*JSON, ROLE)),
    Fault("408", answer=Answer(408, ""), routes=(*JSON, ROLE)),
    Fault("429", answer=Answer(429, ""), routes=EVERYWHERE),
    Fault("500", answer=Answer(500, "internal error"), routes=EVERYWHERE),
    Fault("503", answer=Answer(503, ""), routes=EVERYWHERE),
    Fault("redirect", answer=Answer(302, "", headers={"Location": "/elsewhere"}), routes=EVERYWHERE),
    Fault("hang", write=never, routes=EVERYWHERE),
    Fault("endless drip", write=without_an_end, routes=EVERYWHERE),
    Fault("cut body", write=half, routes=EVERYWHERE),
    Fault("closed", write=nothing, routes=EVERYWHERE),
    Fault("reset", write=reset, routes=EVERYWHERE),
    Fault("not HTTP", write=no_http, routes=EVERYWHERE),
    Fault("length too long", write=too_long, routes=EVERYWHERE),
    Fault("length too short", write=too_short, routes=KEYS),
    Fault("garbage", answer=Answer(200, "\0\1<html>sign in to the network")),
    Fault("empty body", answer=Answer(200, "")),
    Fault("huge", answer=Answer(200, "<" * HUGE)),
    Fault("a list", answer=body(lambda fields: [fields]), routes=JSON),
    Fault("deeply nested", answer=Answer(200, "[" * 100_000), routes=KEYS),
    Fault("no secret", answer=without("SecretAccessKey"), routes=KEYS),
    Fault("no end", answer=without("Expiration"), routes=KEYS),
    Fault("no session token", answer=without("Token"), routes=JSON),
    Fault("wrong type", answer=with_value("SecretAccessKey", 17, ""), routes=KEYS),
    Fault("no time", answer=with_value("Expiration", "tomorrow", "tomorrow"), routes=KEYS),
    Fault("ended", answer=Answer(lifetime=-60), routes=KEYS),
    Fault("ended long ago", answer=Answer(lifetime=-50 * 365 * 86400), routes=KEYS),
    Fault("ending", GOOD, Answer(lifetime=3), routes=KEYS),
    Fault("slow", GOOD, write=after_a_while, routes=EVERYWHERE, closes=False),
    Fault("drip", GOOD, write=in_drops, routes=EVERYWHERE, closes=False),
    Fault("no length", GOOD, write=until_the_close, routes=EVERYWHERE),
    Fault("other type", GOOD, Answer(headers={"Content_Type": "text/html"}), routes=EVERYWHERE),
    Fault("other date", GOOD, Answer(headers={"Date": "Thu, 01 Jan 1970 00:00:00 GMT"}), routes=EVERYWHERE),
]
NONE = Fault("none", GOOD)
BY_NAME = {fault.name: fault for fault in [NONE, *FAULTS]}


@dataclass
class Ask:
    """A request, on the monotonic clock. `key` and `end`, in Unix seconds, are those of the keys in the
    answer. `done` is None until the answer was sent; `delivered` says that it was."""

    number: int
    route: str
    fault: str
    arrived: float
    done: float | None = None
    delivered: bool = False
    key: str | None = None
    end: float | None = None

    @property
    def outcome(self) -> str:
        return BY_NAME[self.fault].outcome


class FaultPlan:
    """Chooses the answers of one fake AWS, and records its requests in `asks`.

    `percent` of the requests get a fault. Keys live for a number of seconds between `lifetimes`. Each is
    passed to `learn` before it is sent, so that the server of the test can know it."""

    def __init__(
        self,
        fake: FakeAws,
        seed: str,
        percent: float,
        lifetimes: tuple[int, int],
        learn: Callable[[Keys], None],
    ):
        self.asks: list[Ask] = []
        self._seed, self._percent, self._lifetimes, self._learn = seed, percent, lifetimes, learn
        self._lock = threading.Lock()
        for name in EVERYWHERE:
            fake.routes[name].plan = self.answer

    def choose(self, number: int, route: str) -> tuple[Fault, int]:
        """Returns the fault of a request, and the lifetime of its keys."""
        chance = random.Random(f"{self._seed} {number}")
        is_faulty = chance.random() * 100 < self._percent
        lifetime = chance.randint(*self._lifetimes)
        return chance.choice([one for one in FAULTS if route in one.routes]) if is_faulty else NONE, lifetime

    def answer(self, route: Route) -> Answer:
        with self._lock:
            number = len(self.asks)
            fault, lifetime = self.choose(number, route.name)
            ask = Ask(number, route.name, fault.name, time.monotonic())
            self.asks.append(ask)
        answer = replace(fault.answer, send=lambda handler, own: self._send(handler, own, route, fault, ask))
        if answer.lifetime is None:
            answer.lifetime = lifetime
        return answer

    def _send(self, handler, own: Callable[[], None], route: Route, fault: Fault, ask: Ask) -> None:
        wire, handler.wfile = handler.wfile, BytesIO()
        try:
            own()
            response = handler.wfile.getvalue()
        finally:
            handler.wfile = wire
        if found := re.search(rb"ASIA\w{16}", response):
            ask.key = found[0].decode()
            keys = next(keys for keys in reversed(route.handed_out) if keys.access_key_id == ask.key)
            ask.end = keys.expires_at.timestamp()
            self._learn(keys)
        try:
            if fault.write:
                handler.close_connection |= fault.closes
                fault.write(handler, response)
            else:
                whole(handler, response)
            ask.delivered = True
        finally:
            ask.done = time.monotonic()
