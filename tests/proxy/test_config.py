"""`--config`: several endpoints in one proxy, and SIGHUP, which reads the file again."""

import signal
import subprocess

import psycopg
import pytest
from common import PATIENCE, RDSIGN, wait_until
from test_health import Watched


def run(environment, *arguments):
    """Runs `rdsign proxy` to its end. Returns the status, the output and the error."""
    command = [RDSIGN, "proxy", *map(str, arguments)]
    done = subprocess.run(command, env=environment, text=True, capture_output=True, timeout=PATIENCE)
    return done.returncode, done.stdout, done.stderr


def port(proxy, endpoint):
    """Returns the port that an endpoint listens on, or listened on last."""
    lines = [line for line in proxy.lines("listening") if line["endpoint"] == endpoint]
    return lines[-1]["address"].rpartition(":")[2]


def log_in(proxy, endpoint, user):
    conninfo = f"host=127.0.0.1 port={port(proxy, endpoint)} dbname=testdb user={user}"
    connection = psycopg.connect(conninfo, autocommit=True)
    assert connection.execute("select current_user").fetchone() == (user,)
    return connection


def reload(proxy):
    before = len(proxy.lines("reloaded"))
    proxy.process.send_signal(signal.SIGHUP)
    proxy.wait_for("reloaded", before + 1)


def test_each_endpoint_has_its_own_listener_users_name_and_counters(start, config, tmp_path, psql):
    folder = tmp_path / "socket"
    config.write({"orders": {}, "users": {"socket": str(folder)}}, health="127.0.0.1:0")
    proxy = start(config.flag)
    wait_until(lambda: len(proxy.lines("listening")) == 2, "both listen")
    with log_in(proxy, "orders", "iam_user"):
        pass
    assert psql(f"host={folder} user=iam_user dbname=testdb").stdout == "iam_user\n"
    refused = psql(f"host={folder} user=postgres dbname=testdb")
    assert 'user "postgres" may not log in here' in refused.stderr
    assert proxy.wait_for("refused")["endpoint"] == "users"
    assert [line["endpoint"] for line in proxy.lines("login")] == ["orders", "users"]
    watched = Watched(proxy)
    values = watched.metrics()
    assert values['logins_total{endpoint="orders",outcome="ok",id=""}'] == 1
    assert values['logins_total{endpoint="users",outcome="refused",id=""}'] == 1
    assert values['connections_total{endpoint="users"}'] == 2
    assert config.server["hostname"] not in watched.get("/metrics")[1]


def test_it_is_ready_only_if_all_endpoints_are(start, config):
    wrong = {"profile": "missing"}
    config.write({"works": {}, "fails": wrong}, health="127.0.0.1:0")
    watched = Watched(start(config.flag))
    status, text = watched.get("/readiness")
    assert status == 503 and text.startswith("not ready: ")
    assert watched.proxy.wait_for("not-ready")["endpoint"] == "fails"
    # The answer waits for all logins.
    assert watched.metrics()['logins_total{endpoint="works",outcome="ok",id=""}'] == 1
    config.write({"works": {}}, health="127.0.0.1:0")
    reload(watched.proxy)
    assert watched.get("/readiness") == (200, "ready\n"), "at the same address"


def test_sighup_adds_removes_and_changes_endpoints_while_sessions_go_on(start, config):
    config.write({"stays": {}, "goes": {}})
    proxy = start(config.flag)
    wait_until(lambda: len(proxy.lines("listening")) == 2, "both listen")
    with log_in(proxy, "goes", "iam_user") as open_session:
        config.write({"comes": {}, "stays": {"username": "testuser"}})
        reload(proxy)
        assert proxy.wait_for("not-listening")["endpoint"] == "goes"
        assert [line["endpoint"] for line in proxy.lines("listening")] == ["stays", "goes", "comes"]
        with pytest.raises(psycopg.OperationalError, match="refused"):
            log_in(proxy, "goes", "iam_user")
        with pytest.raises(psycopg.OperationalError, match="may not log in here"):
            log_in(proxy, "stays", "iam_user")
        log_in(proxy, "comes", "iam_user").close()
        assert open_session.execute("select 1").fetchone() == (1,)


