"""Logins to a local RDS through the proxy, with clients that cannot ask for a token."""

import subprocess
from pathlib import Path

import psycopg
import pytest
from common import PATIENCE, RDSIGN


def run(command, env, **options):
    pipes = {"stdin": subprocess.DEVNULL, "capture_output": True, "text": True, "timeout": PATIENCE}
    return subprocess.run(command, env=env, **(pipes | options))


def refused(done):
    """Returns the server's lines of a client that could not connect."""
    assert done.returncode == 2 and done.stdout == ""
    return done.stderr.partition("failed: ")[2].splitlines()


def test_psql_logs_in_without_a_password(proxy, psql):
    done = psql(proxy.conninfo, "select current_user, current_database()")
    assert (done.stdout, done.stderr, done.returncode) == ("iam_user|testdb\n", "", 0)
    line = proxy.wait_for("login")
    assert (line["user"], line["database"], line["level"]) == ("iam_user", "testdb", "info")
    assert proxy.wait_for("closed")["to_client"] > 0
    assert proxy.stop() == 0


def test_the_connection_to_the_server_is_encrypted(proxy, psql):
    sql = "select ssl, version from pg_stat_ssl where pid = pg_backend_pid()"
    assert psql(proxy.conninfo, sql).stdout == "t|TLSv1.3\n"
    # The client is told that this side has neither TLS nor GSSAPI.
    done = psql(f"{proxy.conninfo} sslmode=require")
    assert "server does not support SSL" in done.stderr
    assert psql(f"{proxy.conninfo} sslmode=prefer gssencmode=prefer").stdout == "iam_user\n"


def test_all_startup_parameters_arrive(proxy, psql):
    conninfo = f"{proxy.conninfo} application_name='a b=c' options='-c work_mem=7MB'"
    sql = "select current_setting('application_name'), current_setting('work_mem')"
    assert psql(conninfo, sql).stdout == "a b=c|7MB\n"


def test_a_program_in_c_logs_in_and_again_after_a_reset(proxy, client_environment, tmp_path):
    program = tmp_path / "libpq"
    strict = ["-std=c11", "-Wall", "-Wextra", "-Werror", "-I/usr/include/postgresql"]
    source = Path(__file__).with_name("clients") / "libpq.c"
    subprocess.run(["cc", *strict, "-o", program, source, "-lpq"], check=True)
    done = run([program, proxy.conninfo], client_environment)
    assert (done.stdout, done.stderr, done.returncode) == ("iam_user\n" * 2, "", 0)
    proxy.wait_for("login", 2)


def test_a_password_that_a_program_must_have_is_not_needed(proxy):
    with psycopg.connect(f"{proxy.conninfo} password=ignored") as connection:
        assert connection.execute("select current_user").fetchone() == ("iam_user",)


def test_each_connection_of_pgbench_logs_in(proxy, client_environment, tmp_path):
    script = tmp_path / "script.sql"
    script.write_text("select 1;\n")
    flags = ["-n", "-C", "-c", "4", "-t", "5", "-f", str(script), "-h", "127.0.0.1"]
    done = run(["pgbench", *flags, "-p", str(proxy.port), "-U", "iam_user", "testdb"], client_environment)
    assert done.returncode == 0, done.stderr
    assert "number of transactions actually processed: 20/20" in done.stdout
    proxy.wait_for("login", 20)


def test_pg_dump_reads_a_table(local, proxy, client_environment):
    local.as_postgres("create table of_dump as select 4711 as number; grant select on of_dump to iam_user")
    try:
        done = run(["pg_dump", "-t", "of_dump", proxy.conninfo], client_environment)
        assert done.returncode == 0, done.stderr
        assert "COPY public.of_dump (number) FROM stdin;\n4711\n" in done.stdout
    finally:
        local.as_postgres("drop table of_dump")


