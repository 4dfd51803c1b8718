"""`rdsign doctor` against servers that are each broken in one way.

Each test checks the step that fails, its finding, its text and the exit status, and that all checks
pass without the fault.
"""

import contextlib
import json
import os
import pty
import re
import signal
import socket
import ssl
import subprocess
import threading
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from harness import PATIENCE, RDSIGN, contract, ids, wait_until

STATUSES = {"credentials": 11, "region": 12, "name": 13, "tcp": 14, "tls": 15, "login": 17, "member": 19}
STEPS = [
    "credentials",
    "region",
    "name",
    "tcp",
    "tls",
    "token",
    "login",
    "clock",
    "member",
    "force-ssl",
    "policy",
]

FINDINGS = ids("doctor", "answer") | {code for code, *_ in contract("codes")}
# These need a server or a network that these tests do not have. answers.rs tests the answers.
UNTRIED = "name-timeout no-address unreachable bad-certificate login-broken clock-differs query-failed"


def run(environment, *flags):
    if not any(flag.startswith("--timeout") for flag in flags):
        flags += ("--timeout=60",)  # the default is too short on a busy machine
    command = [RDSIGN, "doctor", *flags]
    done = subprocess.run(command, env=environment, text=True, capture_output=True, timeout=PATIENCE)
    for secret in ("AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        value = environment.get(secret)
        assert not value or value not in done.stdout + done.stderr
    assert "X-Amz-" not in done.stdout + done.stderr
    return done


def steps(environment, *flags):
    done = run(environment, "--json", *flags)
    assert done.stderr == ""
    report = json.loads(done.stdout)
    assert report["exit_status"] == done.returncode
    assert [step["step"] for step in report["steps"]] == STEPS
    assert {step["finding"] for step in report["steps"]} <= FINDINGS | {None}
    return report["failed_step"], {step["step"]: step for step in report["steps"]}, done.returncode


def fails(environment, step, finding, sentence, *flags):
    """Checks that this step fails with this finding and text, and that the steps after it are skipped."""
    failed, report, status = steps(environment, *flags)
    assert (failed, status) == (step, STATUSES[step]), report
    assert report[step]["finding"] == finding
    assert re.search(sentence, report[step]["says"]), report[step]["says"]
    if step not in ("login", "member"):
        assert report[step]["next"], "nothing to do"
    if step != "member":
        assert report["member"]["outcome"] == "skipped"
    return report


def passes(environment, *flags):
    failed, report, status = steps(environment, *flags)
    assert (failed, status) == (None, 0), report
    return report


@contextlib.contextmanager
def listener(serve):
    """A server that calls `serve` with its first connection."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def accept():
            with contextlib.suppress(OSError):
                connection, _ = server.accept()
                with connection:
                    serve(connection)

        thread = threading.Thread(target=accept)
        thread.start()
        try:
            yield f"--hostport={server.getsockname()[1]}"
        finally:
            with contextlib.suppress(OSError):
                server.shutdown(socket.SHUT_RDWR)
            thread.join()


def test_a_login_that_works_is_reported_step_by_step(local, environment):
    report = passes(environment)
    outcomes = {name: step["outcome"] for name, step in report.items()}
    assert outcomes.pop("force-ssl") == "skipped"
    assert set(outcomes.values()) == {"fine"}
    for step, says in [
        ("credentials", r"environment: AKIALOCALIAMUSER0001 \(long-lived\)"),
        ("region", "ap-northeast-1, in the host name"),
        ("tcp", f"connected to 127.0.0.1:{local.port}"),
        (
            "tls",
            'TLS 1.3, trusted .* certificate issued by "rdsign local: certificate authority", expires at ',
        ),
        ("login", rf"iam_user is in testdb, PostgreSQL {local.major}"),
        ("member", "is a member of rds_iam, directly"),
        ("policy", "arn:aws:rds-db:ap-northeast-1:ACCOUNT:dbuser:RESOURCE_ID/iam_user$"),
    ]:
        assert re.search(says, report[step]["says"]), report[step]


def test_temporary_credentials_work_and_their_expiry_is_reported(local, environment):
    key = local.keys["ASIALOCALSESSION0001"]
    for name in ("access_key_id", "secret_access_key", "session_token"):
        environment[f"AWS_{name.upper()}"] = key[name]
    environment["AWS_CREDENTIAL_EXPIRATION"] = "2099-01-01T00:00:00Z"
    report = passes(environment)
    assert report["credentials"]["says"].endswith("(temporary), expires at 2099-01-01T00:00:00Z")
    soon = datetime.now(timezone.utc) + timedelta(minutes=6)
    environment["AWS_CREDENTIAL_EXPIRATION"] = soon.strftime("%Y-%m-%dT%H:%M:%SZ")
    report = passes(environment)
    assert report["credentials"]["finding"] == "credentials-end-soon"


def test_missing_credentials_are_reported(environment):
    passes(environment)
    del environment["AWS_ACCESS_KEY_ID"]
    report = fails(environment, "credentials", "CREDENTIALS_NOT_FOUND", "AWS_ACCESS_KEY_ID is not set")
    assert report["tls"]["outcome"] == "fine", "steps that need no credentials still run"


def test_expired_credentials_are_reported(environment):
    environment["AWS_CREDENTIAL_EXPIRATION"] = "2020-01-01T00:00:00Z"
    fails(environment, "credentials", "CREDENTIALS_EXPIRED", "expired at 2020-01-01T00:00:00Z")
    environment["AWS_CREDENTIAL_EXPIRATION"] = "2099-01-01T00:00:00Z"
    passes(environment)


def test_a_missing_session_token_is_reported(local, environment):
    key = local.keys["ASIALOCALSESSION0001"]
    environment |= {
        "AWS_ACCESS_KEY_ID": key["access_key_id"],
        "AWS_SECRET_ACCESS_KEY": key["secret_access_key"],
    }
    sentence = "is a temporary key, and its session token is missing"
    report = fails(environment, "credentials", "session-token-missing", sentence)
    assert report["login"]["finding"] == "token-refused"
    passes(environment | {"AWS_SESSION_TOKEN": key["session_token"]})


def test_a_session_token_of_another_key_is_reported(environment):
    over = environment | {"AWS_SESSION_TOKEN": "of-another-key-0815"}
    sentence = "is a long-lived key, but there is a session token"
    fails(over, "credentials", "session-token-left-over", sentence)
    passes(environment)


def test_odd_keys_are_warned_about_and_not_shown(environment):
    id, secret = environment["AWS_ACCESS_KEY_ID"], environment["AWS_SECRET_ACCESS_KEY"]
    swapped = environment | {"AWS_ACCESS_KEY_ID": secret, "AWS_SECRET_ACCESS_KEY": id}
    quoted = environment | {"AWS_ACCESS_KEY_ID": f'"{id}"'}
    for odd, finding in [(swapped, "odd-access-key-id"), (quoted, "quoted-key")]:
        done = run(odd, "--json")
        assert secret not in done.stdout + done.stderr
        _, told, _ = steps(odd)
        assert (told["credentials"]["outcome"], told["credentials"]["finding"]) == ("warning", finding)


def test_a_wrong_region_is_reported(local, environment):
    passes(environment, "--region=ap-northeast-1")
    fails(
        environment,
        "region",
        "REGION_MISMATCH",
        "eu-west-1 differs from the host name's region",
        "--region=eu-west-1",
    )
    fails(environment, "region", "INVALID_REGION", "is not a region", "--region=EU")


def test_a_wrong_region_is_suspected_if_the_name_has_none(local, environment):
    with local.configuration(("endpoints = [", 'endpoints = ["localhost", ')):
        report = passes(environment, "--hostname=localhost", "--region=ap-northeast-1")
        assert report["name"]["finding"] == "not-an-endpoint"
        flags = ["--hostname=localhost", "--region=eu-west-1"]
        report = fails(environment, "login", "token-refused", "PAM authentication failed", *flags)
        assert any("region, eu-west-1, may not be" in line for line in report["login"]["next"])
    del environment["AWS_REGION"]
    fails(environment, "region", "REGION_REQUIRED", "region: missing", "--hostname=localhost")


def test_an_unknown_name_is_reported(local, environment):
    del environment["PGHOSTADDR"]
    name = "db.abc123.ap-northeast-1.rds.amazonaws.com.invalid"
    flags = [f"--hostname={name}", "--region=ap-northeast-1"]
    fails(environment, "name", "name-unknown", f"{re.escape(name)} cannot be looked up: ", *flags)
    passes(environment, "--hostaddr=127.0.0.1")


def test_a_port_that_refuses_connections_is_reported(local, environment):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        fails(environment, "tcp", "refused", f"127.0.0.1:{port} refuses connections", f"--hostport={port}")
    passes(environment, f"--hostport={local.port}")


def test_a_port_that_drops_packets_ends_in_time(environment):
    with socket.socket() as server, contextlib.ExitStack() as stack:
        server.bind(("127.0.0.1", 0))
        server.listen(0)
        address = server.getsockname()
        for _ in range(4):  # until the queue is full and the system drops new connections
            client = stack.enter_context(socket.socket())
            client.setblocking(False)
            client.connect_ex(address)
        flags = ["--timeout=1", f"--hostport={address[1]}"]
        fails(environment, "tcp", "tcp-timeout", "does not answer within 1 s", *flags)
    passes(environment)


def test_a_silent_port_ends_in_time(environment):
    with listener(lambda connection: connection.recv(9) and connection.recv(1)) as port:
        fails(environment, "tls", "tls-timeout", "does not answer within 1 s", "--timeout=1", port)
    passes(environment)


@pytest.mark.parametrize(
    "answer, finding, sentence",
    [
        (b"N", "no-tls", "the server has no TLS, and rdsign sends no token without it"),
        (b"HTTP/1.1 400 Bad Request", "not-postgresql", "the server's answer is not PostgreSQL's"),
        (b"", "not-postgresql", "closed the connection"),
        (b"Sno TLS at all, for sure", "handshake", "the TLS handshake failed"),
    ],
    ids=["no TLS", "HTTP", "nothing", "no handshake"],
)
def test_a_server_that_is_not_postgresql_with_tls_is_reported(environment, answer, finding, sentence):
    asked = []

    def serve(connection):
        asked.append(connection.recv(100))
        connection.sendall(answer)
        connection.shutdown(socket.SHUT_WR)
        while more := connection.recv(4096):
            asked.append(more)

    with listener(serve) as port:
        fails(environment, "tls", finding, sentence, port)
    assert b"X-Amz" not in b"".join(asked)
    passes(environment)


def test_another_authority_is_reported(environment, tmp_path):
    passes(environment)
    right = environment.pop("PGSSLROOTCERT")
    issuer = '"rdsign local: certificate authority", which is not among the authorities of RDS'
    fails(environment, "tls", "unknown-issuer", issuer)
    passes(environment, f"--sslrootcert={right}")
    fails(
        environment,
        "tls",
        "unknown-issuer",
        "not among the authorities of this system",
        "--sslrootcert=system",
    )
    missing = tmp_path / "missing.pem"
    fails(environment, "tls", "no-authorities", f"{missing} cannot be read", f"--sslrootcert={missing}")
    empty = tmp_path / "empty.pem"
    empty.write_text("")
    fails(environment, "tls", "no-authorities", "no certificate found", f"--sslrootcert={empty}")


def test_for_a_proxy_the_system_s_authorities_are_trusted_too(environment):
    del environment["PGSSLROOTCERT"]
    proxy = "--hostname=app.proxy-abc123.ap-northeast-1.rds.amazonaws.com"
    report = fails(
        environment, "tls", "unknown-issuer", "not among the authorities of this system and of Amazon", proxy
    )
    assert any("prx-" in line for line in report["policy"]["next"])


def test_a_certificate_for_another_name_is_reported(local, environment):
    flag = "--hostname=other.abc123.ap-northeast-1.rds.amazonaws.com"
    names = rf"is not for other\.abc123\..*, but for: .*{re.escape(local.host)}"
    fails(environment, "tls", "wrong-name", names, flag)
    passes(environment)


def certificate(folder, start, end):
    """Creates a certificate and its authority with openssl. Returns (authority, chain, key)."""
    (folder / "names").write_text("subjectAltName=DNS:mydb.abc123.ap-northeast-1.rds.amazonaws.com\n")
    (folder / "index.txt").write_text("")
    (folder / "ca.cnf").write_text(
        f"[ca]\ndefault_ca=d\n[d]\ndatabase={folder}/index.txt\nnew_certs_dir={folder}\nrand_serial=yes\n"
        "default_md=sha256\npolicy=p\n[p]\ncommonName=supplied\n"
        "[req]\ndistinguished_name=n\n[n]\n[v]\nbasicConstraints=critical,CA:true\nsubjectKeyIdentifier=hash\n"
    )

    def openssl(*arguments):
        done = subprocess.run(["openssl", *arguments], cwd=folder, text=True, capture_output=True)
        assert done.returncode == 0, done.stderr

    new = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-config", "ca.cnf"]
    openssl(
        "req",
        "-x509",
        *new,
        "-subj",
        "/CN=An authority",
        "-days",
        "3650",
        "-extensions",
        "v",
        "-keyout",
        "ca.key",
        "-out",
        "ca.pem",
    )
    openssl("req", *new, "-subj", "/CN=server", "-keyout", "server.key", "-out", "server.csr")
    ends = ["-startdate", start, "-enddate", end, "-extfile", "names", "-notext", "-batch"]
    openssl(
        "ca",
        "-config",
        "ca.cnf",
        "-cert",
        "ca.pem",
        "-keyfile",
        "ca.key",
        *ends,
        "-in",
        "server.csr",
        "-out",
        "server.pem",
    )
    return folder / "ca.pem", folder / "server.pem", folder / "server.key"


@pytest.mark.parametrize(
    "start, end, finding, sentence",
    [
        (
            "20200101000000Z",
            "20210101000000Z",
            "certificate-expired",
            "expired at 2021-01-01T00:00:00Z; it is 20",
        ),
        ("20900101000000Z", "20910101000000Z", "certificate-not-yet-valid", "is not valid yet; it is 20"),
    ],
    ids=["expired", "not yet valid"],
)
def test_a_certificate_that_is_not_valid_now_is_reported(
    environment, tmp_path, start, end, finding, sentence
):
    authority, chain, key = certificate(tmp_path, start, end)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain, key)

    def serve(connection):
        connection.recv(8)
        connection.sendall(b"S")
        with contextlib.suppress(ssl.SSLError):
            context.wrap_socket(connection, server_side=True)

    with listener(serve) as port:
        fails(environment, "tls", finding, sentence, port, f"--sslrootcert={authority}")
    passes(environment)


def test_a_role_that_is_missing_or_not_in_rds_iam_is_reported(local, environment):
    local.as_postgres("CREATE USER plain")
    sentence = "password authentication failed for user .*not in rds_iam or does not exist"
    try:
        for name in ("nobody_at_all", "plain"):
            report = fails(environment, "login", "not-an-iam-user", sentence, f"--username={name}")
            assert f'As an administrator: GRANT rds_iam TO "{name}";' in report["login"]["next"]
        local.as_postgres("GRANT rds_iam TO plain")
        with local.configuration(("/iam_user", "/plain")):
            passes(environment, "--username=plain")
    finally:
        local.as_postgres("DROP USER plain")


def test_a_missing_policy_is_the_first_suspect(local, environment):
    before = len(local.log.read_text())
    key = local.keys["AKIALOCALNOTHING0001"]
    own = {"AWS_ACCESS_KEY_ID": key["access_key_id"], "AWS_SECRET_ACCESS_KEY": key["secret_access_key"]}
    report = fails(environment | own, "login", "token-refused", "checked the token and refused it")
    assert report["login"]["next"][0].startswith(
        "The owner of AKIALOCALNOTHING0001 may have no policy that allows rds-db:connect"
    )
    assert report["policy"]["says"].endswith("/iam_user")
    assert "rdsign: refused (not-allowed)" in local.log.read_text()[before:]
    passes(environment)


@pytest.mark.parametrize("seconds, reason", [(901, "expired"), (-3600, "not-yet-valid")])
def test_a_wrong_clock_is_suspected(local, environment, seconds, reason):
    before = len(local.log.read_text())
    with local.configuration(("clock_offset_seconds = 0", f"clock_offset_seconds = {seconds}")):
        report = fails(environment, "login", "token-refused", "PAM authentication failed")
    assert any(line.startswith("The clock may be off: it is 20") for line in report["login"]["next"])
    assert f"rdsign: refused ({reason})" in local.log.read_text()[before:]
    passes(environment)


def test_an_old_token_in_pgpassword_is_reported(local, environment):
    old = local.token(signing_time="2024-08-26T22:00:00Z")
    report = passes(environment | {"PGPASSWORD": old})
    assert report["token"]["finding"] == "old-token"
    assert report["token"]["says"].endswith("the token in PGPASSWORD expired at 2024-08-26T22:15:00Z")
    report = passes(environment | {"PGPASSWORD": local.token()})
    assert report["token"]["outcome"] == "fine"


def test_a_missing_database_is_reported(environment):
    fails(environment, "login", "no-such-database", "the token is valid", "--dbname=nowhere")
    passes(environment, "--dbname=testdb")


def test_the_path_to_rds_iam_is_reported(local, environment):
    local.as_postgres("CREATE ROLE team; CREATE ROLE staff; CREATE USER member")
    local.as_postgres("GRANT rds_iam TO team")
    local.as_postgres("GRANT team TO staff; GRANT staff TO member")
    try:
        with local.configuration(("/iam_user", "/member")):
            report = passes(environment, "--username=member")
        assert report["member"]["says"].endswith("through member > staff > team > rds_iam")
    finally:
        local.as_postgres("DROP USER member; DROP ROLE staff; DROP ROLE team")


@contextlib.contextmanager
def changed(local, name, text):
    """Adds text to one of PostgreSQL's files inside the block, and waits until the server has read it."""
    file = local.folder / "data" / name
    before = file.read_text()
    postmaster = int((local.folder / "data/postmaster.pid").read_text().split()[0])

    def put(content):
        seen = local.log.read_text().count("received SIGHUP")
        file.write_text(content)
        os.kill(postmaster, signal.SIGHUP)
        wait_until(lambda: local.log.read_text().count("received SIGHUP") > seen, "the reload")

    put(text + before if name == "pg_hba.conf" else before + text)
    try:
        yield
    finally:
        put(before)


def test_a_server_that_does_not_check_the_token_is_reported(local, environment):
    with changed(local, "pg_hba.conf", "host all postgres all trust\n"):
        reached = lambda: run(environment, "--username=postgres").returncode != 17  # noqa: E731
        wait_until(reached, "the new rules")
        sentence = "the server did not check the token"
        fails(environment, "member", "not-in-rds-iam", sentence, "--username=postgres")
    passes(environment)


@pytest.mark.parametrize("value, outcome", [("1", "fine"), ("0", "warning")])
def test_rds_force_ssl_is_reported(local, environment, value, outcome):
    with changed(local, "postgresql.conf", f"rds.force_ssl = {value}\n"):
        report = wait_until(
            lambda: (found := passes(environment))["force-ssl"]["outcome"] != "skipped" and found,
            "the new setting",
        )
        assert report["force-ssl"]["outcome"] == outcome
        assert report["force-ssl"]["finding"] == (None if outcome == "fine" else "force-ssl-off")


@pytest.mark.parametrize(
    "flag", ["--hostname=https://x", "--port=0", "--username=", "--timeout=0", "--hostaddr=x"]
)
def test_invalid_input_runs_no_step(environment, flag):
    done = run(environment, flag)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr


def test_piped_text_fits_80_columns_and_has_no_colours(environment):
    for own in [environment, environment | {"PGSSLROOTCERT": ""}]:
        text = run(own).stdout
        assert "\x1b" not in text and "✓ tcp" in text
        wide = [line for line in text.splitlines() if len(line) > 80]
        assert not wide
    plain = run(environment | {"LANG": "C"}).stdout
    assert "+ tcp" in plain and "✓" not in plain


@pytest.mark.parametrize(
    "more, coloured", [({"TERM": "xterm"}, True), ({"TERM": "xterm", "NO_COLOR": "1"}, False)]
)
def test_a_terminal_gets_colours_unless_no_color_is_set(environment, more, coloured):
    here, there = pty.openpty()
    with subprocess.Popen([RDSIGN, "doctor"], env=environment | more, stdout=there, stderr=there) as process:
        os.close(there)
        text = b""
        with contextlib.suppress(OSError):  # reading fails when the program has closed its end
            while part := os.read(here, 4096):
                text += part
        os.close(here)
        assert process.wait(PATIENCE) == 0
    assert (b"\x1b[32m" in text) == coloured


def test_every_finding_of_the_contract_has_a_test():
    source = Path(__file__).read_text()
    tried = {id for id in ids("doctor") if f'"{id}"' in source}
    assert ids("doctor") - tried == set(UNTRIED.split())