def test_an_invalid_file_leaves_the_old_one_in_force(start, config):
    config.write({"orders": {}})
    proxy = start(config.flag)
    with config.path.open("a") as file:
        file.write("listn = 1\n")
    line = config.path.read_text().count("\n")
    proxy.process.send_signal(signal.SIGHUP)
    message = proxy.wait_for("not-reloaded")["message"]
    assert message.startswith(f'the old configuration stays: {config.path}, line {line}: "listn": unknown; ')
    log_in(proxy, "orders", "iam_user").close()
    config.write({"orders": {}}, max_connections=1)
    reload(proxy)
    with log_in(proxy, "orders", "iam_user"):
        with pytest.raises(psycopg.OperationalError, match="--max-connections is 1"):
            log_in(proxy, "orders", "iam_user")


def test_sighup_without_a_file_ends_the_proxy_as_a_closed_terminal_wants(start):
    proxy = start()
    assert proxy.can_connect()
    proxy.process.send_signal(signal.SIGHUP)
    assert proxy.process.wait(PATIENCE) == -signal.SIGHUP


ENDPOINT = """max_connections = 5
[[endpoints]]
name = "orders"
hostname = "mydb.abc123.eu-central-1.rds.amazonaws.com"
username = ["iam_user", "testuser"]
listen = "127.0.0.1:0"
"""


@pytest.mark.parametrize(
    "old, new, line, problem",
    [
        ("max_connections = 5", 'max_connections = "5"', 1, "max_connections: not of this type: string; accepted: an integer"),
        ("max_connections = 5", "max_connections = 0", 1, 'max connections: "0" is not a number in this range'),
        ("max_connections", "max-connections", 1, '"max-connections": unknown; accepted: endpoints, max_connections, '),
        ("max_connections", "max_login_age", 1, "health: missing, and another key needs it; accepted: both or neither"),
        ("max_connections = 5", 'log_format = "xml"', 1, 'log_format: "xml" is unknown; accepted: text, json'),
        ("max_connections = 5", 'log_format = ""', 1, "log_format: has no value; accepted: text, json"),
        ("max_connections = 5", 'listen = "x"', 1, "listen: belongs to an endpoint; accepted: in a table [[endpoints]]"),
        ("[[endpoints]]", "[[endpoint]]", 2, '"endpoint": unknown; accepted: endpoints, max_connections, '),
        ('"127.0.0.1:0"', '"127.0.0.1:0"\nhealth = ""', 7, "health: does not belong to an endpoint; accepted: before the first [[endpoints]]"),
        ("max_connections = 5", 'health_database = "a\\u0000b"', 1, 'health database: "a\\0b" is not a name of a database; accepted: '),
        ("max_connections = 5", 'health_database = ""', 1, 'health database: "" is not a name of a database; accepted: '),
        ("name", "host", 3, '"host": unknown; accepted: name, hostname, port, '),
        ('"orders"', '"Orders"', 3, 'name: "Orders" is not a name of an endpoint; accepted: '),
        ('["iam_user", "testuser"]', "[1]", 5, "username: not of this type: integer; accepted: a string, or an array"),
        ('"127.0.0.1:0"', '"0.0.0.0:5432"', 6, "listen: 0.0.0.0:5432 can be reached from other machines"),
        ('"127.0.0.1:0"', '"127.0.0.1:0"\ntls_cert = "x"', 2, "tls key: missing; accepted: "),
        ('"127.0.0.1:0"', '"127.0.0.1:0"\nallow_uid = 1', 7, "allow uid: only for a Unix socket"),
        ('"127.0.0.1:0"', '"127.0.0.1:0"\npassword_file = ""', 7, "password_file: has no value; accepted: a path\n"),
        ('"127.0.0.1:0"', '"127.0.0.1:0"\nlisten = ""', 7, "listen: given twice; accepted: once"),
        ("hostname", "region", 2, "INVALID_HOSTNAME: hostname: missing; accepted: "),
        ("abc123", "a b", 4, "INVALID_HOSTNAME: hostname: "),
        ("[[endpoints]]", "[endpoints]", 2, "endpoints: table; accepted: tables [[endpoints]]"),
        ("[[endpoints]]", "[[endpoints]", 2, "not TOML: "),
        (ENDPOINT, "", 1, "endpoints: missing; accepted: at least one table [[endpoints]]"),
        (ENDPOINT, ENDPOINT + ENDPOINT.partition("\n")[2], 8, "name: the same as in line 3; accepted: another one"),
    ],
)  # fmt: skip
def test_an_error_in_a_file_names_the_line_and_the_key(environment, tmp_path, old, new, line, problem):
    path = tmp_path / "proxy.toml"
    assert old in ENDPOINT
    path.write_text(ENDPOINT.replace(old, new, 1))
    status, _, error = run(environment, f"--config={path}")
    assert status == 2
    assert error.startswith(f"rdsign: {path}, line {line}: {problem}"), error
    assert " --" not in error, "a flag has no place in a file"