def test_a_notification_arrives(proxy):
    with psycopg.connect(proxy.conninfo, autocommit=True) as listener:
        listener.execute("listen of_test")
        with psycopg.connect(proxy.conninfo, autocommit=True) as sender:
            sender.execute("select pg_notify('of_test', 'hello')")
        [notification] = listener.notifies(timeout=PATIENCE, stop_after=1)
        assert notification.payload == "hello"


def test_a_login_that_the_server_refuses_shows_its_error_and_doctor_s_id(local, start, psql):
    # Its policy allows only testuser.
    key = local.keys["AKIALOCALTESTUSER001"]
    names = ("access_key_id", "secret_access_key")
    proxy = start(**{f"AWS_{name.upper()}": key[name] for name in names})
    error, hint = refused(psql(proxy.conninfo))
    assert error == 'FATAL:  PAM authentication failed for user "iam_user"'
    assert hint.startswith(
        "HINT:  token-refused: the server checked the token and refused it. `rdsign doctor`"
    )
    assert proxy.wait_for("refused")["id"] == "token-refused"


def test_an_error_after_the_authentication_gets_a_hint_too(proxy, psql):
    error, hint = refused(psql(proxy.conninfo.replace("testdb", "nowhere")))
    assert error == 'FATAL:  database "nowhere" does not exist'
    assert hint.startswith("HINT:  no-such-database: ")
    assert psql(proxy.conninfo).stdout == "iam_user\n"


def test_a_user_with_a_password_is_refused_and_gets_no_token(local, start, psql):
    proxy = start("--username=postgres")
    error, hint = refused(psql(proxy.conninfo.replace("iam_user", "postgres")))
    assert error == "FATAL:  rdsign proxy: the server asks for a password, not for a token"
    assert hint.startswith("HINT:  not-an-iam-user: the user is not in rds_iam")


def test_only_named_users_are_served(local, start, psql):
    proxy = start("--username=iam_user", "--username=postgres")
    before = local.log.read_text()
    error, hint = refused(psql(proxy.conninfo.replace("iam_user", "someone")))
    assert error == 'FATAL:  rdsign proxy: user "someone" may not log in here'
    assert hint == "HINT:  This proxy signs tokens for iam_user, postgres."
    assert "someone" not in local.log.read_text().removeprefix(before)
    assert psql(proxy.conninfo).stdout == "iam_user\n"


def test_missing_credentials_are_said_to_the_client(start, psql):
    proxy = start(AWS_ACCESS_KEY_ID="", AWS_SECRET_ACCESS_KEY="")
    error, *_, hint = refused(psql(proxy.conninfo))
    assert error.startswith("FATAL:  rdsign proxy: no token can be signed: CREDENTIALS_NOT_FOUND: ")
    assert hint == "HINT:  CREDENTIALS_NOT_FOUND: `rdsign credentials` shows which credentials are used."
    assert proxy.wait_for("credentials")["level"] == "warning"


@pytest.mark.parametrize(
    "flags, problem",
    [
        (
            ["--listen=0.0.0.0:6543"],
            "listen: 0.0.0.0:6543 can be reached from other machines, and clients give no password, so whoever "
            "reaches it could log in; accepted: 127.0.0.1:6543 or [::1]:6543, which all containers of a pod "
            "reach, --socket, or --tls-cert, --tls-key and --password-file",
        ),
        (
            ["--listen=5432"],
            'listen: "5432" is not an address with a port; accepted: an address such as 127.0.0.1:5432',
        ),
        (["--max-connections=0"], 'max connections: "0" is not a number in this range; accepted: 1 to'),
        (["--sslrootcert=/nonexistent"], "sslrootcert: /nonexistent cannot be read: "),
        (["--hostname=a b"], "INVALID_HOSTNAME: "),
    ],
)
def test_invalid_options_are_refused(environment, flags, problem):
    done = run([RDSIGN, "proxy", *flags], environment)
    assert done.returncode == 2 and f"rdsign: {problem}" in done.stderr
