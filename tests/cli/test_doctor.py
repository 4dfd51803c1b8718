"""`rdsign doctor` beside servers that are broken in one way each: the step that fails, its finding,
its sentence and the exit status; and with the fault gone, all is well.
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
# What needs a server or a network that these tests do not have. For the answers, see answers.rs.
UNTRIED = "name-timeout no-address unreachable bad-certificate login-broken clock-differs query-failed"


def run(environment, *flags):
    if not any(flag.startswith("--timeout") for flag in flags):
        flags += ("--timeout=60",)  # the default is soon over on a busy machine
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
    told = json.loads(done.stdout)
    assert told["exit_status"] == done.returncode
    assert [step["step"] for step in told["steps"]] == STEPS
    assert {step["finding"] for step in told["steps"]} <= FINDINGS | {None}
    return told["failed_step"], {step["step"]: step for step in told["steps"]}, done.returncode


def fails(environment, step, finding, sentence, *flags):
    """One step fails with this finding and this sentence; those who build on it are skipped."""
    failed, told, status = steps(environment, *flags)
    assert (failed, status) == (step, STATUSES[step]), told
    assert told[step]["finding"] == finding
    assert re.search(sentence, told[step]["says"]), told[step]["says"]
    if step not in ("login", "member"):
        assert told[step]["next"], "nothing to do"
    if step != "member":
        assert told["member"]["outcome"] == "skipped"
    return told


def all_is_well(environment, *flags):
    failed, told, status = steps(environment, *flags)
    assert (failed, status) == (None, 0), told
    return told


@contextlib.contextmanager
def listener(serve):
    """A server of the test's own, which serves one connection."""
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


def test_a_login_that_works_is_told_step_by_step(local, environment):
    told = all_is_well(environment)
    outcomes = {name: step["outcome"] for name, step in told.items()}
    assert outcomes.pop("force-ssl") == "skipped"
    assert set(outcomes.values()) == {"fine"}
    for step, says in [
        ("credentials", r"environment: AKIALOCALIAMUSER0001 \(long-lived\)"),
        ("region", "ap-northeast-1, in the host name"),
        ("tcp", f"connected to 127.0.0.1:{local.port}"),
        ("tls", 'TLS 1.3, trusted .* certificate by "rdsign local: certificate authority", until '),
        ("login", rf"iam_user is in testdb, PostgreSQL {local.major}"),
        ("member", "is a member of rds_iam, directly"),
        ("policy", "arn:aws:rds-db:ap-northeast-1:ACCOUNT:dbuser:RESOURCE_ID/iam_user$"),
    ]:
        assert re.search(says, told[step]["says"]), told[step]


def test_temporary_credentials_work_and_their_end_is_told(local, environment):
    key = local.keys["ASIALOCALSESSION0001"]
    for name in ("access_key_id", "secret_access_key", "session_token"):
        environment[f"AWS_{name.upper()}"] = key[name]
    environment["AWS_CREDENTIAL_EXPIRATION"] = "2099-01-01T00:00:00Z"
    told = all_is_well(environment)
    assert told["credentials"]["says"].endswith("(temporary), until 2099-01-01T00:00:00Z")
    soon = datetime.now(timezone.utc) + timedelta(minutes=6)
    environment["AWS_CREDENTIAL_EXPIRATION"] = soon.strftime("%Y-%m-%dT%H:%M:%SZ")
    told = all_is_well(environment)
    assert told["credentials"]["finding"] == "credentials-end-soon"


def test_there_are_no_credentials(environment):
    all_is_well(environment)
    del environment["AWS_SECRET_ACCESS_KEY"]
    told = fails(environment, "credentials", "CREDENTIALS_NOT_FOUND", "AWS_SECRET_ACCESS_KEY is not set")
    assert told["tls"]["outcome"] == "fine", "what does not need credentials is looked at"


def test_the_credentials_have_expired(environment):
    environment["AWS_CREDENTIAL_EXPIRATION"] = "2020-01-01T00:00:00Z"
    fails(environment, "credentials", "CREDENTIALS_EXPIRED", "2020-01-01T00:00:00Z")
    environment["AWS_CREDENTIAL_EXPIRATION"] = "2099-01-01T00:00:00Z"
    all_is_well(environment)


def test_the_session_token_is_missing(local, environment):
    key = local.keys["ASIALOCALSESSION0001"]
    environment |= {
        "AWS_ACCESS_KEY_ID": key["access_key_id"],
        "AWS_SECRET_ACCESS_KEY": key["secret_access_key"],
    }
    told = fails(
        environment, "credentials", "session-token-missing", "is a temporary key, and has no session token"
    )
    assert told["login"]["finding"] == "token-refused"
    all_is_well(environment | {"AWS_SESSION_TOKEN": key["session_token"]})


def test_a_session_token_is_left_over(environment):
    over = environment | {"AWS_SESSION_TOKEN": "of-another-key-0815"}
    fails(over, "credentials", "session-token-left-over", "is a long-lived key, and has a session token")
    all_is_well(environment)


