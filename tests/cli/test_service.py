"""libpq's service files: the token is for the service's server, and reaches no other."""

import subprocess

import pytest
from test_exec import exec, rdsign


@pytest.fixture
def service(tmp_path, environment):
    """Writes the service `dev`, and returns the environment of its user."""

    def write(*settings, **more):
        lines = ["[prod]", "host=prod", "[dev]", *settings]
        (tmp_path / ".pg_service.conf").write_text("\n".join(lines))
        return environment | {"PGSERVICE": "dev"} | more

    return write


def elsewhere(recorder):
    return ["host=127.0.0.1", f"port={recorder.port}", "user=iam_user"]


def test_psql_without_rdsign_does_send_the_password_to_the_service(service, recorder, environment):
    """Shows that the recorder would notice a token."""
    env = service(*elsewhere(recorder), "sslmode=prefer", PGPASSWORD="hunter2")
    subprocess.run(["psql", "-d", "testdb", "-c", "select 1"], env=env, capture_output=True, timeout=60)
    assert b"hunter2" in recorder.received


@pytest.mark.parametrize("mode", ["prefer", "require", "disable", "verify-ca"])
def test_a_weak_sslmode_of_the_service_is_refused(service, recorder, mode):
    env = service(*elsewhere(recorder), f"sslmode={mode}")
    done = exec("psql", "-d", "testdb", env=env)
    assert done.returncode == 2
    assert f'line 7: sslmode: "{mode}" would send the token' in done.stderr
    assert recorder.received == b""


def test_a_service_without_an_sslmode_gets_verify_full(service, recorder):
    env = service(*elsewhere(recorder))
    del env["PGSSLMODE"]
    done = exec("psql", "-d", "testdb", env=env | {"AWS_REGION": "eu-central-1"})
    assert "server does not support SSL" in done.stderr
    assert recorder.received and b"X-Amz" not in recorder.received


@pytest.mark.parametrize(
    "arguments",
    [
        ["service=dev"],
        ["-d", "service=dev"],
        ["-h", "127.0.0.1"],
        ["sslmode=prefer"],
        ["--cluster", "15/main"],
    ],
)
def test_arguments_of_psql_send_the_token_nowhere_else(service, recorder, arguments):
    env = service(*elsewhere(recorder), "sslmode=prefer")
    del env["PGSERVICE"]
    done = exec("psql", *arguments, env=env)
    assert done.returncode == 2 and "accepted: " in done.stderr
    assert recorder.received == b""


@pytest.mark.parametrize(
    "command",
    [
        ["psql", "postgresql://{host}:1,127.0.0.1:{port}/testdb"],
        ["psql", "host='{host} ,127.0.0.1' port=1,{port}"],
        ["psql", "host={host}',127.0.0.1 port=1,{port}"],
        ["psql", "-aAbeEnqsSdhost=127.0.0.1 port={port} sslmode=disable"],
        ["vacuumdb", "--maintenance-db", "postgresql://{host}:1,127.0.0.1:{port}/testdb", "--all"],
        ["vacuumdb", "--h=127.0.0.1", "-p{port}"],
        ["oid2name", "-H", "127.0.0.1", "-p", "{port}", "-d", "testdb"],
        ["env", "psql", "-h", "127.0.0.1", "-p", "{port}"],
        ["nice", "env", "PGHOST=127.0.0.1", "PGPORT={port}", "psql"],
        ["env", "-u", "PGSSLMODE", "psql", "-p", "{port}"],
    ],
)
def test_no_form_of_an_argument_sends_the_token_elsewhere(local, recorder, environment, command):
    command = [word.format(host=local.host, port=recorder.port) for word in command]
    done = exec(*command, env=environment)
    assert done.returncode == 2 and "; accepted: " in done.stderr
    assert recorder.received == b""


