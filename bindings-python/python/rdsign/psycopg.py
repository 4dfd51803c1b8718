"""psycopg 3 connections that log in with tokens.

    connection = rdsign.psycopg.connect("host=mydb.abc123.eu-central-1.rds.amazonaws.com user=iam_user dbname=app")
    pool = psycopg_pool.ConnectionPool("host=... user=... dbname=app", connection_class=rdsign.psycopg.Connection)

Async programs use AsyncConnection or `await connect_async()`. Every connection gets its own token,
also in pools. sslmode is verify-full and sslrootcert is `rdsign.ca_bundle()` unless the parameters,
PGSSLMODE or PGSSLROOTCERT say otherwise.

Tokens are signed for `host`, `port` and `user`, with credentials from the default chain. For other
credentials or another endpoint, pass `signer=`, or `profile=`, `role_arn=` or `region=`. To dial another address than the endpoint, such as a
tunnel, pass `hostaddr=` and `port=`:
`connect(signer=signer, hostaddr="127.0.0.1", port=6543, dbname="app")`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import psycopg
from psycopg.conninfo import conninfo_to_dict
from psycopg.rows import Row

from . import Signer
from ._libpq import merged, prepare

if TYPE_CHECKING:
    from typing import Optional

    from psycopg.rows import AsyncRowFactory, RowFactory
    from typing_extensions import Self

__all__ = ["AsyncConnection", "Connection", "connect", "connect_async"]


class Connection(psycopg.Connection[Row]):
    """A psycopg.Connection that logs in with a token."""

    # mypy: psycopg's other arguments are in **kwargs here.
    @classmethod
    def connect(  # type: ignore[override]
        cls,
        conninfo: str = "",
        *,
        signer: Optional[Signer] = None,
        row_factory: Optional[RowFactory[Row]] = None,
        **kwargs: Any,
    ) -> Self:
        """Connects as psycopg's method does, with a token as the password.

        Also raises what `Signer` and `Signer.token()` raise.
        """
        signer, parameters = prepare(merged(conninfo_to_dict(conninfo), kwargs), signer)
        return super().connect(password=signer.password(), row_factory=row_factory, **parameters)


class AsyncConnection(psycopg.AsyncConnection[Row]):
    """A psycopg.AsyncConnection that logs in with a token."""

    @classmethod
    async def connect(  # type: ignore[override]
        cls,
        conninfo: str = "",
        *,
        signer: Optional[Signer] = None,
        row_factory: Optional[AsyncRowFactory[Row]] = None,
        **kwargs: Any,
    ) -> Self:
        """Connects as psycopg's method does, with a token as the password.

        Also raises what `Signer` and `Signer.token()` raise.
        """
        signer, parameters = prepare(merged(conninfo_to_dict(conninfo), kwargs), signer)
        password = await signer.password_async()
        return await super().connect(password=password, row_factory=row_factory, **parameters)


connect = Connection.connect
connect_async = AsyncConnection.connect