def test_the_region_is_wrong(local, environment):
    all_is_well(environment, "--region=ap-northeast-1")
    fails(
        environment,
        "region",
        "REGION_MISMATCH",
        "eu-west-1 differs from the host name's region",
        "--region=eu-west-1",
    )
    fails(environment, "region", "INVALID_REGION", "is not a region", "--region=EU")


def test_the_region_is_wrong_where_the_name_has_none(local, environment):
    with local.configuration(("endpoints = [", 'endpoints = ["localhost", ')):
        told = all_is_well(environment, "--hostname=localhost", "--region=ap-northeast-1")
        assert told["name"]["finding"] == "not-an-endpoint"
        flags = ["--hostname=localhost", "--region=eu-west-1"]
        told = fails(environment, "login", "token-refused", "PAM authentication failed", *flags)
        assert any("region, eu-west-1, may not be" in line for line in told["login"]["next"])
    del environment["AWS_REGION"]
    fails(environment, "region", "REGION_REQUIRED", "region: missing", "--hostname=localhost")


def test_the_name_is_unknown(local, environment):
    del environment["PGHOSTADDR"]
    name = "db.abc123.ap-northeast-1.rds.amazonaws.com.invalid"
    flags = [f"--hostname={name}", "--region=ap-northeast-1"]
    fails(environment, "name", "name-unknown", f"{re.escape(name)} cannot be looked up: ", *flags)
    all_is_well(environment, "--hostaddr=127.0.0.1")


def test_the_server_is_down_or_the_port_is_wrong(local, environment):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        fails(environment, "tcp", "refused", f"127.0.0.1:{port} refuses connections", f"--hostport={port}")
    all_is_well(environment, f"--hostport={local.port}")


def test_a_port_that_swallows_everything_ends_in_time(environment):
    with socket.socket() as server, contextlib.ExitStack() as stack:
        server.bind(("127.0.0.1", 0))
        server.listen(0)
        address = server.getsockname()
        for _ in range(4):  # until the queue is full, and the system drops what comes
            client = stack.enter_context(socket.socket())
            client.setblocking(False)
            client.connect_ex(address)
        flags = ["--timeout=1", f"--hostport={address[1]}"]
        fails(environment, "tcp", "tcp-timeout", "does not answer within 1 s", *flags)
    all_is_well(environment)


def test_a_port_that_is_silent_ends_in_time(environment):
    with listener(lambda connection: connection.recv(9) and connection.recv(1)) as port:
        fails(environment, "tls", "tls-timeout", "does not answer within 1 s", "--timeout=1", port)
    all_is_well(environment)


@pytest.mark.parametrize(
    "answer, finding, sentence",
    [
        (b"N", "no-tls", "the server has no TLS, and without it a token is never sent"),
        (b"HTTP/1.1 400 Bad Request", "not-postgresql", "the server's answer is not PostgreSQL's"),
        (b"", "not-postgresql", "closed the connection"),
        (b"Sno TLS at all, for sure", "handshake", "no TLS came about"),
    ],
    ids=["no TLS", "HTTP", "nothing", "no handshake"],
)
def test_another_server_answers(environment, answer, finding, sentence):
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
    all_is_well(environment)


def test_the_authority_is_another(environment, tmp_path):
    all_is_well(environment)
    right = environment.pop("PGSSLROOTCERT")
    issuer = '"rdsign local: certificate authority", which is not among the authorities of RDS'
    fails(environment, "tls", "unknown-issuer", issuer)
    all_is_well(environment, f"--sslrootcert={right}")
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
    fails(environment, "tls", "no-authorities", "there is no certificate", f"--sslrootcert={empty}")


def test_a_proxy_may_have_an_authority_of_the_system(environment):
    del environment["PGSSLROOTCERT"]
    proxy = "--hostname=app.proxy-abc123.ap-northeast-1.rds.amazonaws.com"
    told = fails(
        environment, "tls", "unknown-issuer", "not among the authorities of this system and of Amazon", proxy
    )
    assert any("prx-" in line for line in told["policy"]["next"])


def test_the_certificate_is_for_another_name(local, environment):
    flag = "--hostname=other.abc123.ap-northeast-1.rds.amazonaws.com"
    names = rf"is not for other\.abc123\..*, but for: .*{re.escape(local.host)}"
    fails(environment, "tls", "wrong-name", names, flag)
    all_is_well(environment)


def certificate(folder, start, end):
    """A certificate of its own authority, made by openssl: (authority, chain, key)."""
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
def test_the_certificate_s_time_is_not_now(environment, tmp_path, start, end, finding, sentence):
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
    all_is_well(environment)


def test_the_role_is_missing_or_not_in_rds_iam(local, environment):
    local.as_postgres("CREATE USER plain")
    sentence = "password authentication failed for user .*not in rds_iam or does not exist"
    try:
        for name in ("nobody_at_all", "plain"):
            told = fails(environment, "login", "not-an-iam-user", sentence, f"--username={name}")
            assert f'As an administrator: GRANT rds_iam TO "{name}";' in told["login"]["next"]
        local.as_postgres("GRANT rds_iam TO plain")
        with local.configuration(("/iam_user", "/plain")):
            all_is_well(environment, "--username=plain")
    finally:
        local.as_postgres("DROP USER plain")


