"""RDS in your own tests: a real PostgreSQL on this machine that checks tokens as RDS does.

With pytest, the fixture `rds` is a fresh database with a user and an access key of its own:

    def test_an_old_token_is_refused(rds):
        token = rds.token()
        rds.clock.advance(minutes=16)
        with pytest.raises(psycopg.OperationalError):
            rds.connect(password=token)
        assert [refusal.id for refusal in rds.refusals] == ["expired"]

Without pytest:

    with RdsLocal() as server, server.create_database() as rds:
        ...

It runs `rdsign local`, so it needs Linux and a PostgreSQL from 14 to 18. The server stops with this process,
also if that crashes.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any, NamedTuple, Optional, Union

import rdsign

from ._channel import Channel, LocalError, Process, Socket, UnavailableError

if TYPE_CHECKING:
    import psycopg
    from typing_extensions import Self

__all__ = ["Database", "LocalError", "Rds", "RdsLocal", "Refusal", "Signer", "UnavailableError"]


class Refusal(NamedTuple):
    """A login that the server refused."""

    id: str
    """The stable ID, such as "expired" or "not-allowed". docs/errors.md lists all."""
    reason: str
    """The text for a person, without secrets."""
    user: str
    """The user who wanted to log in."""
    number: int
    """Counts the logins to the server, accepted ones too, from 1."""
    time: str
    """When it was, in UTC, on this machine's clock."""


class Clock:
    """The server's clock. Tokens and keys expire by it. It does not change this machine's."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel

    def advance(self, by: Optional[timedelta] = None, **parts: float) -> None:
        """Moves it forward by a timedelta, or by the arguments of one: `advance(minutes=16)`.

        It counts whole seconds. A negative time moves it back.
        """
        by = timedelta(**parts) if by is None else by
        self._channel.ask("clock", {"advance_seconds": round(by.total_seconds())})

    def reset(self) -> None:
        """Sets it to this machine's clock."""
        self.offset = timedelta(0)

    @property
    def offset(self) -> timedelta:
        """How far it is ahead of this machine's clock. Can be set."""
        return timedelta(seconds=self._channel.ask("clock", {})["offset_seconds"])

    @offset.setter
    def offset(self, offset: timedelta) -> None:
        self._channel.ask("clock", {"offset_seconds": round(offset.total_seconds())})

    @property
    def now(self) -> datetime:
        """The time on it, in UTC."""
        now: str = self._channel.ask("clock", {})["now"]
        return datetime.fromisoformat(now.replace("Z", "+00:00"))


class Signer(rdsign.Signer):
    """A signer that follows the server's clock."""

    def __new__(cls, clock: Clock, **options: Any) -> Signer:
        """Takes the options of `rdsign.Signer`."""
        signer = super().__new__(cls, **options)
        signer._clock = clock
        return signer

    def __init__(self, clock: Clock, **options: Any) -> None:
        pass

    _clock: Clock

    def token(self, *, signing_time: Optional[datetime] = None) -> rdsign.Token:
        """Returns a token. `signing_time` replaces the server's clock."""
        return super().token(signing_time=signing_time or self._clock.now)

    def password(self) -> str:
        """Returns the text of a token."""
        return self.token().value

    def ready_token(self) -> Optional[rdsign.Token]:
        """Returns a token if that needs no wait for credentials, else None."""
        return super().ready_token() and self.token()


class PolicyOf:
    """Who may log in as which user."""

    def __init__(self, rds: Rds) -> None:
        self._rds = rds
        self._denied: set[str] = set()

    def deny(self, user: Optional[str] = None) -> None:
        """Adds a Deny for this user to the policies of every key. Default: the user of `rds`."""
        user = user or self._rds.user
        self._rds._ask("deny", user=user)
        self._denied.add(user)

    def allow(self, user: Optional[str] = None) -> None:
        """Takes back `deny()`, and lets the key of `rds` log in as this user. Default: the user of `rds`."""
        user = user or self._rds.user
        self._rds._ask("allow", user=user)
        self._rds._ask("allow", user=user, access_key_id=self._rds._key["access_key_id"])
        self._denied.discard(user)

    def put(self, *policies: Union[str, Mapping[str, Any]]) -> None:
        """Replaces the policies of the key of `rds`. Each is a dict, or its JSON."""
        key = self._rds._key["access_key_id"]
        self._rds._ask("put_policies", access_key_id=key, policies=policies)

    def _take_back(self) -> None:
        for user in self._denied:
            self._rds._ask("allow", user=user)


