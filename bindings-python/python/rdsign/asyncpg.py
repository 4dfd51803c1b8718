"""asyncpg connections that log in with tokens.

    connection = await rdsign.asyncpg.connect(host="mydb.abc123.eu-central-1.rds.amazonaws.com", user="iam_user", database="app")
    pool = rdsign.asyncpg.create_pool(host="...", user="iam_user", database="app")

Every connection gets its own token, also in pools. The server's certificate must match its name and
come from the authorities in `rdsign.ca_bundle()`, unless `ssl=`, `sslmode=`, `sslrootcert=`, the DSN,
PGSSLMODE or PGSSLROOTCERT say otherwise.

Tokens are signed for `host`, `port` and `user`, with credentials from the default chain. For other
credentials or another endpoint, pass `signer=`, or `profile=`, `role_arn=` or `region=`. To dial
another address than the endpoint, such as a tunnel, pass `hostaddr=` (default: PGHOSTADDR) and `port=`.
asyncpg itself has neither `hostaddr=` nor `sslmode=` and `sslrootcert=`.
"""

from __future__ import annotations

import os
import ssl as tls
from urllib.parse import parse_qs, unquote, urlsplit

import asyncpg

from . import Signer, ca_bundle
from ._libpq import CHECKED, OPTIONS, VERIFY_FULL, check_host, expand_service, settle

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Optional

__all__ = ["arguments", "connect", "create_pool"]


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

    Use it in code that calls asyncpg itself. Raises what `Signer` raises, and ValueError if
    `hostaddr` is combined with an SSLContext or True as `ssl`.
    """
    given, in_dsn = dict(kwargs), _read(dsn) if dsn else {}
    endpoint = {**in_dsn, **{name: value for name, value in kwargs.items() if value is not None}}
    named = dict(endpoint)
    expand_service(named, signer)
    # asyncpg has other names for the rest. Older versions know no service, so all values are passed on.
    endpoint |= {name: named[name] for name in ("host", "port", "user") if name in named}
    if hostaddr is None:
        hostaddr = named.get("hostaddr") or os.environ.get("PGHOSTADDR") or None
    if "dbname" in named and not (given.get("database") or (dsn and urlsplit(dsn).path.strip("/"))):
        given["database"] = named["dbname"]
    signer = settle(endpoint, signer)
    for name in (*OPTIONS, "sslmode", "sslrootcert"):
        given.pop(name, None)
    given |= {name: endpoint[name] for name in ("host", "port", "user")}
    given["password"] = signer.password_async
    mode = given.get("ssl")
    if mode is None:
        mode = given["ssl"] = named.get("sslmode") or os.environ.get("PGSSLMODE") or VERIFY_FULL
    if _checks_the_name(mode):
        check_host(endpoint["host"], signer)
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
    if hostaddr is not None:
        if mode is True or isinstance(mode, tls.SSLContext):
            raise ValueError(
                "ssl: an SSLContext or True would compare the certificate with hostaddr; "
                "accepted: a str such as verify-full"
            )
        given["host"] = hostaddr
    return given


def _checks_the_name(mode: Any) -> bool:
    """Whether an `ssl` argument compares the certificate's name with the host."""
    if isinstance(mode, tls.SSLContext):
        return mode.check_hostname
    return mode is not False and (not isinstance(mode, str) or mode == VERIFY_FULL)


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
    return asyncpg.create_pool(dsn, **arguments(dsn, signer=signer, hostaddr=hostaddr, **kwargs))


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
