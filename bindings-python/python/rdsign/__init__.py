"""Signs Amazon RDS and Aurora IAM database authentication tokens.

    signer = rdsign.Signer(hostname="mydb.abc123.eu-central-1.rds.amazonaws.com", username="iam_user")
    password = signer.password()  # for one connection: each gets its own

A token lives for 15 minutes at the most, so what makes connections must ask for a new password each
time. For psycopg, psycopg2, asyncpg, SQLAlchemy and Django there are `rdsign.psycopg` and so on,
where that is one line. Nothing here needs boto3.
"""

# asyncio and typing alone would take ten times as long to import as all of this.
from __future__ import annotations

from ._errors import CredentialsError, Error, InvalidRequestError
from ._rdsign import Signer as _Signer
from ._rdsign import Token, aws_environment

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Optional, Union

__all__ = [
    "CredentialsError",
    "Error",
    "InvalidRequestError",
    "Signer",
    "Token",
    "ca_bundle",
    "generate_db_auth_token",
]


class Signer(_Signer):
    """Signs tokens for one database user at one endpoint.

    Make it once and keep it: it keeps credentials and signing keys from one call to the next, and
    any number of threads and tasks may use it. A process that is forked may go on using its
    parent's. It starts no thread and no timer.

    All options are given by name:

    - `hostname`: the endpoint's name as RDS shows it, whatever name or tunnel is dialled.
    - `username`: the database user, exactly as the database spells it.
    - `port`: the endpoint's, 1 to 65535. Default: 5432.
    - `region`: default: the one in the host name, else AWS_REGION, AWS_DEFAULT_REGION, the profile's.
    - `expires_in`: a token's life in seconds, 1 to 900. Default: 900.
    - `access_key_id`, `secret_access_key`, `session_token`: keys to sign with.
    - `credentials`: a boto3 or botocore Session, botocore credentials, or a function that returns
      keys: a dict with access_key_id, secret_access_key and, for temporary keys, session_token and
      expires_at (an aware datetime), or the Credentials that STS gives. It is called when the first
      token is asked for, and again before these keys end; without an end, never again. It bounds its
      own waiting, and must not use the signer it works for.
    - `profile`: a profile of the AWS configuration files, and nothing else.
    - `role_arn`, `external_id`, `role_session_name`: a role to assume on top of the others.
    - `credentials_timeout`: seconds that all calls for credentials may take together. Default: 5.

    Without keys, `credentials` and `profile` the AWS SDKs' default chain is searched, when the
    first token is asked for. None is as good as not given.

    Raises InvalidRequestError, with the code of the first option that is wrong.
    """

    __slots__ = ()

    async def token_async(self) -> Token:
        """As `token()`, for asyncio: a thread of the event loop's waits where that is needed.

        With the credentials at hand there is no thread, and any event loop will do.
        """
        token = self.ready_token()
        if token is None:
            import asyncio

            token = await asyncio.to_thread(self.token)
        return token

    async def password_async(self) -> str:
        """As `password()`, for asyncio: see `token_async()`."""
        return (await self.token_async()).value


def _port_of(port: Union[int, str, None]) -> Optional[int]:
    """A port that may be text, as libpq and boto3 have it. Other text stays it, to be refused."""
    if isinstance(port, str) and port.isascii() and port.isdigit() and port[0] != "0":
        return int(port[:9])  # as much too large as all of it would be
    return port  # type: ignore[return-value]


_KEPT = 256
_signers: dict[tuple[object, ...], Signer] = {}


def _signer_for(hostname: str, port: Optional[int], username: str, region: Optional[str] = None) -> Signer:
    """The one Signer for these, with the default chain, for as long as the environment says so."""
    # By type, too: True and 1.0 equal 1, but are no ports.
    key = (hostname, type(port), port, username, region, aws_environment())
    signer = _signers.get(key)
    if signer is None:
        signer = Signer(hostname=hostname, port=port, username=username, region=region)
        if len(_signers) >= _KEPT:
            _signers.clear()
        _signers[key] = signer
    return signer


def generate_db_auth_token(
    DBHostname: str, Port: Union[int, str], DBUsername: str, Region: Optional[str] = None
) -> str:
    """The text of a token, by the name, the arguments and to the byte as boto3's RDS client has it.

    Credentials come from the AWS SDKs' default chain. They are kept from one call to the next, as
    boto3's clients do, until they are about to end, or a variable AWS_* of the environment changes.
    The port may be text, as in AWS's own examples.

    Raises what Signer and `Signer.token()` raise.
    """
    if Port is None:
        raise TypeError("Port: None is given; accepted: an int")
    return _signer_for(DBHostname, _port_of(Port), DBUsername, Region).password()


def ca_bundle() -> str:
    """The path of the certificate authorities of RDS, Aurora and RDS Proxy, in PEM: for `sslrootcert`.

    https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/UsingWithRDS.SSL.html
    """
    return __file__.rpartition("__init__")[0] + "rds.pem"
