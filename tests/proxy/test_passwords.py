"""Clients that must give a password."""

import os
import pty
import socket
import struct
import subprocess
import sys
import termios

import own_network
import psycopg
import pytest
from common import PATIENCE, RDSIGN, wait_until
from test_config import reload

SASL = struct.pack("!I", 10)
PLAIN, BOTH = b"SCRAM-SHA-256\0\0", b"SCRAM-SHA-256-PLUS\0SCRAM-SHA-256\0\0"


class Client:
    """A client that sends messages one by one."""

    def __init__(self, proxy, user="iam_user"):
        self.socket = socket.create_connection(("127.0.0.1", proxy.port), timeout=PATIENCE)
        self.socket.settimeout(PATIENCE)
        self.file = self.socket.makefile("rb")
        body = b"\0\x03\0\0" + (b"user\0" + user.encode() + b"\0" if user else b"") + b"\0"
        self.socket.sendall(struct.pack("!I", 4 + len(body)) + body)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.file.close()
        self.socket.close()

    def read(self):
        kind, length = struct.unpack("!cI", self.file.read(5))
        return kind, self.file.read(length - 4)

    def send(self, body, kind=b"p"):
        self.socket.sendall(kind + struct.pack("!I", 4 + len(body)) + body)

    def start(self, first=b"n,,n=,r=abc", method=b"SCRAM-SHA-256"):
        self.send(method + b"\0" + struct.pack("!I", len(first)) + first)

    def error(self):
        """Returns the SQLSTATE and the message of the error that ends the connection."""
        kind, body = self.read()
        assert kind == b"E", (kind, body)
        assert self.file.read() == b""
        fields = {field[:1]: field[1:].decode() for field in body.split(b"\0") if field}
        return fields[b"C"], fields[b"M"]


def refusal(conninfo):
    with pytest.raises(psycopg.OperationalError) as error:
        psycopg.connect(conninfo)
    return str(error.value)


@pytest.fixture
def proxy(start, passwords):
    return start(passwords.flag)


def test_only_the_password_logs_in(start, passwords, psql):
    passwords.write(iam_user=passwords.password, other="the secret of another")
    proxy = start(passwords.flag)
    assert psql(proxy.conninfo, PGPASSWORD=passwords.password).stdout == "iam_user\n"
    for password in ("The secret", "the secret of another"):
        error = refusal(f"{proxy.conninfo} password='{password}'")
        assert error.endswith('FATAL:  rdsign proxy: password authentication failed for user "iam_user"')
    message = proxy.wait_for("refused", 2)["message"]
    assert message == 'password authentication failed for user "iam_user": the password is wrong'
    assert len(proxy.lines("login")) == 1
    assert passwords.password not in proxy.text


def test_psql_can_ask_for_the_password_without_a_warning_in_the_log(proxy, psql):
    assert "fe_sendauth: no password supplied" in psql(proxy.conninfo).stderr
    assert "password authentication failed" in psql(proxy.conninfo, PGPASSWORD="wrong").stderr
    proxy.wait_for("refused")
    assert proxy.stop() == 0
    assert len(proxy.lines("refused")) == 1


def test_an_unknown_user_gets_the_same_answers(start, passwords, environment):
    passwords.write(iam_user=passwords.password, other="another")
    proxy = start(passwords.flag)
    salts, shapes = {}, set()
    for user in ("nobody", "iam_user", "nobody", "iam_user"):
        with Client(proxy, user) as client:
            kind, offered = client.read()
            client.start()
            _, answer = client.read()
            nonce, salt, iterations = answer[4:].decode().split(",")
            salts.setdefault(user, set()).add(salt)
            proof = "A" * 43 + "="
            client.send(f"c=biws,{nonce},p={proof}".encode())
            state, message = client.error()
            message = message.replace(user, "USER")
            shapes.add((kind, offered, len(nonce), len(salt), iterations, state, message))
    text = 'rdsign proxy: password authentication failed for user "USER"'
    [shape] = shapes
    assert shape[:2] == (b"R", SASL + PLAIN) and shape[5:] == ("28P01", text)
    assert [len(found) for found in salts.values()] == [1, 1]
    assert salts["nobody"] != salts["iam_user"]
    proxy.wait_for("refused", 4)
    unknown = proxy.lines("refused")[0]["message"]
    assert unknown.endswith('"nobody": the password file does not have this user')


