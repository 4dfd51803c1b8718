"""Parameters of a connection for the drivers that use libpq's names: psycopg, psycopg2 and asyncpg.

Parameters of the program, libpq's service and libpq's variables win, in this order. Only what none of them
sets is added: verify-full, and
the certificate authorities of RDS. Tokens are signed for `host`, `port` and `user`; with `hostaddr`,
the driver dials that address instead of `host`.
"""

from __future__ import annotations

import os

from . import InvalidRequestError, Signer, _port_of, _signer_for, ca_bundle
from ._rdsign import libpq_service

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any, Optional

CHECKED = ("verify-ca", "verify-full")


def prepare(given: Mapping[str, Any], signer: Optional[Signer]) -> tuple[Signer, dict[str, Any]]:
    """Returns the signer for the parameters of a connection, and the parameters without a password."""
    parameters = dict(given)
    parameters.pop("password", None)
    has_service = expand_service(parameters, signer)
    signer = settle(parameters, signer)
    mode = parameters.get("sslmode") or os.environ.get("PGSSLMODE")
    if not mode:
        mode = parameters["sslmode"] = "verify-full"
    if has_service and not given.get("gssencmode"):
        # The service's could replace TLS by Kerberos.
        parameters["gssencmode"] = "disable"
    authorities = parameters.get("sslrootcert") or os.environ.get("PGSSLROOTCERT")
    if mode in CHECKED and not authorities:
        parameters["sslrootcert"] = ca_bundle()
    return signer, parameters


def expand_service(parameters: dict[str, Any], signer: Optional[Signer]) -> bool:
    """Adds the settings of libpq's service, which override libpq's variables, as parameters.

    libpq reads the service once more, but prefers parameters. So the token is signed for the server that
    libpq connects to, and a weak sslmode of the service never counts. A given signer's endpoint and user come
    before the service's. Returns whether there is a service.
    """
    service = parameters.get("service") or os.environ.get("PGSERVICE")
    if not service:
        return False
    if signer is not None:
        fill(parameters, signer)
    for keyword, value in libpq_service(service, bool(parameters.get("sslmode"))):
        if not parameters.get(keyword):
            parameters[keyword] = value
    return True


def fill(parameters: dict[str, Any], signer: Signer) -> None:
    """Fills in missing parameters with those of a signer."""
    own = {"host": signer.hostname, "port": signer.port, "user": signer.username}
    for name, value in own.items():
        if not parameters.get(name):
            parameters[name] = value


def settle(parameters: dict[str, Any], signer: Optional[Signer]) -> Signer:
    """Returns the signer for a host, port and user. A given signer's own fill in missing parameters."""
    if signer is not None:
        fill(parameters, signer)
        if parameters["user"] != signer.username:
            raise InvalidRequestError(
                f"user: {parameters['user']!r} differs from the signer's username {signer.username!r}; "
                "accepted: the same user, or none",
                "INVALID_USERNAME",
            )
        return signer
    host = parameters.get("host") or os.environ.get("PGHOST")
    port = parameters.get("port") or os.environ.get("PGPORT") or None
    user = parameters.get("user") or os.environ.get("PGUSER")
    # These two messages are not core's: core does not know libpq's parameters and variables.
    if not host:
        raise InvalidRequestError("host: missing; accepted: host, PGHOST or a signer", "INVALID_HOSTNAME")
    if not user:
        raise InvalidRequestError("user: missing; accepted: user, PGUSER or a signer", "INVALID_USERNAME")
    return _signer_for(host, _port_of(port), user)
