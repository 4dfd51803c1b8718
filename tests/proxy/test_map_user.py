"""`--map-user`: names of clients that stand for users of the database."""

import psycopg
import pytest
from test_config import ENDPOINT, reload, run
from test_config import port as port_of
from test_faults import connect, everything, startup

SQL = "select current_user, session_user, current_database()"


def test_a_mapped_name_logs_in_as_its_user(start, psql):
    proxy = start("--map-user=app=iam_user", "--map-user=a@b c=iam_user")
    assert proxy.wait_for("listening")["users"] == "a@b c as iam_user, app as iam_user, iam_user"
    for name in ("app", "'a@b c'", "iam_user"):
        done = psql(proxy.conninfo.replace("iam_user", name), SQL)
        assert (done.stdout, done.stderr) == ("iam_user|iam_user|testdb\n", "")
    proxy.wait_for("closed", 3)
    for event in ("login", "closed"):
        lines = [(line["user"], line.get("database_user")) for line in proxy.lines(event)]
        assert sorted(lines) == [("a@b c", "iam_user"), ("app", "iam_user"), ("iam_user", None)]
    done = psql(proxy.conninfo.replace("iam_user", "testuser"), SQL)
    assert 'user "testuser" may not log in here' in done.stderr
    assert "signs tokens for a@b c as iam_user, app as iam_user, iam_user." in done.stderr


def test_the_other_parameters_arrive_as_they_are(start, psql):
    proxy = start("--map-user=app=iam_user")
    conninfo = proxy.conninfo.replace("iam_user", "app")
    conninfo = f"{conninfo} application_name='app=iam_user' options='-c work_mem=7MB'"
    sql = "select current_setting('application_name'), current_setting('work_mem')"
    assert psql(conninfo, sql).stdout == "app=iam_user|7MB\n"


def test_the_default_database_is_the_client_s_user(start):
    proxy = start("--map-user=testdb=iam_user", "--map-user=app=iam_user")
    with connect(proxy) as connection:
        connection.sendall(startup(user="testdb") + b"X\0\0\0\x04")
        assert b"Z\0\0\0\x05I" in everything(connection)
    assert proxy.wait_for("login")["database"] == "testdb"
    with connect(proxy) as connection:
        connection.sendall(startup(user="app"))
        assert b'database "app" does not exist' in everything(connection)
    line = proxy.wait_for("refused")
    assert (line["user"], line["database_user"], line["database"]) == ("app", "iam_user", "app")


def test_the_password_is_the_one_of_the_client_s_name(start, passwords, psql):
    passwords.write(app="of the app", iam_user="of the user")
    proxy = start(passwords.flag, "--map-user=app=iam_user")
    conninfo = proxy.conninfo.replace("iam_user", "app")
    assert psql(conninfo, PGPASSWORD="of the app").stdout == "iam_user\n"
    assert "password authentication failed" in psql(conninfo, PGPASSWORD="of the user").stderr


def test_a_map_counts_with_any_user_too(start, psql):
    proxy = start("--any-user", "--map-user=testuser=iam_user")
    assert proxy.wait_for("listening")["users"] == "any user, testuser as iam_user"
    assert psql(proxy.conninfo.replace("iam_user", "testuser")).stdout == "iam_user\n"
    # No user of the database has this name, and it is not mapped.
    refused = psql(proxy.conninfo.replace("iam_user", "other"))
    assert "the server asks for a password, not for a token" in refused.stderr


def test_a_reload_changes_the_map(start, config, psql):
    def user_of(name):
        return psql(f"host=127.0.0.1 port={port_of(proxy, 'orders')} dbname=testdb user={name}").stdout

    config.write({"orders": {}})
    proxy = start(config.flag)
    assert (user_of("app"), user_of("iam_user")) == ("", "iam_user\n")
    config.write({"orders": {"map_user": ["app=iam_user", "b=iam_user"]}})
    reload(proxy)
    assert (user_of("app"), user_of("b")) == ("iam_user\n", "iam_user\n")
    config.write({"orders": {"map_user": "b=iam_user"}})
    reload(proxy)
    assert (user_of("app"), user_of("b")) == ("", "iam_user\n")


def test_the_proxy_s_own_logins_are_as_the_database_user(environment):
    status, output, error = run(environment, "check", "--connect-timeout=120", "--map-user=app=iam_user")
    assert (status, error) == (0, "")
    assert output.endswith(" as iam_user\n")


TWICE = 'map user: "app" is mapped to "a" and to "b"; accepted: one user for each client\'s name\n'


@pytest.mark.parametrize(
    "maps, problem",
    [
        (["app"], 'map user: "app" is not CLIENT=USER; accepted: such as app=iam_user\n'),
        (["=a"], 'map user: "=a" is not CLIENT=USER; accepted: such as app=iam_user\n'),
        (["a="], 'map user: "a=" is not CLIENT=USER; accepted: such as app=iam_user\n'),
        (["app=a", "app=b"], TWICE),
        (["iam_user=a"], 'map user: "iam_user" is mapped to "a", and a username itself; accepted: '),
    ],
)
def test_an_invalid_map_is_refused(environment, tmp_path, maps, problem):
    status, _, error = run(environment, *[f"--map-user={one}" for one in maps])
    assert (status, error.startswith(f"rdsign: {problem}")) == (2, True), error
    path = tmp_path / "proxy.toml"
    path.write_text(ENDPOINT + f"map_user = {maps}\n".replace("'", '"'))
    line = len(path.read_text().splitlines())
    status, _, error = run(environment, f"--config={path}")
    assert (status, error.startswith(f"rdsign: {path}, line {line}: {problem}")) == (2, True), error


def test_a_mapped_name_cannot_reach_another_user(start):
    proxy = start("--map-user=app=testuser")
    with pytest.raises(psycopg.OperationalError, match='PAM authentication failed for user "testuser"'):
        psycopg.connect(proxy.conninfo.replace("iam_user", "app"))
    with pytest.raises(psycopg.OperationalError, match='user "testuser" may not log in here'):
        psycopg.connect(proxy.conninfo.replace("iam_user", "testuser"))
