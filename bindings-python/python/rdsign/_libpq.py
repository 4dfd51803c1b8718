"""Parameters of a connection for the drivers that use libpq's names: psycopg, psycopg2 and asyncpg.

Parameters of the program, libpq's service and libpq's variables win, in this order. Only what none of them
sets is added: verify-full, the certificate authorities of RDS and, for DSQL, its only database. Tokens are
signed for `host`, `port` and `user`; with `hostaddr`, the driver dials that address instead of `host`.

Whatever decides where a token goes is passed to the driver as a parameter, even if it is a default: host,
port, user, sslmode, gssencmode. Otherwise a service, a variable or a connection string could replace it.
"""

from __future__ import annotations

import os

from . import InvalidRequestError, Signer, _port_of, _signer_for, ca_bundle
from ._rdsign import check_setting, libpq_service, quoted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any, Optional

VERIFY_FULL = "verify-full"
CHECKED = ("verify-ca", VERIFY_FULL)
# Options of the Signer that may stand among the parameters of a connection, instead of a signer.
OPTIONS = ("region", "profile", "role_arn", "external_id", "role_session_name")


def merged(*parts: Mapping[str, Any]) -> dict[str, Any]:
    """Merges parameters. The last one counts; None is the same as omitting it, as for the drivers."""
    return {name: value for part in parts for name, value in part.items() if value is not None}


def prepare(given: Mapping[str, Any], signer: Optional[Signer]) -> tuple[Signer, dict[str, Any]]:
    """Returns the signer for the parameters of a connection, and the parameters without a password."""
    parameters = merged(given)
    parameters.pop("password", None)
    expand_service(parameters, signer)
    signer = settle(parameters, signer)
    if not (parameters.get("dbname") or os.environ.get("PGDATABASE")) and signer.default_database:
        parameters["dbname"] = signer.default_database
    # libpq's older form of sslmode, which would replace it.
    parameters.pop("requiressl", None)
    mode = parameters.get("sslmode") or os.environ.get("PGSSLMODE") or VERIFY_FULL
    parameters["sslmode"] = mode
    if mode == VERIFY_FULL or not given.get("gssencmode"):
        # With Kerberos, libpq would encrypt the connection without TLS.
        parameters["gssencmode"] = "disable"
    authorities = parameters.get("sslrootcert") or os.environ.get("PGSSLROOTCERT")
    if mode in CHECKED and not authorities:
        parameters["sslrootcert"] = ca_bundle()
    return signer, parameters


def expand_service(parameters: dict[str, Any], signer: Optional[Signer]) -> None:
    """Adds the settings of libpq's service, which override libpq's variables, as parameters.

    libpq reads the service once more, but prefers parameters. So the token is signed for the server that
    libpq connects to, and a weak sslmode of the service never counts. A given signer's endpoint and user come
    before the service's.
    """
    service = parameters.get("service") or os.environ.get("PGSERVICE")
    if not service:
        return
    if signer is not None:
        fill(parameters, signer)
    for keyword, value in libpq_service(service, bool(parameters.get("sslmode"))):
        if not parameters.get(keyword):
            parameters[keyword] = value


def fill(parameters: dict[str, Any], signer: Signer) -> None:
    """Fills in missing parameters with those of a signer."""
    own = {"host": signer.hostname, "port": signer.port, "user": signer.username}
    for name, value in own.items():
        if not parameters.get(name):
            parameters[name] = value


def settle(parameters: dict[str, Any], signer: Optional[Signer]) -> Signer:
    """Returns the signer for a host, port and user, sets all three as parameters, and removes the
    options of a signer.

    A given signer's own fill in missing parameters. A list of one host is that host.
    """
    for name in ("host", "port"):
        value = parameters.get(name)
        if isinstance(value, (list, tuple)) and len(value) == 1:
            parameters[name] = value[0]
    options = take_options(parameters)
    hosts = parameters.get("host") or (os.environ.get("PGHOST", "") if signer is None else "")
    hosts = ",".join(map(str, hosts)) if isinstance(hosts, (list, tuple)) else hosts
    if isinstance(hosts, str) and "," in hosts:
        # core rejects a list of hosts. Its ports are a list, too, so they are not passed on.
        return _signer_for(hosts, None, "")
    if signer is not None:
        if options:
            raise InvalidRequestError(
                f"{next(iter(options))}: given together with a signer; accepted: one of them",
                "INVALID_CREDENTIALS",
            )
        fill(parameters, signer)
        if parameters["user"] != signer.username:
            raise InvalidRequestError(
                f"user: {quoted(str(parameters['user']))} differs from the signer's username {quoted(signer.username)}; "
                "accepted: the same user, or none",
                "INVALID_USERNAME",
            )
        # Whatever sslmode is: the other server's certificate may be valid for its own name.
        check_setting("host", str(parameters["host"]), signer.hostname, None)
        return signer
    host = parameters.get("host") or os.environ.get("PGHOST")
    port = parameters.get("port") or os.environ.get("PGPORT") or None
    user = parameters.get("user") or os.environ.get("PGUSER")
    # These two messages are not core's: core does not know libpq's parameters and variables.
    if not host:
        raise InvalidRequestError("host: missing; accepted: host, PGHOST or a signer", "INVALID_HOSTNAME")
    if not user:
        raise InvalidRequestError("user: missing; accepted: user, PGUSER or a signer", "INVALID_USERNAME")
    port = _port_of(port)
    if isinstance(port, str):
        raise InvalidRequestError(f"port: {quoted(port)} is not a port; accepted: 1 to 65535", "INVALID_PORT")
    signer = _signer_for(host, port, user, **options)
    parameters |= {"host": host, "port": signer.port, "user": user}
    return signer


def take_options(parameters: dict[str, Any]) -> dict[str, Any]:
    """Removes the options of a signer from the parameters, and returns those that are given."""
    taken = {name: parameters.pop(name, None) for name in OPTIONS}
    return {name: value for name, value in taken.items() if value is not None}
