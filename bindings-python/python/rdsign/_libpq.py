"""What the drivers on libpq (psycopg, psycopg2) are given besides the password.

What the program or a variable of libpq's says comes first. Only what nobody has said is set: the
server's name is checked, by the certificates of RDS. The one thing to get wrong: what is signed for
is `host`, and what is dialled is `hostaddr` and `port`.
"""

from __future__ import annotations

import os

from . import InvalidRequestError, Signer, _port_of, _signer_for, ca_bundle

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any, Optional

CHECKED = ("verify-ca", "verify-full")


def prepare(given: Mapping[str, Any], signer: Optional[Signer]) -> tuple[Signer, dict[str, Any]]:
    """The signer for these parameters of a connection, and the parameters without a password."""
    parameters = dict(given)
    parameters.pop("password", None)
    signer = settle(parameters, signer)
    mode = parameters.get("sslmode") or os.environ.get("PGSSLMODE")
    if not mode:
        mode = parameters["sslmode"] = "verify-full"
    told = parameters.get("sslrootcert") or os.environ.get("PGSSLROOTCERT")
    if mode in CHECKED and not told:
        parameters["sslrootcert"] = ca_bundle()
    return signer, parameters


def settle(parameters: dict[str, Any], signer: Optional[Signer]) -> Signer:
    """The signer for a host, port and user. What a given one is for becomes a default of these."""
    if signer is not None:
        own = {"host": signer.hostname, "port": signer.port, "user": signer.username}
        for name, value in own.items():
            if not parameters.get(name):
                parameters[name] = value
        if parameters["user"] != signer.username:
            raise InvalidRequestError(
                f"user: {parameters['user']!r} is given, but the signer's is {signer.username!r}",
                "INVALID_USERNAME",
            )
        return signer
    host = parameters.get("host") or os.environ.get("PGHOST")
    port = parameters.get("port") or os.environ.get("PGPORT") or None
    user = parameters.get("user") or os.environ.get("PGUSER")
    if not host:
        raise InvalidRequestError(
            "host: none is given; accepted: host, PGHOST or a signer", "INVALID_HOSTNAME"
        )
    if not user:
        raise InvalidRequestError(
            "user: none is given; accepted: user, PGUSER or a signer", "INVALID_USERNAME"
        )
    return _signer_for(host, _port_of(port), user)
