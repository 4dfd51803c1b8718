"""What rdsign raises. The codes and messages are core's, the same in every language."""


class Error(Exception):
    """What rdsign raises, wrong types apart: those are a `TypeError`, as everywhere.

    `str()` of it says what is wrong and what is accepted. It never holds a secret access key, a
    session token or a token, so it may be logged.
    """

    code: str
    """The stable code, such as `"INVALID_PORT"`; docs/errors.md lists all. `"INTERNAL"` is a bug in
    rdsign."""

    def __init__(self, message: str = "", code: str = "INTERNAL") -> None:
        super().__init__(message)
        self.code = code


class InvalidRequestError(Error, ValueError):
    """An option is not what is accepted, or the region is missing."""


class CredentialsError(Error):
    """There are no credentials, they have expired, or their source failed or took too long."""


for _class in (Error, InvalidRequestError, CredentialsError):
    _class.__module__ = "rdsign"
