"""Signs IAM database authentication tokens for Amazon RDS, Aurora and Aurora DSQL.

    signer = rdsign.Signer(hostname="mydb.abc123.eu-central-1.rds.amazonaws.com", username="iam_user")
    password = signer.password()  # call it for each new connection

A token for RDS is valid for at most 15 minutes, so every new connection needs a new password. The modules
`rdsign.psycopg`, `rdsign.psycopg2`, `rdsign.asyncpg`, `rdsign.sqlalchemy` and
`rdsign.django.postgresql` do that in one line. boto3 is not required.
"""

# Importing asyncio or typing here would make `import rdsign` about ten times slower.
from __future__ import annotations

from ._errors import CredentialsError, Error, InvalidRequestError
from ._rdsign import Signer as _Signer
from ._rdsign import Token, __version__, aws_environment

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Optional, Union

    from . import asyncpg as asyncpg
    from . import django as django
    from . import psycopg as psycopg
    from . import psycopg2 as psycopg2
    from . import sqlalchemy as sqlalchemy

__all__ = [
    "CredentialsError",
    "Error",
    "InvalidRequestError",
    "Signer",
    "Token",
    "__version__",
    "ca_bundle",
    "generate_db_auth_token",
    "generate_db_connect_admin_auth_token",
    "generate_db_connect_auth_token",
]

# Imported when they are first used, because each imports its driver.
_DRIVERS = ("asyncpg", "django", "psycopg", "psycopg2", "sqlalchemy")

# A type checker would accept every name if it saw this.
if not TYPE_CHECKING:

    def __getattr__(name: str) -> Any:
        if name not in _DRIVERS:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from importlib import import_module

        return import_module(f"{__name__}.{name}")


def __dir__() -> list[str]:
    return sorted({*__all__, *(name for name in globals() if name.startswith("__"))})


class Signer(_Signer):
    """Signs tokens for one database user at one endpoint.

    Create one and keep it: it caches credentials and signing keys. Any number of threads and tasks
    may share it, and a forked process may keep using its parent's. It starts a thread only
    to ask botocore, and no timer.

    All options are keyword arguments. `None` is the same as omitting an option.

    - `hostname`: the endpoint's host name, as RDS or DSQL shows it, even if you dial another address.
    - `username`: the database user, exactly as the database spells it.
    - `port`: the endpoint's port, 1 to 65535. Default: 5432.
    - `region`: the endpoint's region. Default: the region in the host name, else AWS_REGION, else
      AWS_DEFAULT_REGION, else the profile's.
    - `expires_in`: how long a token is valid, in seconds, 1 to 900, or for DSQL 1 to 604,800.
      Default: 900.
    - `service`: the service that tokens are for, "rds" or "dsql". Default: the host name's, else
      "rds". Only a name of your own, such as an alias of a DSQL endpoint, needs it.
    - `access_key_id`, `secret_access_key`, `session_token`: the keys to sign with.
    - `credentials`: a boto3 or botocore Session, botocore credentials, or a function that returns
      keys. Keys are botocore credentials, the Credentials of an STS response, or a dict with
      access_key_id, secret_access_key and, for temporary keys, session_token and expires_at (an
      aware datetime). The function is called for the first token, and again before the keys expire;
      a dict without an expiry is kept. The function must limit its own waiting, and must not use
      the signer that it provides keys for.
    - `profile`: a profile of the AWS configuration files, as the only source.
    - `role_arn`, `external_id`, `role_session_name`: a role to assume with the credentials found.
    - `credentials_timeout`: how many seconds all calls for credentials may take together, over 0.
      botocore's count, too, so a session that asks for an MFA code needs more. Default: 5.

    Without keys, `credentials` and `profile`, credentials come from where the AWS CLI looks. They
    are looked for when the first token is asked for, not here.

    Raises InvalidRequestError with the code of the first invalid option, and TypeError for an option
    of the wrong type.
    """

    __slots__ = ()

    async def token_async(self) -> Token:
        """Returns a token without blocking the event loop.

        With cached credentials it signs at once, and works in any event loop. Otherwise it waits
        for credentials in a thread of asyncio's default executor, and raises RuntimeError in another
        event loop. Also raises what `token()` raises.
        """
        token = self.ready_token()
        if token is None:
            import asyncio

            try:
                asyncio.get_running_loop()
            except RuntimeError:
                raise RuntimeError(
                    "token_async() can wait for credentials in asyncio only; in another event loop, "
                    "call token() in a thread if ready_token() returns None"
                ) from None
            token = await asyncio.to_thread(self.token)
        return token

    async def password_async(self) -> str:
        """Returns the text of a token without blocking the event loop: see `token_async()`."""
        return (await self.token_async()).value