def test_an_unknown_user_keeps_the_salt_when_the_file_is_read_again(start, config, passwords):
    config.write({"orders": {"password_file": str(passwords.file)}})
    proxy = start(config.flag)

    def salts():
        answers = []
        for user in ("nobody", "iam_user"):
            with Client(proxy, user) as client:
                client.read()
                client.start()
                _, answer = client.read()
                answers.append(answer.split(b",", 1)[1])
        return answers

    before = salts()
    with passwords.file.open("a") as file:
        file.write(passwords.line("other", "another"))
    assert salts() == before
    proxy.wait_for("files")
    reload(proxy)
    assert salts() == before


def test_a_user_without_a_token_is_told_so_only_after_the_password(start, passwords):
    passwords.write(iam_user=passwords.password, other="another")
    proxy = start(passwords.flag)
    conninfo = proxy.conninfo.replace("iam_user", "other")
    assert "password authentication failed" in refusal(f"{conninfo} password=wrong")
    assert 'user "other" may not log in here' in refusal(f"{conninfo} password=another")


def test_clients_can_require_channel_binding(start, passwords, certificate, psql):
    proxy = start(passwords.flag, *certificate.flags)
    conninfo = f"{proxy.conninfo} {certificate.verified} channel_binding=require"
    ec = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-384", "-sha384")
    rsa = ("-newkey", "rsa:2048", "-sha512")
    pss = ("-newkey", "rsa:2048", "-sha384", "-sigopt", "rsa_padding_mode:pss")
    for options in ((), ec, rsa, pss):
        certificate.make(*options)
        assert psql(conninfo, PGPASSWORD=passwords.password).stdout == "iam_user\n", options
    assert "password authentication failed" in psql(conninfo, PGPASSWORD="wrong").stderr
    with psycopg.connect(f"{conninfo} password='{passwords.password}'") as connection:
        assert connection.execute("select 1").fetchone() == (1,)
    # Without TLS there is no channel to bind to.
    with Client(proxy) as client:
        assert client.read() == (b"R", SASL + PLAIN)


def test_a_certificate_that_defines_no_hash_works_without_channel_binding(
    start, passwords, certificate, psql
):
    certificate.make("-newkey", "ed25519")
    proxy = start(passwords.flag, *certificate.flags)
    done = psql(f"{proxy.conninfo} {certificate.verified}", PGPASSWORD=passwords.password)
    assert (done.stdout, done.stderr) == ("iam_user\n", "")


def test_a_client_that_hangs_during_the_authentication_is_hung_up_on(start, passwords):
    proxy = start(passwords.flag, "--startup-timeout=1")
    with Client(proxy) as silent, Client(proxy) as half:
        half.read()
        half.start()
        half.read()
        silent.read()
        expected = ("28000", "rdsign proxy: the client does not finish the authentication")
        assert (silent.error(), half.error()) == (expected, expected)


@pytest.mark.parametrize(
    "body, kind, problem",
    [
        (b"SELECT 1\0", b"Q", "the client sent another message than a response"),
        (b"x" * 1025, b"p", "the client's response has an invalid length"),
        (b"hunter2\0", b"p", "the first message is broken"),
        (b"SCRAM-SHA-1\0\0\0\0\x0bn,,n=,r=abc", b"p", "the method was not offered"),
    ],
)
def test_other_messages_than_scram_s_are_refused(proxy, body, kind, problem):
    with Client(proxy) as client:
        client.read()
        client.send(body, kind)
        state, message = client.error()
    assert (state, message) == ("08P01", f"rdsign proxy: malformed SCRAM message: {problem}")
    proxy.wait_for("refused")
    assert "hunter2" not in proxy.text


def test_a_client_that_names_no_user_reaches_no_server(proxy):
    with Client(proxy, user=None) as client:
        state, message = client.error()
    assert state == "28000" and "names no user" in message


def test_a_password_can_be_required_on_a_unix_socket(start, passwords, tmp_path, psql):
    start(passwords.flag, f"--socket={tmp_path}/s")
    conninfo = f"host={tmp_path}/s user=iam_user dbname=testdb"
    assert "no password supplied" in psql(conninfo).stderr
    assert psql(conninfo, PGPASSWORD=passwords.password).stdout == "iam_user\n"