class Keys:
    """The access key of `rds`. The methods return a dict of keys that `Signer(credentials=…)` accepts."""

    def __init__(self, rds: Rds) -> None:
        self._rds = rds

    @property
    def current(self) -> dict[str, Any]:
        """access_key_id, secret_access_key, session_token and expires_at; None for what it has not."""
        names = ("access_key_id", "secret_access_key", "session_token", "expires_at")
        return {name: self._rds._key[name] for name in names}

    def expire(self, at: Optional[datetime] = None) -> None:
        """Ends the key. `at` is a time with a time zone. Default: now, on the server's clock."""
        if at is not None and at.tzinfo is None:
            raise ValueError("at: has no time zone; accepted: such as datetime.now(timezone.utc)")
        when = at and at.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
        key = self._rds._key["access_key_id"]
        self._rds._ask("expire_key", access_key_id=key, at=when)

    def replace(self) -> dict[str, Any]:
        """Replaces the key by another with the same policies, which `rds` uses from now on.

        Tokens that were signed with the old one are refused, as "unknown-access-key".
        """
        self._rds._use(self._rds._ask("replace_key", access_key_id=self._rds._key["access_key_id"]))
        return self.current

    def temporary(self) -> dict[str, Any]:
        """Replaces the key by temporary credentials, which have a session token, for the user of `rds`."""
        old = self._rds._key["access_key_id"]
        self._rds._use(self._rds._ask("create_key", users=[self._rds.user], session_token=True))
        self._rds._ask("remove_key", access_key_id=old)
        return self.current


class Rds:
    """A database of the server, the user who logs in to it, and the access key that allows it."""

    def __init__(
        self,
        channel: Channel,
        info: Mapping[str, Any],
        key: Mapping[str, Any],
        user: str,
        database: str,
        environment: Mapping[str, Any],
    ) -> None:
        self._channel = channel
        self._key = key
        self._set = dict(environment["set"])
        self._unset = list(environment["unset"])
        self._mark: int = channel.ask("refusals", {})["mark"]
        self.info = info
        """What the server said when it was ready, with secrets; docs/testing.md describes it."""
        self.user = user
        """The user."""
        self.database = database
        """The name of the database."""
        self.host: str = info["host"]
        """The endpoint's host name, which tokens are signed for. Dial `hostaddr`."""
        self.hostaddr: str = info["hostaddr"]
        """The address to dial, 127.0.0.1."""
        self.port: int = info["port"]
        """The port."""
        self.authorities: str = info["authorities"]
        """The path of the certificate authorities, for sslrootcert."""
        self.region: str = info["region"]
        """The region."""
        self.clock = Clock(channel)
        """The server's clock."""
        self.policy = PolicyOf(self)
        """Who may log in."""
        self.keys = Keys(self)
        """The access key."""

    def _ask(self, verb: str, **members: Any) -> dict[str, Any]:
        return self._channel.ask(verb, members)

    def _use(self, key: Mapping[str, Any]) -> None:
        self._key = key
        for name in ("access_key_id", "secret_access_key", "session_token"):
            self._set.pop(f"AWS_{name.upper()}", None)
            if key[name] is not None:
                self._set[f"AWS_{name.upper()}"] = key[name]

    def signer(self, **options: Any) -> rdsign.Signer:
        """Returns a signer for the user, with the key. `options` are those of `rdsign.Signer`, or replace these.

        It signs at the time of the server's clock, so its tokens are fresh whatever `clock` is.
        """
        names = {"hostname": self.host, "port": self.port, "username": self.user, "region": self.region}
        if not {"credentials", "profile", "access_key_id"} & options.keys():
            names.update({name: value for name, value in self.keys.current.items() if name != "expires_at"})
        return Signer(self.clock, **{**names, **options})

    def token(self, user: Optional[str] = None) -> str:
        """Returns a token for a user, signed with the key now, on the server's clock. Default: the user."""
        key = self._key["access_key_id"]
        token: str = self._ask("token", user=user or self.user, access_key_id=key)["token"]
        return token

    def parameters(self, **parameters: Any) -> dict[str, Any]:
        """Returns the parameters of libpq for a login, with a fresh token unless there is `password=`."""
        own: dict[str, Any] = {
            "host": self.host,
            "hostaddr": self.hostaddr,
            "port": self.port,
            "user": self.user,
            "dbname": self.database,
            "sslmode": "verify-full",
            "sslrootcert": self.authorities,
        }
        own.update(parameters)
        if "password" not in own:
            own["password"] = self.token(own["user"])
        return own

    def connect(self, **parameters: Any) -> psycopg.Connection[Any]:
        """Logs in with psycopg, with a fresh token unless there is `password=`. Needs psycopg."""
        try:
            import psycopg
        except ImportError as error:
            raise LocalError(
                "rds.connect() needs psycopg: pip install 'psycopg[binary]'; rds.parameters() is for other drivers"
            ) from error
        return psycopg.connect(**self.parameters(**parameters))

    def sql(self, sql: str) -> list[list[Optional[str]]]:
        """Runs statements in the database as `postgres`. Returns the rows of the last that has any, as text."""
        rows: list[list[Optional[str]]] = self._ask("sql", sql=sql, database=self.database)["rows"]
        return rows

    @property
    def refusals(self) -> list[Refusal]:
        """The logins as the user that were refused since this object was made."""
        return [refusal for refusal in self._refusals() if refusal.user == self.user]

    def _refusals(self) -> list[Refusal]:
        found = self._ask("refusals", since=self._mark)["refusals"]
        return [Refusal(**{name: one[name] for name in Refusal._fields}) for one in found]

    @property
    def env(self) -> dict[str, str]:
        """The variables, `AWS_*` and `PG*`, with which a program logs in with the key."""
        return dict(self._set)

    def environ(self, **more: str) -> dict[str, str]:
        """Returns this process's environment for a program that logs in: with `env`, and without variables that
        would select other credentials or another server."""
        return {
            **{name: value for name, value in os.environ.items() if name not in self._unset},
            **self.env,
            **more,
        }