@pytest.mark.parametrize("agreed", ["verify-full", "require"])
def test_an_argument_cannot_weaken_the_agreed_sslmode(recorder, environment, agreed):
    flags = ["--hostaddr=127.0.0.1", f"--hostport={recorder.port}", f"--sslmode={agreed}"]
    for argument in ("dbname=testdb sslmode=disable", "postgresql:///testdb?sslmode=disable"):
        done = exec("psql", argument, env=environment, flags=flags)
        assert done.returncode == 2 and f"accepted: {agreed}" in done.stderr
    assert recorder.received == b""


@pytest.mark.parametrize(
    "arguments",
    [
        ["dbname=testdb gssencmode=disable"],
        ["postgresql:///testdb?gssencmode=disable&ssl_min_protocol_version=TLSv1.2&sslcrldir="],
        ["host='{host}' dbname='testdb' sslmode=verify-full"],
        ["-h", "{host}.", "-h", "{host}"],
        ["-v", "service=billing", "--set=host=web1", "--variable", "sslmode=x"],
        ["-c", "-- host = x", "--command", "select 1 = 2 -- x y"],
        ["-c", '\\c "testdb" iam_user'],
    ],
)
def test_harmless_arguments_log_in(local, environment, arguments):
    arguments = [word.format(host=local.host) for word in arguments]
    done = exec("psql", "-XAtc", "select current_user", *arguments, env=environment)
    assert done.stdout.startswith("iam_user\n") and done.stderr == "", done.stderr


def test_harmless_arguments_of_other_programs_log_in(environment, tmp_path):
    script = tmp_path / "script.sql"
    script.write_text("select :service;\n")
    done = exec("pgbench", "-n", "-t1", "-D", "service=3", "-f", script, env=environment)
    assert done.returncode == 0, done.stderr
    done = exec("pg_dump", "-t", "--host", "testdb", env=environment)
    assert "no matching tables were found" in done.stderr


def test_a_token_in_an_argument_of_the_program_is_not_shown(environment):
    token = rdsign("token", env=environment).stdout.strip()
    for arguments in (
        [f"host={token}"],
        [f"-dhost={token}"],
        [f"dbname=x sslmode={token}"],
        ["-h", token],
        [f"postgres://u:pa@ss@{token}"],
    ):
        done = exec("psql", *arguments, env=environment)
        assert done.returncode == 2 and "; accepted: " in done.stderr
        assert "X-Amz" not in done.stderr and "ss@" not in done.stderr


@pytest.mark.parametrize("form", ["-h {host}", "-d postgresql://{host}/testdb", "--host={host} testdb"])
def test_arguments_of_psql_that_name_the_endpoint_log_in(local, environment, form):
    arguments = form.format(host=local.host).split()
    done = exec("psql", "-XAtc", "select current_user", *arguments, env=environment)
    assert (done.stdout, done.stderr) == ("iam_user\n", "")


def test_a_program_within_finds_no_service(service, recorder):
    env = service(*elsewhere(recorder), "sslmode=prefer")
    del env["PGSERVICE"]
    done = exec("sh", "-c", "psql service=dev -c 'select 1'", env=env)
    assert 'definition of service "dev" not found' in done.stderr
    assert recorder.received == b""


@pytest.mark.parametrize("name", ["PGDATABASE", "--dbname"])
def test_a_connection_string_as_the_database_is_checked(service, recorder, name):
    env = service(*elsewhere(recorder))
    del env["PGSERVICE"]
    text = f"host=127.0.0.1 port={recorder.port} sslmode=disable"
    flags = [f"--dbname={text}"] if name == "--dbname" else []
    done = exec("vacuumdb", env=env | {"PGDATABASE": text}, flags=flags)
    assert done.returncode == 2 and "host: " in done.stderr
    assert recorder.received == b""


