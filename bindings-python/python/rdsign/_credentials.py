"""Adapts every value of `credentials=` to the one form that the native module calls: a function that
returns (access key ID, secret access key, session token, expiry in seconds since 1970).

boto3 is not imported: its sessions and credentials are recognized by their methods. botocore may wait
for minutes, or for ever, so its fetches run in a thread of their own and `credentials_timeout` ends the
wait.
"""

from __future__ import annotations

import os
import threading
import time
from datetime import datetime

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable, Optional

    _Keys = tuple[str, str, Optional[str], Optional[int]]
    _Read = Callable[[Any], _Keys]

ACCEPTED = (
    "a boto3 or botocore Session, botocore credentials, or a function that returns keys: "
    "a dict with access_key_id, secret_access_key and, if temporary, session_token and expires_at, "
    "the Credentials of an STS response, or botocore credentials"
)
OWN_NAMES = ("access_key_id", "secret_access_key", "session_token", "expires_at")

# Seconds. botocore credentials without an expiry may be replaced at any time, so core is told that
# they expire after this time. With the default expires_in it refreshes credentials 900 to 1,080 seconds before
# they expire, that is after 120 to 300 seconds, and no token's 900 seconds are cut short.
LOOK_AGAIN = 1200


def provider(given: Any, bound: float) -> Callable[[], _Keys]:
    """Returns the function for a value of `credentials=`. Raises TypeError for any other value.

    `bound` limits how many seconds botocore may take. It does not limit the caller's own function.
    """
    bounded = Bounded(bound)
    if isinstance(given, type):
        pass
    elif hasattr(given, "get_credentials"):
        return lambda: bounded.call(from_session, given)
    elif hasattr(given, "get_frozen_credentials"):
        return lambda: bounded.call(from_botocore, given)
    elif callable(given):
        return lambda: from_function(given, bounded)
    raise TypeError(f"credentials: has type {_name(given)}; accepted: {ACCEPTED}")


class Bounded:
    """Calls botocore in a thread, and waits for it for a limited time.

    Each wait is for the call that is still running, if there is one, so a source that never answers
    occupies one thread. The thread is a daemon, so that the program can end.
    """

    def __init__(self, bound: float) -> None:
        self.bound = min(bound, threading.TIMEOUT_MAX)
        self.running: Optional[_Call] = None

    def call(self, read: _Read, source: Any) -> _Keys:
        """Returns read(source), or raises its exception. Raises TimeoutError if it takes too long."""
        call = self.running
        # After a fork, the thread exists only in the parent.
        if call is None or call.finished.is_set() or call.process != os.getpid():
            call = self.running = _Call(read, source)
        if not call.finished.wait(self.bound):
            raise TimeoutError(f"botocore returned no credentials within {self.bound:g} s")
        self.running = None
        return call.result()


class _Call:
    """One call, and its outcome."""

    def __init__(self, read: _Read, source: Any) -> None:
        self.process = os.getpid()
        self.finished = threading.Event()
        self.result: Callable[[], _Keys]

        def run() -> None:
            try:
                keys = read(source)
                self.result = lambda: keys
            except BaseException as raised:
                self.result = _raises(raised)
            finally:
                self.finished.set()

        threading.Thread(target=run, name="rdsign-credentials", daemon=True).start()


def _raises(error: BaseException) -> Callable[[], _Keys]:
    def result() -> _Keys:
        raise error

    return result


def from_function(function: Callable[[], Any], bounded: Bounded) -> _Keys:
    """Calls the caller's function, on this thread, and reads what it returned."""
    found = function()
    if hasattr(found, "get_frozen_credentials"):
        return bounded.call(from_botocore, found)
    return from_any(found)


def from_session(session: Any) -> _Keys:
    """Reads the credentials of a Session, which searches for them once and caches them."""
    credentials = session.get_credentials()
    if credentials is None:
        raise LookupError("the session has no credentials")
    return from_any(credentials)


def from_any(found: Any) -> _Keys:
    """Reads what the caller's function returned."""
    if hasattr(found, "get_frozen_credentials"):
        return from_botocore(found)
    if hasattr(found, "access_key") and hasattr(found, "secret_key"):
        return from_frozen(found, None)
    if hasattr(found, "keys") and hasattr(found, "get"):
        return from_mapping(found)
    close = getattr(found, "close", None)
    if hasattr(found, "__await__") and close is not None:
        close()
        raise TypeError("it is an async function; accepted: a function that is not async")
    raise TypeError(f"it returned {_name(found)}; accepted: {ACCEPTED}")


def from_botocore(credentials: Any) -> _Keys:
    """Reads keys and their expiry from botocore credentials, which may be refreshed meanwhile."""
    # botocore has no public name for the expiry.
    expiry = getattr(credentials, "_expiry_time", None)
    for _ in range(2):
        before = expiry
        frozen = credentials.get_frozen_credentials()
        expiry = getattr(credentials, "_expiry_time", None)
        if expiry is before:
            break
    else:
        # Not a third time: botocore refreshes on each call while keys expire within 15 minutes, and some
        # keys always do. These are of either refresh, so the earlier expiry is safe.
        expiry = min(filter(None, (before, expiry)), key=_seconds, default=None)
    if hasattr(frozen, "__await__"):
        frozen.close()
        raise TypeError("these are async credentials; accepted: botocore credentials")
    if expiry is None:
        return from_frozen(frozen, int(time.time()) + LOOK_AGAIN)
    return from_frozen(frozen, _seconds(expiry))


def from_frozen(frozen: Any, expires_at: Optional[int]) -> _Keys:
    """Reads keys by botocore's names."""
    if not frozen.access_key or not frozen.secret_key:
        raise LookupError("the credentials have no keys")
    return frozen.access_key, frozen.secret_key, frozen.token, expires_at


def from_mapping(keys: Any) -> _Keys:
    """Reads a dict with the names of rdsign or of AWS."""
    if "AccessKeyId" in keys:
        # STS and credential_process name it SessionToken; the endpoints of EC2 and ECS, Token.
        names = ("AccessKeyId", "SecretAccessKey", "SessionToken", "Expiration")
        session_token = keys.get("SessionToken") or keys.get("Token")
    else:
        # AWS may add names to its own dicts. In rdsign's, an unknown name is a typo, perhaps of
        # session_token or expires_at.
        for name in keys.keys():
            if name not in OWN_NAMES:
                raise ValueError(f"{name!r} is not a key's name; accepted: {', '.join(OWN_NAMES)}")
        names = OWN_NAMES
        session_token = keys.get("session_token")
    for name in names[:2]:
        if keys.get(name) is None:
            raise ValueError(f"{name} is missing")
    expiry = keys.get(names[3])
    return keys[names[0]], keys[names[1]], session_token, None if expiry is None else _seconds(expiry)


def _seconds(moment: Any) -> int:
    """Converts an expiry to whole seconds since 1970, rounded down."""
    if isinstance(moment, str):
        # Python 3.9 and 3.10 do not parse Z.
        moment = datetime.fromisoformat(moment.replace("Z", "+00:00"))
    if not isinstance(moment, datetime):
        raise TypeError(f"the expiry has type {_name(moment)}; accepted: an aware datetime")
    if moment.utcoffset() is None:
        raise ValueError("the expiry has no time zone; accepted: an aware datetime")
    return int(moment.timestamp() // 1)


def _name(thing: Any) -> str:
    return f"the class {thing.__name__}" if isinstance(thing, type) else type(thing).__name__