class Database(Rds):
    """A fresh database. `drop()`, or the end of a `with`, takes back what was changed through it."""

    def __init__(self, channel: Channel, info: Mapping[str, Any], made: Mapping[str, Any]) -> None:
        self._is_dropped = False
        self._offset: int = channel.ask("clock", {})["offset_seconds"]
        parts = (made["access_key"], made["user"], made["database"], made["environment"])
        super().__init__(channel, info, *parts)

    def drop(self) -> None:
        """Drops the database with its sessions, the user and the key. Sets the clock as it was.

        Does nothing if it was dropped.
        """
        if self._is_dropped:
            return
        self._is_dropped = True
        self.policy._take_back()
        if self._ask("clock")["offset_seconds"] != self._offset:
            self._ask("clock", offset_seconds=self._offset)
        key = self._key["access_key_id"]
        self._ask("drop_database", database=self.database, user=self.user, access_key_id=key)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.drop()


class RdsLocal(Rds):
    """A running `rdsign local`. As an `Rds`, it is iam_user in testdb, with the first key.

    - `options`: those of `rdsign local`, such as `["--version", "17"]` or `["--init", "schema.sql"]`.
    - `env`: the environment of the program. Default: this process's.

    Raises UnavailableError if there is no PostgreSQL, and LocalError if the server does not start.
    """

    def __init__(self, options: Sequence[str] = (), *, env: Optional[Mapping[str, str]] = None) -> None:
        self._start(Process(options, env))

    @classmethod
    def attach(cls, control: str) -> RdsLocal:
        """Returns the server of another process of this user. `control` is the path of its control socket."""
        server = cls.__new__(cls)
        server._start(Socket(control))
        return server

    def _start(self, channel: Union[Process, Socket]) -> None:
        self._own = channel
        info = channel.info
        first = info["access_keys"][0]
        super().__init__(channel, info, first, info["user"], info["database"], info["environment"])

    @property
    def refusals(self) -> list[Refusal]:
        """All logins that were refused, of all users, since this object was made."""
        return self._refusals()

    def create_database(self) -> Database:
        """Creates a database like the default one, with a user and a key of its own.

        The default one is its template, so nobody may be logged in to that.
        """
        return Database(self._channel, self.info, self._ask("create_database"))

    def stop(self) -> None:
        """Stops the server and removes its files. An attached one is left alone."""
        self._own.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.stop()