def test_the_service_s_server_is_signed_for_and_logged_in_to(local, service):
    settings = [f"host={local.host}", f"port={local.port}", "user=iam_user", "dbname=testdb"]
    env = service(*settings, "hostaddr=127.0.0.1", "application_name=a service", "password=wrong")
    wrong = {
        "PGHOST": "wrong",
        "PGPORT": "1",
        "PGUSER": "wrong",
        "PGDATABASE": "wrong",
        "PGHOSTADDR": "127.0.0.2",
    }
    sql = "select current_user, current_database(), current_setting('application_name')"
    done = exec("psql", "-XAtc", sql, env=env | wrong)
    assert (done.stdout, done.stderr) == ("iam_user|testdb|a service\n", "")
    assert rdsign("doctor", "--timeout=60", env=env | wrong).returncode == 0


def test_a_flag_overrides_the_service(local, service):
    env = service("host=wrong", "port=1", "user=wrong", "sslmode=prefer")
    flags = [
        f"--hostname={local.host}",
        f"--port={local.port}",
        "--username=iam_user",
        "--sslmode=verify-full",
    ]
    done = exec("psql", "-XAtc", "select current_user", env=env, flags=flags)
    assert (done.stdout, done.stderr) == ("iam_user\n", "")


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        (["host = x"], "line 4: not a keyword before `=`"),
        (["SECRET"], "line 4: `=` is missing"),
        (["ldap://x/SECRET"], "line 4: LDAP is not supported"),
        (["requiressl=1", "host=x"], "requiressl cannot be passed"),
        (["unknown=0", "host=x"], "unknown cannot be passed"),
    ],
)
def test_a_line_that_cannot_be_used_is_named(service, settings, words):
    done = exec("psql", env=service(*settings, AWS_REGION="eu-central-1"))
    assert done.returncode == 2 and words in done.stderr
    assert "SECRET" not in done.stderr


def test_settings_that_no_variable_can_pass_on_are_left_out(local, service):
    settings = [f"host={local.host}", f"port={local.port}", "user=iam_user", "dbname=testdb"]
    more = ["keepalives_idle=60", "sslpassword=x", "tcp_user_timeout=9", "fallback_application_name=x"]
    done = exec("psql", "-XAtc", "select current_user", env=service(*settings, *more))
    assert (done.stdout, done.returncode) == ("iam_user\n", 0), done.stderr
    for setting in more:
        keyword = setting.split("=")[0]
        assert f"rdsign: warning: {keyword} of the service is left out: " in done.stderr


def test_a_missing_service_is_not_read_if_flags_name_the_target(local, service):
    env = service(PGSERVICE="typo")
    flags = [f"--hostname={local.host}", f"--port={local.port}", "--username=iam_user"]
    for command in ("token", "pgpass"):
        done = rdsign(command, *flags, env=env)
        assert (done.stderr, done.returncode) == ("", 0)
        done = rdsign(command, *flags[:2], env=env)
        assert done.returncode == 2 and done.stderr.endswith(" (PGSERVICE)\n")
        assert 'rdsign: INVALID_HOSTNAME: service "typo": not in ' in done.stderr


def test_a_missing_service_is_named_with_the_files(service, tmp_path):
    env = service(PGSERVICE="typo", PGSYSCONFDIR=str(tmp_path))
    done = exec("psql", env=env)
    assert done.returncode == 2
    assert f'service "typo": not in {tmp_path}/.pg_service.conf; accepted: ' in done.stderr
    env["PGSERVICEFILE"] = str(tmp_path / "none")
    assert f"{tmp_path}/none: No such file" in exec("psql", env=env).stderr


def test_inspect_compares_with_the_service(local, service):
    env = service(f"host={local.host}", f"port={local.port}", "user=iam_user")
    token = rdsign("token", env=env).stdout
    other = {"PGUSER": "wrong", "PGPORT": "1", "PGHOST": local.host.replace("mydb", "wrong")}
    done = rdsign("inspect", "-", env=env | other, input=token)
    assert done.returncode == 0, done.stdout
    service(f"host={local.host}", f"port={local.port}", "user=testuser")
    assert "error: wrong-user" in rdsign("inspect", "-", env=env, input=token).stdout
    done = rdsign("inspect", "-", env=env | {"PGSERVICE": "typo"}, input=token)
    assert done.returncode == 2 and 'service "typo": not in ' in done.stderr
