"""Uses all of rdsign like a typed program. Only type checkers read it; it is not run."""

from __future__ import annotations

from datetime import datetime, timezone

import rdsign


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
text: str = token.value + signer.password() + str(token) + signer.hostname + signer.region
expires_at: datetime = token.expires_at
port: int = signer.port


async def main() -> str:
    other: rdsign.Token = await signer.token_async()
    return other.value + await signer.password_async()


try:
    rdsign.generate_db_auth_token("host", 5432, "user", Region="eu-central-1")
    rdsign.generate_db_auth_token(DBHostname="host", Port="5432", DBUsername="user")
except rdsign.InvalidRequestError as error:
    code: str = error.code
except rdsign.CredentialsError as error:
    code = error.code
path: str = rdsign.ca_bundle()