def test_a_new_password_counts_without_a_restart(proxy, passwords, psql):
    assert psql(proxy.conninfo, PGPASSWORD=passwords.password).stdout == "iam_user\n"
    passwords.write(iam_user="a new one", x="y")
    assert "password authentication failed" in psql(proxy.conninfo, PGPASSWORD=passwords.password).stderr
    assert psql(proxy.conninfo, PGPASSWORD="a new one").stdout == "iam_user\n"
    passwords.file.write_text("iam_user:hunter2\n")
    assert psql(proxy.conninfo, PGPASSWORD="a new one").stdout == "iam_user\n"
    assert " line 1: not USER:" in proxy.wait_for("files", 2)["message"]
    assert "hunter2" not in proxy.text


def test_a_password_file_counts_as_soon_as_its_mode_is_right(proxy, passwords, psql):
    passwords.file.write_text(passwords.line("iam_user", "a new one"))
    passwords.file.chmod(0o644)
    assert psql(proxy.conninfo, PGPASSWORD=passwords.password).stdout == "iam_user\n"
    assert "others can read or change" in proxy.wait_for("files")["message"]
    passwords.file.chmod(0o600)
    assert psql(proxy.conninfo, PGPASSWORD="a new one").stdout == "iam_user\n"


def test_a_named_pipe_in_place_of_the_file_stops_no_login(proxy, passwords, psql):
    passwords.file.unlink()
    os.mkfifo(passwords.file, 0o600)
    assert psql(proxy.conninfo, PGPASSWORD=passwords.password).stdout == "iam_user\n"
    assert proxy.wait_for("files")["message"].startswith(f"password file: {passwords.file} cannot be read: ")


def usage_error(environment, *flags):
    command = [RDSIGN, "proxy", *flags]
    pipes = {"stdin": subprocess.DEVNULL, "capture_output": True, "text": True, "timeout": PATIENCE}
    done = subprocess.run(command, env=environment, **pipes)
    assert done.returncode == 2, done
    return done.stderr


