"""psycopg2 connections that log in with tokens.

    connection = rdsign.psycopg2.connect("host=mydb.abc123.eu-central-1.rds.amazonaws.com user=iam_user dbname=app")
    pool = ThreadedConnectionPool(1, 10, "host=... user=... dbname=app", connection_factory=rdsign.psycopg2.connection)

Every connection gets its own token, also in pools. sslmode is verify-full and sslrootcert is
`rdsign.ca_bundle()` unless the parameters, PGSSLMODE or PGSSLROOTCERT say otherwise.

Tokens are signed for `host`, `port` and `user`, with credentials from the default chain. For other
credentials or another endpoint, pass `signer=`, or `profile=`, `role_arn=` or `region=` to connect(), or
`connection_factory=rdsign.psycopg2.factory(signer)` to a pool. To dial another address than the
endpoint, such as a tunnel, pass `hostaddr=` and `port=`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, overload

import psycopg2
from psycopg2.extensions import make_dsn, parse_dsn

from . import Signer
from ._libpq import prepare, take_options

if TYPE_CHECKING:
    from typing import Callable, ClassVar, Optional, TypeVar

    _Connection = TypeVar("_Connection", bound=psycopg2.extensions.connection)

__all__ = ["connect", "connection", "factory"]


class connection(psycopg2.extensions.connection):
    """A psycopg2 connection that logs in with a token."""

    _signer: Optional[Signer] = None
    _options: ClassVar[dict[str, Any]] = {}

    def __init__(self, dsn: str, *args: Any, **kwargs: Any) -> None:
        signer, parameters = prepare({**parse_dsn(dsn), **self._options}, self._signer)
        super().__init__(make_dsn(password=signer.password(), **parameters), *args, **kwargs)


def factory(
    signer: Optional[Signer] = None, base: Optional[type] = None, **options: Any
) -> Callable[..., psycopg2.extensions.connection]:
    """Returns a `connection_factory=` that uses a signer, or these options of one, such as a profile.

    If `base` is given, connections also are instances of that subclass of psycopg2's connection.
    """
    bases = (connection, base) if base else (connection,)
    return type("connection", bases, {"_signer": signer, "_options": options})


@overload
def connect(
    dsn: Optional[str] = None,
    connection_factory: None = None,
    cursor_factory: Optional[Callable[..., Any]] = None,
    *,
    signer: Optional[Signer] = None,
    **kwargs: Any,
) -> psycopg2.extensions.connection: ...


@overload
def connect(
    dsn: Optional[str] = None,
    *,
    connection_factory: type[_Connection],
    cursor_factory: Optional[Callable[..., Any]] = None,
    signer: Optional[Signer] = None,
    **kwargs: Any,
) -> _Connection: ...


def connect(
    dsn: Optional[str] = None,
    connection_factory: Optional[type] = None,
    cursor_factory: Optional[Callable[..., Any]] = None,
    *,
    signer: Optional[Signer] = None,
    **kwargs: Any,
) -> Any:
    """Connects as `psycopg2.connect()` does, with a token as the password.

    Also raises what `Signer` and `Signer.token()` raise.
    """
    options = take_options(kwargs)
    made = factory(signer, connection_factory, **options)
    # psycopg2 refuses a missing DSN, although the signer or libpq's variables may have all parameters.
    return psycopg2.connect(dsn or "", made, cursor_factory, **kwargs)
