"""`rdsign.django.postgresql` in a project's settings, with psycopg 3."""

import os
import pickle
import subprocess

import django
import pytest
import rdsign
from conftest import run
from django.conf import settings
from django.db.utils import ConnectionHandler, OperationalError

settings.configure()
django.setup()


@pytest.fixture
def database(local, monkeypatch):
    """A function that connects Django to the local server, with changes to the settings."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "PGSSLROOTCERT"):
        monkeypatch.setenv(name, local.exports[name])
    made = []

    def database(options=None, **changes):
        own = {
            "ENGINE": "rdsign.django.postgresql",
            "HOST": local.host,
            "PORT": local.port,
            "USER": "iam_user",
            "NAME": "testdb",
            "OPTIONS": {"hostaddr": "127.0.0.1", **(options or {})},
        }
        made.append(ConnectionHandler({"default": own | changes})["default"])
        return made[-1]

    yield database
    for connection in made:
        connection.close()
        connection.close_pool()


def shell(connection, *parameters):
    """Runs psql as `manage.py dbshell -- PARAMETERS` does."""
    made = connection.client.settings_to_cmd_args_env(connection.settings_dict, list(parameters))
    arguments, environment = made
    return subprocess.run(arguments, env=os.environ | environment, capture_output=True, text=True)


def user_of(connection):
    with connection.cursor() as cursor:
        cursor.execute("select current_user")
        return cursor.fetchone()[0]


def test_it_logs_in_repeatedly(database):
    connection = database()
    for _ in range(3):
        assert user_of(connection) == "iam_user"
        connection.close()


def test_a_user_without_permission_is_rejected(database, local):
    before = len(local.log.read_text())
    with pytest.raises(OperationalError, match='PAM authentication failed for user "testuser"'):
        user_of(database(USER="testuser"))
    assert "refused (not-allowed)" in local.log.read_text()[before:]
    assert user_of(database()) == "iam_user"


def test_only_rds_is_trusted_unless_told_otherwise(database, monkeypatch):
    monkeypatch.delenv("PGSSLROOTCERT")
    with pytest.raises(OperationalError, match="certificate verify failed"):
        user_of(database())
    assert user_of(database({"sslmode": "require"})) == "iam_user"


def test_it_signs_for_the_signer_s_endpoint_and_dials_another_port(database, local):
    signer = rdsign.Signer(hostname=local.host, username="iam_user")
    connection = database({"signer": signer}, HOST="", USER="")
    with local.configuration(("endpoints = [", f'endpoints = ["{local.host}:5432", ')):
        assert user_of(connection) == "iam_user"


@pytest.mark.parametrize("pool", [True, {"min_size": 2, "max_size": 3}], ids=["plain", "with options"])
def test_django_s_pool_connects_with_tokens(database, pool):
    connection = database({"pool": pool})
    assert user_of(connection) == "iam_user"
    assert connection.pool.connection_class is rdsign.psycopg.Connection
    assert "password" not in connection.pool.kwargs
    connection.close()
    assert user_of(connection) == "iam_user"


def test_no_token_stays_in_the_settings(database):
    connection = database()
    user_of(connection)
    assert "X-Amz" not in str(connection.settings_dict)
    assert "X-Amz" not in str(connection.get_connection_params())


def test_a_profile_and_a_region_are_options(database, local, tmp_path, monkeypatch):
    file = tmp_path / "credentials"
    names = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
    file.write_text("\n".join(["[work]", *(f"{name.lower()} = {local.exports[name]}" for name in names)]))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(file))
    for name in names:
        monkeypatch.delenv(name)
    for options in ({}, {"pool": True}):
        connection = database({"profile": "work", "region": "ap-northeast-1", **options})
        assert user_of(connection) == "iam_user"
        _, environment = connection.client.settings_to_cmd_args_env(connection.settings_dict, [])
        assert "X-Amz-Signature" in environment["PGPASSWORD"]
    with pytest.raises(rdsign.InvalidRequestError) as caught:
        user_of(database({"profile": "work", "region": "eu-west-3"}))
    assert caught.value.code == "REGION_MISMATCH"


def test_errors_are_rdsign_s_and_an_operational_error(database, monkeypatch):
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    with pytest.raises(OperationalError) as caught:
        user_of(database())
    error = caught.value
    assert isinstance(error, rdsign.CredentialsError)
    assert error.code == "CREDENTIALS_NOT_FOUND" and "no credentials found" in str(error)
    assert type(error.__cause__) is rdsign.CredentialsError
    again = pickle.loads(pickle.dumps(error))
    assert (str(again), again.code, isinstance(again, OperationalError)) == (str(error), error.code, True)


def test_dbshell_gives_psql_a_token(database, local):
    connection = database()
    _, environment = connection.client.settings_to_cmd_args_env(connection.settings_dict, [])
    assert environment["PGSSLMODE"] == "verify-full"
    done = shell(connection, "-XAtc", "select current_user")
    assert (done.stdout, done.returncode) == ("iam_user\n", 0), done.stderr


def test_no_token_goes_to_a_server_without_tls(database, recorder, monkeypatch):
    for variables, options in [
        ({}, {}),
        ({"PGREQUIRESSL": "0", "PGGSSENCMODE": "prefer", "PGDATABASE": "host=127.0.0.1"}, {}),
        ({}, {"sslmode": "", "requiressl": "0", "gssencmode": "prefer"}),
    ]:
        with monkeypatch.context() as patch:
            for name, value in variables.items():
                patch.setenv(name, value)
            with pytest.raises(OperationalError, match="server does not support SSL"):
                user_of(database(options, PORT=recorder.port))
    assert recorder.received and b"X-Amz" not in recorder.received


def test_dbshell_lets_no_service_replace_tls(database, tmp_path, monkeypatch):
    (tmp_path / "services").write_text("[krb]\ngssencmode=prefer\n")
    monkeypatch.setenv("PGSERVICEFILE", str(tmp_path / "services"))
    connection = database({"service": "krb"})
    with pytest.raises(
        rdsign.InvalidRequestError, match="^gssencmode: .* could encrypt the connection without TLS"
    ):
        connection.client.settings_to_cmd_args_env(connection.settings_dict, [])
    (tmp_path / "services").write_text("[krb]\ngssencmode=disable\n")
    _, environment = connection.client.settings_to_cmd_args_env(connection.settings_dict, [])
    assert environment["PGGSSENCMODE"] == "disable"
    connection = database()
    _, environment = connection.client.settings_to_cmd_args_env(connection.settings_dict, [])
    assert environment["PGGSSENCMODE"] == "disable"


def test_dbshell_refuses_arguments_and_names_that_lead_to_another_server(database, local, recorder):
    elsewhere = f"host=127.0.0.1 port={recorder.port} user=iam_user"
    other_port = ["-p", str(recorder.port), "-c", "select 1"]
    for parameters, name in [
        (["-h", "127.0.0.1", *other_port], "testdb"),
        (["-XAth127.0.0.1", *other_port], "testdb"),
        (["--host", "127.0.0.1", *other_port], "testdb"),
        ([f"{elsewhere} sslmode=disable"], "testdb"),
        (["-d", f"postgresql://127.0.0.1:{recorder.port}/app?sslmode=disable"], "testdb"),
        (["-c", f"\\c app iam_user 127.0.0.1 {recorder.port}"], "testdb"),
        (["-d", f"host='{local.host} ,127.0.0.1' port=1,{recorder.port} dbname=app"], "testdb"),
        ([], f"postgresql://{local.host}:1,127.0.0.1:{recorder.port}/app"),
        ([], f"{elsewhere} sslmode=disable"),
        ([], f"host={local.host} port={recorder.port} sslmode=disable"),
        ([], f"postgresql://iam_user@127.0.0.1:{recorder.port}/app?sslmode=disable"),
    ]:
        connection = database(NAME=name)
        with pytest.raises(rdsign.InvalidRequestError) as caught:
            shell(connection, *parameters)
        assert caught.value.code == "INVALID_HOSTNAME"
    assert recorder.received == b""


def test_dbshell_refuses_another_user_another_port_and_a_password(database, local):
    for parameter, code in [
        ("-Uother", "INVALID_USERNAME"),
        ("-p1", "INVALID_PORT"),
        ("password=x", "INVALID_CREDENTIALS"),
    ]:
        with pytest.raises(rdsign.InvalidRequestError) as caught:
            shell(database(), parameter)
        assert caught.value.code == code
    own = ["-Uiam_user", f"-p{local.port}", "-XAtc", "select current_user"]
    assert shell(database(), *own).stdout == "iam_user\n"


def test_dbshell_accepts_an_sslmode_that_the_settings_have_too(database, local):
    more = ["-XAtc", "select current_user", "-d", "dbname=testdb sslmode=require"]
    done = shell(database({"sslmode": "require"}), *more)
    assert (done.stdout, done.returncode) == ("iam_user\n", 0), done.stderr


def test_dbshell_connects_to_the_host_of_the_options(database, local, monkeypatch):
    monkeypatch.setenv("PGHOST", "other.abc123.ap-northeast-1.rds.amazonaws.com")
    monkeypatch.setenv("PGUSER", "other")
    options = {"host": local.host, "port": local.port, "user": "iam_user"}
    connection = database(options, HOST="", PORT="", USER="")
    assert shell(connection, "-XAtc", "select current_user").stdout == "iam_user\n"


def test_the_engine_imports_no_boto3():
    modules = "import rdsign.django.postgresql.base, sys; print('boto3' in sys.modules)"
    configured = "from django.conf import settings; settings.configure(); "
    assert run("-c", configured + modules) == "False\n"
