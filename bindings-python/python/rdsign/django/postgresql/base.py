"""The module that Django loads as the backend: connections, pools and `manage.py dbshell`."""

from __future__ import annotations

from django.db.backends.postgresql import base, client
from django.db.backends.postgresql.psycopg_any import is_psycopg3
from django.db.utils import OperationalError

from ... import Error
from ..._errors import operational
from ..._libpq import VERIFY_FULL, expand_service, merged, prepare
from ..._rdsign import check_arguments, check_connection_string, check_setting

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["DatabaseClient", "DatabaseWrapper"]


class DatabaseClient(client.DatabaseClient):
    """Runs `manage.py dbshell` with a token in PGPASSWORD."""

    @classmethod
    def settings_to_cmd_args_env(cls, settings_dict: Any, parameters: Any) -> Any:
        options = dict(settings_dict["OPTIONS"])
        signer = options.pop("signer", None)
        names = {"HOST": "host", "PORT": "port", "USER": "user"}
        given = {name: settings_dict.get(key) or None for key, name in names.items()}
        # psql prefers the service's settings to the environment, so weak ones are refused here.
        service = {"service": options.get("service")}
        expand_service(service, None)
        signer, prepared = prepare(merged(options, given), signer)
        # Arguments and a connection string would override all that is set below.
        mode = prepared["sslmode"]
        permitted = (prepared["host"], None if mode == VERIFY_FULL else mode)
        check_setting("gssencmode", service.get("gssencmode") or "disable", *permitted)
        # PORT may be a tunnel's.
        login = ([str(signer.port), str(prepared["port"])], signer.username)
        check_arguments(cls.executable_name, list(parameters), *permitted, *login)
        check_connection_string(str(settings_dict.get("NAME") or ""), *permitted, *login)
        checked = {name: prepared[name] for name in ("sslmode", "sslrootcert") if name in prepared}
        # The other settings stay unchanged: Django passes them to psql.
        settings = {
            **settings_dict,
            **{key: prepared.get(name, "") for key, name in names.items()},
            "PASSWORD": signer.password(),
            "OPTIONS": {**options, **checked},
        }
        arguments, environment = super().settings_to_cmd_args_env(settings, parameters)
        environment["PGGSSENCMODE"] = prepared["gssencmode"]
        if "hostaddr" in prepared:
            environment["PGHOSTADDR"] = prepared["hostaddr"]
        return arguments, environment


class DatabaseWrapper(base.DatabaseWrapper):
    """Django's DatabaseWrapper, with a token for each connection."""

    client_class = DatabaseClient

    def __init__(self, settings_dict: Any, *args: Any, **kwargs: Any) -> None:
        pool = settings_dict["OPTIONS"].get("pool")
        if pool and is_psycopg3:
            # psycopg's pool opens connections itself, without get_new_connection().
            from ...psycopg import Connection

            options = {"connection_class": Connection, **(pool if isinstance(pool, dict) else {})}
            settings_dict = {
                **settings_dict,
                "OPTIONS": {**settings_dict["OPTIONS"], "pool": options},
            }
        super().__init__(settings_dict, *args, **kwargs)

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        parameters = dict(conn_params)
        try:
            signer, parameters = prepare(parameters, parameters.pop("signer", None))
            if not getattr(self, "pool", None):
                parameters["password"] = signer.password()
        except Error as error:
            raise operational(error, OperationalError, str(error)) from error
        return super().get_new_connection(parameters)
