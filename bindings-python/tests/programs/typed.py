"""Uses all of rdsign like a typed program. Only type checkers read it; it is not run."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

import asyncpg
import psycopg2.extensions
import rdsign
import sqlalchemy
from psycopg.rows import DictRow, TupleRow, dict_row
from psycopg_pool import ConnectionPool


def keys() -> dict[str, object]:
    return {"access_key_id": "akid", "secret_access_key": "secret"}


signer = rdsign.Signer(
    hostname="mydb.abc123.eu-central-1.rds.amazonaws.com",
    username="iam_user",
    port=5432,
    region=None,
    expires_in=900,
    credentials=keys,
    credentials_timeout=2.5,
)
token: rdsign.Token = signer.token(signing_time=datetime.now(timezone.utc))
ready: rdsign.Token | None = signer.ready_token()
text: str = token.value + signer.password() + str(token) + signer.hostname + signer.region + signer.service
database: str | None = signer.default_database
expires_at: datetime = token.expires_at
port: int = signer.port


async def main() -> str:
    other: rdsign.Token = await signer.token_async()
    return other.value + await signer.password_async()


try:
    rdsign.generate_db_auth_token("host", 5432, "user", Region="eu-central-1")
    rdsign.generate_db_auth_token(DBHostname="host", Port="5432", DBUsername="user")
    rdsign.generate_db_connect_auth_token("host", Region="us-east-1", ExpiresIn=3600)
    rdsign.generate_db_connect_admin_auth_token(Hostname="host", Region="us-east-1")
except rdsign.InvalidRequestError as error:
    code: str = error.code
except rdsign.CredentialsError as error:
    code = error.code
path: str = rdsign.ca_bundle()
version: str = rdsign.__version__


# The drivers' types are kept, without an import of rdsign.psycopg and the like.
plain: rdsign.psycopg.Connection[TupleRow] = rdsign.psycopg.connect("", signer=signer, autocommit=True)
rows = rdsign.psycopg.Connection[DictRow].connect(row_factory=dict_row, profile="dev")
# pyright infers the rows of neither this nor psycopg's own function.
own: rdsign.psycopg.Connection[DictRow] = rdsign.psycopg.connect(row_factory=dict_row)  # pyright: ignore
row: dict[str, Any] | None = rows.execute("select 1").fetchone()
pool: ConnectionPool[rdsign.psycopg.Connection[DictRow]] = ConnectionPool(
    connection_class=rdsign.psycopg.Connection[DictRow], kwargs={"row_factory": dict_row}
)


class Own(psycopg2.extensions.connection):
    pass


second: psycopg2.extensions.connection = rdsign.psycopg2.connect("dbname=app")
mine: Own = rdsign.psycopg2.connect("dbname=app", connection_factory=Own)
engine: sqlalchemy.Engine = rdsign.sqlalchemy.use_tokens(sqlalchemy.create_engine("postgresql://"))


async def drivers() -> None:
    third: asyncpg.Connection[asyncpg.Record] = await rdsign.asyncpg.connect(user="u")
    record: asyncpg.Record | None = await third.fetchrow("select 1")
    async with rdsign.asyncpg.create_pool(user="u") as connections:
        text: str = await connections.execute("select 1")
    again = await rdsign.psycopg.AsyncConnection[DictRow].connect(row_factory=dict_row)
    print(record, text, again)
