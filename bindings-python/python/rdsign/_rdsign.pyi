"""Types of the native half of rdsign. Import from `rdsign` instead."""

from collections.abc import Callable
from datetime import datetime
from typing import Any, NoReturn, Protocol, SupportsIndex, final

from typing_extensions import Self, disjoint_base

__all__ = [
    "Signer",
    "Token",
    "__version__",
    "aws_environment",
    "check_arguments",
    "check_connection_string",
    "check_setting",
    "libpq_service",
    "quoted",
]

__version__: str

class _Session(Protocol):
    """A boto3 or botocore Session."""

    def get_credentials(self) -> Any: ...

class _BotocoreCredentials(Protocol):
    """botocore credentials, refreshable or not."""

    def get_frozen_credentials(self) -> Any: ...

@disjoint_base
class Signer:
    """The base of `rdsign.Signer`, which documents the options."""

    def __new__(
        cls,
        *,
        hostname: str,
        username: str,
        port: SupportsIndex | None = 5432,
        region: str | None = None,
        expires_in: SupportsIndex | None = 900,
        service: str | None = None,
        access_key_id: str | None = None,
        secret_access_key: str | None = None,
        session_token: str | None = None,
        credentials: _Session | _BotocoreCredentials | Callable[[], Any] | None = None,
        profile: str | None = None,
        role_arn: str | None = None,
        external_id: str | None = None,
        role_session_name: str | None = None,
        credentials_timeout: float | None = 5.0,
    ) -> Self: ...
    def token(self, *, signing_time: datetime | None = None) -> Token:
        """Returns a token that is signed now.

        With cached credentials this takes a few microseconds. Otherwise it fetches credentials,
        which takes at most `credentials_timeout`, unless a function in `credentials` takes longer.
        Other threads run meanwhile; Ctrl-C takes effect afterwards.

        `signing_time` is for tests: an aware datetime from 1970 to 9999. Credentials must be valid
        at that time. Default: now.

        Raises CredentialsError with CREDENTIALS_NOT_FOUND, CREDENTIALS_EXPIRED, CREDENTIALS_FAILED
        or CREDENTIALS_TIMEOUT, and InvalidRequestError with INVALID_CREDENTIALS (the source
        returned invalid keys) or INVALID_SIGNING_TIME. If a `credentials` function raised an
        exception, that is the `__cause__`.
        """

    def password(self) -> str:
        """Returns the text of a token that is signed now: the password for one connection.

        Python cannot wipe a str from memory. Raises what `token()` raises.
        """

    def ready_token(self) -> Token | None:
        """Returns a token that is signed now, or None if it would have to wait for credentials.

        Use it in event loops other than asyncio's, and call `token()` in a thread if it returns
        None. Raises what `token()` raises.
        """

    @property
    def hostname(self) -> str:
        """The host name that tokens are signed for, as given."""

    @property
    def port(self) -> int:
        """The port that tokens are signed for."""

    @property
    def username(self) -> str:
        """The database user that tokens are signed for."""

    @property
    def region(self) -> str:
        """The region that tokens are signed for."""

    @property
    def service(self) -> str:
        """The service that tokens are signed for: "rds" or "dsql"."""

    @property
    def default_database(self) -> str | None:
        """The database to log in to if a program names none: "postgres" for DSQL, else None."""

    def __copy__(self) -> Self:
        """Returns the signer itself, which is immutable."""

    def __deepcopy__(self, _memo: Any) -> Self:
        """Returns the signer itself, which is immutable."""

    def __reduce__(self) -> NoReturn:
        """Raises TypeError: a signer cannot be pickled, because it may contain keys."""

@final
class Token:
    """A signed token for one login.

    A token is a password: str(), repr(), format() and f-strings do not show it, and it cannot be
    pickled or copied. Tokens are compared by identity.
    """

    @property
    def value(self) -> str:
        """The text to pass to the driver as the password: ASCII, about 350 characters with a
        long-lived key, 1,300 to 2,500 with a session token."""

    @property
    def expires_at(self) -> datetime:
        """When the server starts to reject the token, in UTC: when `expires_in` has passed or the
        credentials that signed it expire, whichever comes first. An open connection stays open.

        Raises OverflowError if that is after the year 9999.
        """

    def __format__(self, _specification: str, /) -> str:
        """Returns repr(self), which does not contain the token's text."""

    def __reduce__(self) -> NoReturn:
        """Raises TypeError: a token cannot be pickled, because it is a password."""

def aws_environment() -> int:
    """Returns a hash of HOME (Windows: USERPROFILE) and the AWS_* variables of the environment."""

def libpq_service(name: str, has_sslmode: bool) -> list[tuple[str, str]]:
    """The settings of a libpq service, without its password.

    Without an sslmode of the caller's own, the service's must be verify-full.
    """

def check_arguments(
    program: str, arguments: list[str], hostname: str, sslmode: str | None, ports: list[str], username: str
) -> None:
    """Rejects arguments that would send a token for `hostname` to another server, or that name another
    port or user than those of the token, or a password.

    Only verify-full is accepted in them, unless the caller agreed to another sslmode.
    """

def check_connection_string(
    text: str, hostname: str, sslmode: str | None, ports: list[str], username: str
) -> None:
    """Rejects a database's name that is a connection string, as `check_arguments` does."""

def check_setting(keyword: str, value: str, hostname: str, sslmode: str | None) -> None:
    """Rejects a value of one of libpq's keywords that is about the server, as `check_arguments` does."""

def quoted(text: str) -> str:
    """Quotes and escapes input for a message. Truncates it to 100 characters."""
