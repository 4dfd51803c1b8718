"""The exceptions that rdsign raises. The codes and the messages about options come from core, and are
the same in every language."""


class Error(Exception):
    """The base of rdsign's exceptions. A value of the wrong type raises `TypeError` instead.

    The message says what is wrong and what is accepted. It never contains a secret access key, a
    session token or a token, so it is safe to log.
    """

    code: str
    """The stable code, such as `"INVALID_PORT"`. docs/errors.md lists all codes. `"INTERNAL"` is a
    bug in rdsign."""

    def __init__(self, message: str = "", code: str = "INTERNAL") -> None:
        super().__init__(message)
        self.code = code


class InvalidRequestError(Error, ValueError):
    """An option is invalid, or the region is missing."""


class CredentialsError(Error):
    """No credentials were found, they have expired, or their source failed or took too long."""


def operational(error: Error, base: type[Exception], *arguments: object) -> Error:
    """Returns the error as one that also is a framework's OperationalError, made with these arguments.

    So both `except rdsign.Error` and the framework's own code, such as one that tries again, catch it.
    """
    names = {
        "__init__": base.__init__,
        "__str__": lambda self: str(error),
        "__reduce__": lambda self: (operational, (error, base, *arguments)),
        "__module__": "rdsign",
    }
    kind = type(type(error).__name__, (type(error), base), names)
    joined: Error = kind(*arguments)
    joined.code = error.code
    return joined


for _class in (Error, InvalidRequestError, CredentialsError):
    _class.__module__ = "rdsign"
