"""SQLAlchemy engines whose connections log in with tokens.

    engine = rdsign.sqlalchemy.use_tokens(create_engine("postgresql+psycopg://iam_user@mydb.abc123.eu-central-1.rds.amazonaws.com/app"))

Engines of create_async_engine() work, too. The drivers are psycopg, psycopg2 and asyncpg. Hosts and
certificates work as in `rdsign.psycopg`, `rdsign.psycopg2` and `rdsign.asyncpg`; pass `hostaddr` and
`sslmode` in the URL's query or in connect_args.
"""

from __future__ import annotations

from sqlalchemy import event

from . import Signer

try:
    from sqlalchemy.util import await_
except ImportError:  # before SQLAlchemy 2.1
    from sqlalchemy.util import await_only as await_

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Optional, TypeVar

    from sqlalchemy import Engine
    from sqlalchemy.ext.asyncio import AsyncEngine

    _AnyEngine = TypeVar("_AnyEngine", Engine, AsyncEngine)

__all__ = ["use_tokens"]

DRIVERS = ("psycopg", "psycopg_async", "psycopg2", "asyncpg")


def use_tokens(engine: _AnyEngine, signer: Optional[Signer] = None) -> _AnyEngine:
    """Makes an engine sign a token for each connection that it opens from now on, and returns it.

    Without a signer, tokens are signed for the URL's host, port and user, with credentials from the
    default chain. A password in the URL is ignored. Raises ValueError for another driver. Connecting
    raises what `Signer` and `Signer.token()` raise.
    """
    sync_engine: Any = getattr(engine, "sync_engine", engine)
    driver = sync_engine.dialect.driver
    if driver not in DRIVERS:
        raise ValueError(f"engine: has the driver {driver}; accepted: {', '.join(DRIVERS)}")

    # Connects here, because `parameters` is the engine's own dict: a value added to it would look
    # like the program's own at the next connection.
    @event.listens_for(sync_engine, "do_connect")
    def connect(dialect: Any, record: Any, positional: Any, parameters: dict[str, Any]) -> Any:
        if driver == "asyncpg":
            from .asyncpg import arguments

            parameters = {name: v for name, v in parameters.items() if name != "password"}
            return dialect.connect(*positional, **arguments(signer=signer, **parameters))
        from ._libpq import prepare

        own, parameters = prepare(parameters, signer)
        password = await_(own.password_async()) if dialect.is_async else own.password()
        return dialect.connect(*positional, **parameters, password=password)

    return engine