def test_no_policy_allows_it(local, environment):
    before = len(local.log.read_text())
    key = local.keys["AKIALOCALNOTHING0001"]
    own = {"AWS_ACCESS_KEY_ID": key["access_key_id"], "AWS_SECRET_ACCESS_KEY": key["secret_access_key"]}
    told = fails(environment | own, "login", "token-refused", "looked at the token and refused it")
    assert told["login"]["next"][0].startswith(
        "No policy may allow rds-db:connect to the owner of AKIALOCALNOTHING0001"
    )
    assert told["policy"]["says"].endswith("/iam_user")
    assert "rdsign: refused (not-allowed)" in local.log.read_text()[before:]
    all_is_well(environment)


@pytest.mark.parametrize("seconds, reason", [(901, "expired"), (-3600, "not-yet-valid")])
def test_the_token_is_expired_since_the_clocks_differ(local, environment, seconds, reason):
    before = len(local.log.read_text())
    with local.configuration(("clock_offset_seconds = 0", f"clock_offset_seconds = {seconds}")):
        told = fails(environment, "login", "token-refused", "PAM authentication failed")
    assert any(line.startswith("The clock may be off: it is 20") for line in told["login"]["next"])
    assert f"rdsign: refused ({reason})" in local.log.read_text()[before:]
    all_is_well(environment)


def test_an_old_token_in_pgpassword_is_seen(local, environment):
    old = local.token(signing_time="2024-08-26T22:00:00Z")
    told = all_is_well(environment | {"PGPASSWORD": old})
    assert told["token"]["finding"] == "old-token"
    assert told["token"]["says"].endswith("the one in PGPASSWORD expired at 2024-08-26T22:15:00Z")
    told = all_is_well(environment | {"PGPASSWORD": local.token()})
    assert told["token"]["outcome"] == "fine"


def test_the_database_is_missing(environment):
    fails(environment, "login", "no-such-database", "the token is right", "--dbname=nowhere")
    all_is_well(environment, "--dbname=testdb")


def test_the_way_to_rds_iam_is_told(local, environment):
    local.as_postgres("CREATE ROLE team; CREATE ROLE staff; CREATE USER member")
    local.as_postgres("GRANT rds_iam TO team")
    local.as_postgres("GRANT team TO staff; GRANT staff TO member")
    try:
        with local.configuration(("/iam_user", "/member")):
            told = all_is_well(environment, "--username=member")
        assert told["member"]["says"].endswith("through member > staff > team > rds_iam")
    finally:
        local.as_postgres("DROP USER member; DROP ROLE staff; DROP ROLE team")


@contextlib.contextmanager
def changed(local, name, text):
    """Another text in front of a file of PostgreSQL's, for a while; the server reads it at once."""
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


def test_nobody_looks_at_the_token(local, environment):
    with changed(local, "pg_hba.conf", "host all postgres all trust\n"):
        reached = lambda: run(environment, "--username=postgres").returncode != 17  # noqa: E731
        wait_until(reached, "the new rules")
        fails(environment, "member", "not-in-rds-iam", "nobody looked at the token", "--username=postgres")
    all_is_well(environment)


@pytest.mark.parametrize("value, outcome", [("1", "fine"), ("0", "warning")])
def test_rds_force_ssl_is_read(local, environment, value, outcome):
    with changed(local, "postgresql.conf", f"rds.force_ssl = {value}\n"):
        told = wait_until(
            lambda: (found := all_is_well(environment))["force-ssl"]["outcome"] != "skipped" and found,
            "the new setting",
        )
        assert told["force-ssl"]["outcome"] == outcome
        assert told["force-ssl"]["finding"] == (None if outcome == "fine" else "force-ssl-off")


@pytest.mark.parametrize(
    "flag", ["--hostname=https://x", "--port=0", "--username=", "--timeout=0", "--hostaddr=x"]
)
def test_bad_input_is_no_step(environment, flag):
    done = run(environment, flag)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr


def test_the_text_is_for_80_columns_and_has_no_colour_in_a_pipe(environment):
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
def test_a_terminal_gets_colours_unless_they_are_not_wanted(environment, more, coloured):
    here, there = pty.openpty()
    with subprocess.Popen([RDSIGN, "doctor"], env=environment | more, stdout=there, stderr=there) as process:
        os.close(there)
        text = b""
        with contextlib.suppress(OSError):  # the terminal's other end is closed
            while part := os.read(here, 4096):
                text += part
        os.close(here)
        assert process.wait(PATIENCE) == 0
    assert (b"\x1b[32m" in text) == coloured


def test_every_finding_of_the_contract_is_tried_here():
    source = Path(__file__).read_text()
    tried = {id for id in ids("doctor") if f'"{id}"' in source}
    assert ids("doctor") - tried == set(UNTRIED.split())