@pytest.mark.parametrize(
    "flag, problem",
    [
        ("--hostname=x", "--hostname: cannot be used with --config; accepted: hostname in [[endpoints]] of {path}"),
        ("--max-connections=5", "--max-connections: also in {path}, line 1; accepted: one of them"),
    ],
)  # fmt: skip
def test_a_flag_that_contradicts_the_file_is_refused(environment, tmp_path, flag, problem):
    path = tmp_path / "proxy.toml"
    path.write_text(ENDPOINT)
    status, _, error = run(environment, f"--config={path}", flag)
    assert (status, error) == (2, f"rdsign: {problem.format(path=path)}\n")


def test_check_logs_in_once_to_each_endpoint(environment, config):
    config.write({"works": {}, "fails": {"hostport": 1}})
    server = f"{config.server['hostname']} at 127.0.0.1 port"
    status, output, error = run(environment, "check", config.flag)
    lines = [
        f"works: logged in to {server} {config.server['port']} as iam_user",
        f"fails: cannot log in to {server} 1 as iam_user: {server} 1 refuses connections: nothing listens there (refused)",
    ]  # fmt: skip
    assert (status, output.splitlines(), error) == (1, lines, "")
    status, output, error = run(environment, "check", "--connect-timeout=120")
    assert (status, output, error) == (0, lines[0].removeprefix("works: ") + "\n", "")
    assert run(environment, "check", "--listen=0.0.0.0:1")[0] == 2


def test_check_prints_a_server_s_message_in_one_line(environment):
    flags = ["--connect-timeout=120", "--health-database=two\nlines\x1b"]
    status, output, _ = run(environment, "check", *flags)
    assert status == 1
    assert output.endswith('iam_user: database "two\\nlines\\u{1b}" does not exist (no-such-database)\n'), (
        output
    )
    assert output.count("\n") == 1


def test_any_user_may_log_in_if_allowed(start):
    proxy = start("--any-user")
    assert proxy.wait_for("listening")["users"] == "any user"
    # The key is for iam_user only, so the server refuses the token of the other one.
    with pytest.raises(psycopg.OperationalError, match='PAM authentication failed for user "testuser"'):
        psycopg.connect(proxy.conninfo.replace("iam_user", "testuser"))
    assert proxy.can_connect()


def test_a_name_that_cannot_be_signed_has_the_code_of_its_error_as_id(start):
    proxy = start("--any-user")
    with pytest.raises(psycopg.OperationalError, match="HINT:  INVALID_USERNAME: `rdsign doctor` ") as error:
        psycopg.connect(proxy.conninfo.replace("iam_user", "'a\001b'"))
    assert "no token can be signed: INVALID_USERNAME: username: " in str(error.value)
    assert proxy.wait_for("refused")["id"] == "INVALID_USERNAME"