def test_files_that_cannot_be_used_are_named(environment, certificate, passwords, tmp_path):
    cert, key, file = certificate.cert, certificate.key, passwords.file
    other = tmp_path / "other"
    other.write_text(file.read_text() + "hunter2\n")
    other.chmod(0o600)
    error = usage_error(environment, f"--password-file={other}")
    expected = f"rdsign: password file: {other} line 2: not USER:SCRAM-SHA-256$…; accepted: lines as "
    assert error.startswith(expected) and "hunter2" not in error

    error = usage_error(environment, "--password-file=/nonexistent")
    assert error.startswith("rdsign: password file: /nonexistent cannot be read: ")
    error = usage_error(environment, f"--tls-cert={cert}")
    assert error.startswith("rdsign: tls key: missing; accepted: ")
    error = usage_error(environment, f"--tls-cert={key}", f"--tls-key={key}")
    assert error.startswith(f"rdsign: tls cert: {key} has no certificate; accepted: PEM with ")
    error = usage_error(environment, f"--tls-cert={cert}", f"--tls-key={file}")
    assert error.startswith(f"rdsign: tls key: {file} has no private key that can be read; accepted: PEM ")

    old = cert.with_suffix(".old")
    old.write_bytes(cert.read_bytes())
    certificate.make()
    error = usage_error(environment, f"--tls-cert={old}", f"--tls-key={key}")
    assert error.startswith(f"rdsign: tls key: {key} has the key of another certificate; accepted: PEM ")
    broken = cert.with_suffix(".broken")
    broken.write_text("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
    error = usage_error(environment, f"--tls-cert={broken}", f"--tls-key={key}")
    assert error.startswith(
        f"rdsign: tls cert: {broken} has a certificate that cannot be used; accepted: PEM "
    )
    key.chmod(0o644)
    error = usage_error(environment, *certificate.flags)
    assert error.startswith(f"rdsign: tls key: others can read or change {key}; accepted: ")


def test_other_addresses_need_passwords_and_a_certificate(environment, certificate, passwords):
    # An address of documentation, which no machine has.
    address = "--listen=192.0.2.1:5432"
    for flags, reason in [
        ([], "clients give no password, so whoever reaches it could log in"),
        (certificate.flags, "clients give no password, so whoever reaches it could log in"),
        ([passwords.flag], "clients would use no TLS"),
    ]:
        error = usage_error(environment, address, *flags)
        assert f"listen: 192.0.2.1:5432 can be reached from other machines, and {reason}; " in error
        assert error.endswith("or --tls-cert, --tls-key and --password-file\n")


# Runs in a network of its own, whose addresses nobody else reaches.
REACHABLE = """
import subprocess, sys
import own_network
own_network.add_address("lo", "127.0.0.1")
conninfo, *command = sys.argv[1:]
with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as proxy:
    lines = iter(proxy.stderr.readline, "")
    shown = [next(lines)]
    while " listening " not in shown[-1]:
        shown.append(next(lines, ""))
        assert shown[-1], shown
    address = shown[-1].partition("address=")[2].split()[0]
    conninfo += " port=" + address.rpartition(":")[2]
    for more in ("disable password=x", "require password=x", "require password='the secret'"):
        subprocess.run(["psql", "-Xc", "select 1", f"{conninfo} sslmode={more}"])
    proxy.terminate()
    proxy.stderr.read()
"""


@pytest.mark.skipif(not own_network.is_possible(), reason=own_network.IMPOSSIBLE)
def test_where_other_machines_come_from_tls_is_required_before_the_password(
    environment, certificate, passwords
):
    flags = ["--listen=0.0.0.0:0", "--hostaddr=127.0.0.1", *certificate.flags, passwords.flag]
    command = [*own_network.UNSHARE, sys.executable, "-c", REACHABLE]
    command += ["host=127.0.0.1 user=iam_user dbname=testdb", RDSIGN, "proxy", *flags]
    # The authorities of the local RDS belong to a user who does not exist there.
    environment |= {"PYTHONPATH": os.path.dirname(own_network.__file__)}
    environment |= {"PGSSLROOTCERT": str(certificate.cert)}
    options = {"capture_output": True, "text": True, "timeout": PATIENCE, "env": environment}
    done = subprocess.run(command, stdin=subprocess.DEVNULL, **options)
    fatal = [line.partition("FATAL:  ")[2] for line in done.stderr.splitlines() if "FATAL: " in line]
    assert fatal[:2] == [
        "rdsign proxy: clients must use TLS here",
        'rdsign proxy: password authentication failed for user "iam_user"',
    ], done.stderr
    # The server is in the other network.
    assert "refuses connections" in fatal[2]


def test_a_password_is_read_from_a_terminal_without_showing_it():
    here, there = pty.openpty()
    command = [RDSIGN, "proxy", "password", "--username=iam_user"]
    options = {"stdin": there, "stderr": there, "stdout": subprocess.PIPE, "start_new_session": True}
    with subprocess.Popen(["setsid", "-c", *command], **options) as process:
        shown = b""

        def answer(prompt, password):
            nonlocal shown
            while prompt not in shown:
                shown += os.read(here, 4096)
            wait_until(lambda: not termios.tcgetattr(there)[3] & termios.ECHO, "the echo is off")
            os.write(here, password + b"\n")

        answer(b"Password: ", b"hunter2")
        answer(b"Again: ", b"hunter2")
        line = process.stdout.read()
        assert process.wait(PATIENCE) == 0
    os.close(there)
    os.close(here)
    assert line.startswith(b"iam_user:SCRAM-SHA-256$4096:")
    assert b"hunter2" not in shown + line


def test_ctrl_c_at_the_prompt_gives_the_terminal_its_echo_back():
    here, there = pty.openpty()
    command = [RDSIGN, "proxy", "password", "--username=iam_user"]
    options = {"stdin": there, "stderr": there, "stdout": subprocess.PIPE, "start_new_session": True}
    with subprocess.Popen(["setsid", "-c", *command], **options) as process:
        wait_until(lambda: not termios.tcgetattr(there)[3] & termios.ECHO, "the echo is off")
        os.write(here, b"\x03")
        assert process.stdout.read() == b"", "it ends"
    assert termios.tcgetattr(there)[3] & termios.ECHO
    os.close(there)
    os.close(here)


@pytest.mark.parametrize(
    "user, password, problem",
    [
        ("u", b"\n", "password: empty"),
        ("u", b"x" * 65_536, "password: too long"),
        ("#u", b"x", 'username: "#u" cannot start a line'),
    ],
)
def test_what_makes_no_line_is_refused(user, password, problem):
    command = [RDSIGN, "proxy", "password", f"--username={user}"]
    done = subprocess.run(command, input=password, capture_output=True, timeout=PATIENCE)
    assert (done.returncode, done.stdout) == (2, b"")
    assert done.stderr.decode().startswith(f"rdsign: {problem}")


def test_a_password_as_an_argument_is_refused_and_not_repeated():
    command = [RDSIGN, "proxy", "password", "--username=u", "hunter2"]
    done = subprocess.run(command, input="hunter2\n", capture_output=True, text=True, timeout=PATIENCE)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("rdsign: password: given as an argument, which others can see; accepted: ")
    assert "hunter2" not in done.stderr