def _port_of(port: Union[int, str, None]) -> Optional[int]:
    """Converts a port that may be text, as libpq and boto3 accept it.

    Other text is passed on for the Signer to reject.
    """
    if isinstance(port, str) and port.isascii() and port.isdigit() and port[0] != "0":
        return int(port[:9])  # nine digits are enough to be out of range
    return port  # type: ignore[return-value]


_KEPT = 256
_signers: dict[tuple[object, ...], Signer] = {}


def _signer_for(hostname: str, port: Optional[int], username: str, **options: Any) -> Signer:
    """Returns the cached Signer for these options. A change of the AWS_* variables makes a new one."""
    # The type is part of the key: True and 1.0 equal 1, but are not ports.
    key = (hostname, type(port), port, username, *sorted(options.items()), aws_environment())
    try:
        signer = _signers.get(key)
    except TypeError:  # unhashable: the Signer says which option has the wrong type
        signer = None
    if signer is None:
        signer = Signer(hostname=hostname, port=port, username=username, **options)
        if len(_signers) >= _KEPT:
            _signers.clear()
        _signers[key] = signer
    return signer


def generate_db_auth_token(
    DBHostname: str, Port: Union[int, str], DBUsername: str, Region: Optional[str] = None
) -> str:
    """Returns the text of a token, as the method of the same name of boto3's RDS client does.

    The arguments and the token's bytes are the same. `Port` may be text, as in AWS's examples.
    `Region` has the default of `Signer`.

    Credentials come from where the AWS CLI looks. They are cached until they are about to
    expire, or an AWS_* variable of the environment or HOME changes.

    Raises what `Signer` and `Signer.token()` raise.
    """
    if Port is None:
        raise TypeError("Port: has type NoneType; accepted: an int")
    return _signer_for(DBHostname, _port_of(Port), DBUsername, region=Region).password()


def generate_db_connect_auth_token(Hostname: str, Region: Optional[str] = None, ExpiresIn: int = 900) -> str:
    """Returns the text of a token for Aurora DSQL, for every database role but `admin`.

    Does what the method of the same name of boto3's DSQL client does: the arguments and the token's
    bytes are the same. `ExpiresIn` is 1 to 604,800 seconds. Everything else is as for
    `generate_db_auth_token()`.
    """
    # Any user but admin: the token does not name it.
    return _dsql_token(Hostname, "user", Region, ExpiresIn)


def generate_db_connect_admin_auth_token(
    Hostname: str, Region: Optional[str] = None, ExpiresIn: int = 900
) -> str:
    """Returns the text of a token for the database role `admin`: see `generate_db_connect_auth_token()`."""
    return _dsql_token(Hostname, "admin", Region, ExpiresIn)


def _dsql_token(hostname: str, username: str, region: Optional[str], expires_in: int) -> str:
    options = {"region": region, "expires_in": expires_in, "service": "dsql"}
    return _signer_for(hostname, None, username, **options).password()


def ca_bundle() -> str:
    """Returns the path of the certificate authorities of RDS, Aurora and RDS Proxy, in PEM.

    Pass it to a driver as `sslrootcert`. See
    https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/UsingWithRDS.SSL.html
    """
    return __file__.rpartition("__init__")[0] + "rds.pem"
