"""asyncpg connections that log in with tokens.

    connection = await rdsign.asyncpg.connect(host="mydb.abc123.eu-central-1.rds.amazonaws.com", user="iam_user", database="app")
    pool = rdsign.asyncpg.create_pool(host="...", user="iam_user", database="app")

Every connection gets its own token, also in pools. The server's certificate must match its name and
come from the authorities in `rdsign.ca_bundle()`, unless `ssl=`, `sslmode=`, `sslrootcert=`, the DSN,
PGSSLMODE or PGSSLROOTCERT say otherwise.

Tokens are signed for `host`, `port` and `user`, with credentials from the default chain. For other
credentials or another endpoint, pass `signer=`, or `profile=`, `role_arn=` or `region=`. To dial
another address than the endpoint, such as a tunnel, pass `hostaddr=` (default: PGHOSTADDR) and `port=`.
asyncpg itself has none of `hostaddr=`, `sslmode=`, `sslrootcert=` and `sslcrl=`.
"""

from __future__ import annotations

import os
import re
import ssl as tls
from urllib.parse import parse_qs, unquote, urlsplit

import asyncpg

from . import InvalidRequestError, Signer, ca_bundle
from ._libpq import CHECKED, OPTIONS, VERIFY_FULL, expand_service, merged, settle
from ._rdsign import quoted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Optional

__all__ = ["arguments", "connect", "create_pool"]


MODES = ("disable", "allow", "prefer", "require", *CHECKED)


class _Named(tls.SSLContext):
    """Checks the certificate against the endpoint's name, even if another address is dialed."""

    hostname: str

    def wrap_bio(
        self,
        incoming: tls.MemoryBIO,
        outgoing: tls.MemoryBIO,
        server_side: bool = False,
        server_hostname: str | bytes | None = None,
        session: tls.SSLSession | None = None,
    ) -> tls.SSLObject:
        return super().wrap_bio(incoming, outgoing, server_side, self.hostname, session)


def arguments(
    dsn: Optional[str] = None,
    *,
    signer: Optional[Signer] = None,
    hostaddr: Optional[str] = None,
    **kwargs: Any,
) -> dict[str, Any]:
    """Returns the keyword arguments to pass to asyncpg together with the DSN.

    Use it in code that calls asyncpg itself. Raises what `Signer` raises, and ValueError for an
    unknown `ssl`, and if `hostaddr` is combined with an SSLContext or True as `ssl`.
    """
    return _settled(dsn, signer, hostaddr, kwargs)[1]


def _settled(
    dsn: Optional[str], signer: Optional[Signer], hostaddr: Optional[str], kwargs: dict[str, Any]
) -> tuple[Signer, dict[str, Any]]:
    """Returns the signer for the arguments of a connection, and the arguments."""
    given = dict(kwargs)
    endpoint = merged(_read(dsn) if dsn else {}, kwargs)
    named = dict(endpoint)
    expand_service(named, signer)
    # asyncpg has other names for the rest. Older versions know no service, so all values are passed on.
    endpoint |= {name: named[name] for name in ("host", "port", "user") if name in named}
    dialed = _address(hostaddr or named.get("hostaddr") or os.environ.get("PGHOSTADDR") or None)
    signer = settle(endpoint, signer)
    if not (given.get("database") or (dsn and urlsplit(dsn).path.strip("/"))):
        named_database = named.get("dbname") or named.get("database") or os.environ.get("PGDATABASE")
        if database := named_database or signer.default_database:
            given["database"] = database
    for name in (*OPTIONS, "sslmode", "sslrootcert", "sslcrl"):
        given.pop(name, None)
    given |= {name: endpoint[name] for name in ("host", "port", "user")}
    given["password"] = signer.password_async
    mode = given.get("ssl")
    if mode is None or mode == "":
        mode = named.get("sslmode") or os.environ.get("PGSSLMODE") or VERIFY_FULL
    mode = given["ssl"] = _mode(mode)
    if mode in CHECKED:
        context = given["ssl"] = _Named(tls.PROTOCOL_TLS_CLIENT)
        context.hostname = endpoint["host"]
        context.check_hostname = mode == VERIFY_FULL
        context.set_alpn_protocols(["postgresql"])
        authorities = named.get("sslrootcert") or os.environ.get("PGSSLROOTCERT") or ca_bundle()
        if authorities == "system":
            context.load_default_certs()
        else:
            context.load_verify_locations(authorities)
        revoked = named.get("sslcrl") or os.environ.get("PGSSLCRL")
        if revoked:
            context.load_verify_locations(revoked)
            context.verify_flags |= tls.VERIFY_CRL_CHECK_CHAIN
    if dialed is not None:
        if mode is True or isinstance(mode, tls.SSLContext):
            raise ValueError(
                "ssl: an SSLContext or True would compare the certificate with hostaddr; "
                "accepted: a str such as verify-full"
            )
        given["host"] = dialed
    return signer, given


