"""SQLAlchemy engines whose connections log in with tokens.

    engine = rdsign.sqlalchemy.use_tokens(create_engine("postgresql+psycopg://iam_user@mydb.abc123.eu-central-1.rds.amazonaws.com/app"))
    engine = create_engine("postgresql+psycopg://iam_user@mydb.abc123.eu-central-1.rds.amazonaws.com/app?plugin=rdsign")

The second line is for programs that have only a URL. Engines of create_async_engine() work, too. The drivers are psycopg, psycopg2 and asyncpg. Hosts and
certificates work as in `rdsign.psycopg`, `rdsign.psycopg2` and `rdsign.asyncpg`; pass `hostaddr`,
`sslmode`, `sslrootcert`, `profile`, `role_arn` and `region` in the URL's query or in connect_args.
"""

from __future__ import annotations

from sqlalchemy import Engine, create_engine, event
from sqlalchemy.engine import CreateEnginePlugin
from sqlalchemy.exc import OperationalError

from . import Error, Signer
from ._errors import operational

try:
    from sqlalchemy.util import await_
except ImportError:  # before SQLAlchemy 2.1
    from sqlalchemy.util import await_only as await_

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Optional, TypeVar

    from sqlalchemy import URL
    from sqlalchemy.ext.asyncio import AsyncEngine

    _AnyEngine = TypeVar("_AnyEngine", Engine, AsyncEngine)

__all__ = ["Plugin", "use_tokens"]

DRIVERS = ("psycopg", "psycopg_async", "psycopg2", "asyncpg")


def use_tokens(engine: _AnyEngine, signer: Optional[Signer] = None) -> _AnyEngine:
    """Makes an engine sign a token for each connection that it opens from now on, and returns it.

    Without a signer, tokens are signed for the URL's host, port and user, with credentials from the
    default chain. A password in the URL is ignored. Raises ValueError for another driver and for an
    engine that opens connections itself. Connecting raises what `Signer` and `Signer.token()` raise;
    these errors are also an `sqlalchemy.exc.OperationalError`.
    """
    sync_engine: Any = getattr(engine, "sync_engine", engine)
    if not isinstance(sync_engine, Engine):
        raise TypeError(f"engine: has type {type(engine).__name__}; accepted: an Engine or AsyncEngine")
    driver = sync_engine.dialect.driver
    if driver not in DRIVERS:
        raise ValueError(f"engine: has the driver {driver}; accepted: {', '.join(DRIVERS)}")

    # Only SQLAlchemy's own creator knows the event below.
    if getattr(sync_engine.pool._creator, "__module__", "") != create_engine.__module__:
        raise ValueError(
            "engine: its connections come from creator=, async_creator= or pool=, and would get no token; "
            "accepted: an engine without these arguments"
        )

    # Connects here, because `parameters` is the engine's own dict: a value added to it would look
    # like the program's own at the next connection.
    @event.listens_for(sync_engine, "do_connect")
    def connect(dialect: Any, record: Any, positional: Any, parameters: dict[str, Any]) -> Any:
        try:
            return connected(dialect, positional, parameters)
        except Error as error:
            raise operational(error, OperationalError, None, None, error) from error

    def connected(dialect: Any, positional: Any, parameters: dict[str, Any]) -> Any:
        if driver == "asyncpg":
            from .asyncpg import arguments

            parameters = {name: v for name, v in parameters.items() if name != "password"}
            dsn = parameters.pop("dsn", None)
            return dialect.connect(*positional, dsn=dsn, **arguments(dsn, signer=signer, **parameters))
        from ._libpq import prepare

        own, parameters = prepare(parameters, signer)
        password = await_(own.password_async()) if dialect.is_async else own.password()
        return dialect.connect(*positional, **parameters, password=password)

    return engine


class Plugin(CreateEnginePlugin):
    """Calls use_tokens() for URLs with `plugin=rdsign`."""

    def update_url(self, url: URL) -> URL:
        return url

    def engine_created(self, engine: Engine) -> None:
        use_tokens(engine)