def _mode(mode: Any) -> Any:
    """Returns the name of a mode, which asyncpg also accepts as SSLMode and with underscores.

    Other values, such as an SSLContext, stay as they are.
    """
    name = getattr(mode, "name", mode)
    if not isinstance(name, str):
        return mode
    name = name.replace("_", "-")
    if name not in MODES:
        raise ValueError(f"ssl: {quoted(name)} is not a mode; accepted: {', '.join(MODES)}")
    return name


def _address(hostaddr: Any) -> Optional[str]:
    """Rejects what asyncpg would take for a Unix socket, which has no TLS, or for several addresses."""
    if hostaddr is None:
        return None
    if not isinstance(hostaddr, str):
        raise TypeError(f"hostaddr: has type {type(hostaddr).__name__}; accepted: str")
    if not re.fullmatch(r"[A-Za-z0-9._:%-]+", hostaddr):
        raise InvalidRequestError(
            f"hostaddr: {quoted(hostaddr)} is not an address; accepted: an IP address or a host name",
            "INVALID_HOSTNAME",
        )
    return hostaddr


class _OfDsql(asyncpg.Connection):
    """Goes back to a pool with the only statement of asyncpg's that DSQL knows."""

    __slots__ = ()

    def get_reset_query(self) -> str:
        return "RESET ALL;"


async def connect(
    dsn: Optional[str] = None,
    *,
    signer: Optional[Signer] = None,
    hostaddr: Optional[str] = None,
    **kwargs: Any,
) -> asyncpg.Connection[asyncpg.Record]:
    """Connects as `asyncpg.connect()` does, with a token as the password.

    Also raises what `Signer` and `Signer.token()` raise.
    """
    return await asyncpg.connect(dsn, **arguments(dsn, signer=signer, hostaddr=hostaddr, **kwargs))


def create_pool(
    dsn: Optional[str] = None,
    *,
    signer: Optional[Signer] = None,
    hostaddr: Optional[str] = None,
    **kwargs: Any,
) -> asyncpg.Pool[asyncpg.Record]:
    """Creates a pool as `asyncpg.create_pool()` does, with a token for each connection.

    Also raises what `Signer` raises.
    """
    signer, given = _settled(dsn, signer, hostaddr, kwargs)
    if signer.service == "dsql":
        given.setdefault("connection_class", _OfDsql)
    return asyncpg.create_pool(dsn, **given)


def _read(dsn: str) -> dict[str, Any]:
    """Reads the parameters, user, host and port of a DSN."""
    parts = urlsplit(dsn)
    found: dict[str, Any] = {name: values[-1] for name, values in parse_qs(parts.query).items()}
    user, _, host = parts.netloc.rpartition("@")
    if user:
        found["user"] = unquote(user.partition(":")[0])
    if host:
        name, colon, port = host.rpartition(":")
        if not colon or not port.isdigit():
            name, port = host, ""
        found["host"] = unquote(name)
        if port:
            found["port"] = port
    return found
