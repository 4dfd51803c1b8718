"""`rdsign doctor` against servers that are each broken in one way.

Each test checks the step that fails, its finding, its text and the exit status, and that all checks
pass without the fault.
"""

import contextlib
import json
import os
import pty
import re
import socket
import ssl
import struct
import subprocess
import threading
import time
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from harness import PATIENCE, RDSIGN, contract, free_port, ids, wait_until

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

FINDINGS = ids("doctor", "answer", "finding") | {code for code, *_ in contract("codes")}


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


def as_on_rds(environment):
    """Without the log of `rdsign local`, the reason of a refusal is unknown, as on RDS."""
    return {name: value for name, value in environment.items() if name != "RDSIGN_LOCAL_LOG"}


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


def tls_listener(chain, key, after=lambda connection: None):
    """A server that answers SSLRequest, does the handshake and calls `after` with the connection."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain, key)

    def serve(connection):
        connection.recv(8)
        connection.sendall(b"S")
        with contextlib.suppress(ssl.SSLError), context.wrap_socket(connection, server_side=True) as inside:
            after(inside)

    return listener(serve)


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


def test_a_source_that_fails_is_reported_with_the_walk_to_it(environment):
    del environment["AWS_ACCESS_KEY_ID"]
    environment["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = "http://192.0.2.1/keys"
    report = fails(environment, "credentials", "CREDENTIALS_FAILED", "address of another machine")
    walk = report["credentials"]["next"]
    assert walk[0] == "environment: AWS_ACCESS_KEY_ID is not set"
    assert walk[-1] == "container: failed"


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
    for region, problem in [("EU", "is not a region"), ("us-east-2b", "is an availability zone")]:
        done = run(environment, f"--region={region}")
        assert (done.returncode, done.stdout) == (2, "") and problem in done.stderr


def test_a_wrong_region_is_suspected_if_the_name_has_none(local, environment):
    with local.configuration(("endpoints = [", 'endpoints = ["localhost", ')):
        report = passes(environment, "--hostname=localhost", "--region=ap-northeast-1")
        assert report["name"]["finding"] == "not-an-endpoint"
        flags = ["--hostname=localhost", "--region=eu-west-1"]
        report = fails(as_on_rds(environment), "login", "token-refused", "PAM authentication failed", *flags)
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
    "answer, then, finding, sentence",
    [
        (b"N", b"", "no-tls", "the server has no TLS, and rdsign sends no token without it"),
        (b"HTTP/1.1 400 Bad Request\r\n", b"", "not-postgresql", 'starts with "HTTP/1.1 400 Bad Request"$'),
        (
            b"SSH-2.0-OpenSSH_9.2\r\n",
            b"",
            "not-postgresql",
            'PostgreSQL\'s: it starts with "SSH-2.0-OpenSSH_9.2"$',
        ),
        (b"N\0\0\0\n8.0.36", b"", "not-postgresql", "the server's answer is not PostgreSQL's"),
        (b"", b"", "not-postgresql", "closed the connection"),
        (b"S", b"no TLS at all, for sure", "handshake", "the TLS handshake failed"),
        (b"S", b"", "handshake", "the TLS handshake failed: [^/]*$"),
    ],
    ids=["no TLS", "HTTP", "SSH", "MySQL", "nothing", "no handshake", "a hang-up"],
)
def test_a_server_that_is_not_postgresql_with_tls_is_reported(environment, answer, then, finding, sentence):
    asked = []

    def serve(connection):
        asked.append(connection.recv(100))
        connection.sendall(answer)
        if answer == b"S":
            asked.append(connection.recv(4096))
            connection.sendall(then)
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
    report = fails(environment, "tls", "unknown-issuer", issuer)
    assert "pass AWS's own global-bundle.pem as --sslrootcert" in report["tls"]["next"][0]
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


def certificate(folder, start, end, authority=None):
    """Creates a certificate and its authority with openssl. `authority` has the start and end of the
    authority's own validity. Returns (authority, chain, key)."""
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
    if authority:
        request = "req -new -key ca.key -config ca.cnf -out ca.csr -subj".split()
        openssl(*request, "/CN=An authority")
        again = "ca -config ca.cnf -selfsign -keyfile ca.key -extensions v -notext -batch".split()
        ends = ["-startdate", authority[0], "-enddate", authority[1]]
        openssl(*again, *ends, "-in", "ca.csr", "-out", "outdated.pem")
        (folder / "outdated.pem").replace(folder / "ca.pem")
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
    with tls_listener(chain, key) as port:
        fails(environment, "tls", finding, sentence, port, f"--sslrootcert={authority}")
    passes(environment)


VALID = ("20200101000000Z", "20900101000000Z")


@pytest.mark.parametrize(
    "start, end, finding, sentence",
    [
        (
            "20200101000000Z",
            "20210101000000Z",
            "certificate-expired",
            "expired at 2021-01-01T00:00:00Z; it is",
        ),
        (
            "20890101000000Z",
            "20910101000000Z",
            "certificate-not-yet-valid",
            "is not valid before 2089-01-01T00:00:00Z; it is",
        ),
    ],
    ids=["expired", "not yet valid"],
)
def test_an_authority_that_is_not_valid_now_is_refused_as_psql_does(
    environment, tmp_path, start, end, finding, sentence
):
    authority, chain, key = certificate(tmp_path, *VALID, authority=(start, end))
    sentence = f'signed by "An authority", whose own certificate, among .*, {sentence}'
    with tls_listener(chain, key) as port:
        fails(environment, "tls", finding, sentence, port, f"--sslrootcert={authority}")
    with tls_listener(chain, key) as port:
        more = {"PGPORT": port.split("=")[1], "PGSSLROOTCERT": str(authority)}
        psql = ["psql", "-c", "select 1"]
        refused = subprocess.run(
            psql, env=environment | more, text=True, capture_output=True, timeout=PATIENCE
        )
        assert "certificate verify failed" in refused.stderr
    # Another valid authority in the file does not change that.
    both = tmp_path / "both.pem"
    both.write_text(Path(environment["PGSSLROOTCERT"]).read_text() + authority.read_text())
    with tls_listener(chain, key) as port:
        fails(environment, "tls", finding, sentence, port, f"--sslrootcert={both}")
    passes(environment, f"--sslrootcert={both}")


def test_an_authority_as_the_server_s_certificate_is_reported(environment, tmp_path):
    authority, _, _ = certificate(tmp_path, *VALID)
    sentence = "the certificate is rejected: "
    with tls_listener(authority, tmp_path / "ca.key") as port:
        fails(environment, "tls", "bad-certificate", sentence, port, f"--sslrootcert={authority}")


def message(kind, body):
    """A message of PostgreSQL's protocol."""
    return kind + struct.pack("!I", len(body) + 4) + body


LOGGED_IN = message(b"R", bytes(4)) + message(b"Z", b"I")
NO_QUERY = message(b"E", b"SERROR\0VERROR\0C57014\0Mtoo slow\0\0") + message(b"Z", b"I")


def test_a_connection_that_ends_during_the_login_is_reported(environment, tmp_path):
    authority, chain, key = certificate(tmp_path, *VALID)
    with tls_listener(chain, key, lambda connection: connection.recv(4096)) as port:
        report = fails(environment, "login", "login-broken", "", port, f"--sslrootcert={authority}")
    assert "http" not in report["login"]["says"]


def test_queries_that_fail_are_reported(environment, tmp_path):
    authority, chain, key = certificate(tmp_path, *VALID)

    def refuse_queries(connection):
        connection.recv(4096)
        connection.sendall(LOGGED_IN)
        while connection.recv(4096)[:1] == b"Q":
            connection.sendall(NO_QUERY)

    with tls_listener(chain, key, refuse_queries) as port:
        failed, report, status = steps(environment, port, f"--sslrootcert={authority}")
    assert (failed, status) == ("clock", 18)
    for step, outcome in [("clock", "failed"), ("member", "failed"), ("force-ssl", "warning")]:
        assert (report[step]["finding"], report[step]["outcome"]) == ("query-failed", outcome)
        assert report[step]["says"].endswith("too slow")


def test_a_clock_that_differs_from_the_server_s_is_reported(environment, clock):
    clock.set(time.time() - 120)
    report = passes(environment | clock.environment)
    assert report["clock"]["finding"] == "clock-differs"
    assert re.search(r"this machine is 1[12]\d s behind the server's clock", report["clock"]["says"])
    clock.set(time.time() - 600)
    failed, report, status = steps(environment | clock.environment)
    assert (failed, status, report["clock"]["finding"]) == ("clock", 18, "clock-differs")


def test_an_address_without_a_route_is_reported(environment):
    # TCP reaches no multicast address.
    fails(environment, "tcp", "unreachable", "224.0.0.1:.* cannot be reached", "--hostaddr=224.0.0.1")


def test_names_without_an_address_or_an_answer_are_reported(environment, tmp_path):
    library = tmp_path / "names.so"
    source = Path(__file__).with_name("names.c")
    subprocess.run(["cc", "-shared", "-fPIC", "-Wall", "-Werror", "-o", library, source], check=True)
    own = environment | {"LD_PRELOAD": str(library)}
    del own["PGHOSTADDR"]
    fails(own, "tcp", "no-address", "the name has no address")
    silent = own | {"RDSIGN_TEST_NAMES": "silent"}
    fails(silent, "name", "name-timeout", "no answer about .* within 1 s", "--timeout=1")


def test_a_user_in_upper_case_is_suspected_to_be_lower_case(environment):
    sentence = "password authentication failed"
    report = fails(environment, "login", "not-an-iam-user", sentence, "--username=IAM_USER")
    assert "if the user is iam_user, pass --username iam_user" in report["login"]["next"][0]


def test_the_master_user_is_not_put_into_rds_iam(environment):
    sentence = "password authentication failed"
    report = fails(environment, "login", "not-an-iam-user", sentence, "--username=postgres")
    [advice] = report["login"]["next"]
    assert "use another user for tokens" in advice and "TO postgres" not in advice


def test_a_tunnel_s_port_that_was_signed_for_is_suspected(local, environment):
    own = as_on_rds(environment)
    with local.configuration((f'"{local.host}"', f'"{local.host}:5432"')):
        report = fails(own, "login", "token-refused", "PAM authentication failed")
        assert (report["token"]["outcome"], report["token"]["finding"]) == ("warning", "unusual-port")
        assert f"signed for port {local.port};" in report["token"]["next"][0]
        assert "a tunnel's as --hostport" in report["token"]["next"][0]
        report = passes(own, "--port=5432", f"--hostport={local.port}")
        assert report["token"]["outcome"] == "fine"
    assert passes(own)["token"]["outcome"] == "fine", "the port was right after all"


def test_the_log_of_rdsign_local_is_quoted(local, environment):
    with local.configuration((f'"{local.host}"', f'"{local.host}:5432"')):
        log = r"Its log, \$RDSIGN_LOCAL_LOG, says: refused \(wrong-endpoint\): "
        report = fails(environment, "login", "token-refused", log)
    assert [line.split(".")[0] for line in report["login"]["next"]] == ["Correct what the log names"]


def test_a_password_that_other_programs_would_send_is_reported(local, environment):
    other = local.token(hostname="other.abc123.ap-northeast-1.rds.amazonaws.com")
    for password, problem in [
        ("hunter2", "It is not a token"),
        (other, "but the login is to"),
        (local.token()[:-1], "It ends within its signature"),
    ]:
        report = passes(environment | {"PGPASSWORD": password})
        assert (report["token"]["outcome"], report["token"]["finding"]) == ("warning", "wrong-pgpassword")
        assert problem in report["token"]["next"][0] and "hunter2" not in str(report)
    assert "No check failed. Warnings: token.\n" in run(environment | {"PGPASSWORD": "hunter2"}).stdout


@pytest.mark.parametrize(
    "mode, problem",
    [
        ("disable", "psql would not use TLS, and RDS rejects tokens without TLS"),
        ("require", "psql would send a token to a server whose name it has not verified"),
        ("verify_full", "libpq does not know that mode"),
    ],
)
def test_an_sslmode_that_other_programs_would_obey_is_reported(environment, mode, problem):
    report = passes(environment | {"PGSSLMODE": mode})
    assert (report["tls"]["outcome"], report["tls"]["finding"]) == ("warning", "weak-sslmode")
    assert report["tls"]["says"].endswith(f'; but PGSSLMODE is "{mode}": {problem}')
    assert "All checks passed." not in run(environment | {"PGSSLMODE": mode}).stdout
    assert "All checks passed." in run(environment | {"PGSSLMODE": ""}).stdout


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
    report = fails(as_on_rds(environment | own), "login", "token-refused", "checked the token and refused it")
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
        report = fails(as_on_rds(environment), "login", "token-refused", "PAM authentication failed")
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


def test_a_server_that_does_not_check_the_token_is_reported(local, place, environment):
    """PostgreSQL without the library that checks tokens, and with rules that let everyone in."""
    postgres = os.readlink(f"/proc/{local.server_process()}/exe")
    folder = place.base / "kept"
    place.start("--data", folder).stop()
    data, port = folder / "data", free_port()
    (data / "pg_hba.conf").write_text("host all all all trust\n")
    user = [] if os.geteuid() else ["setpriv", f"--reuid={data.stat().st_uid}", "--clear-groups"]
    output = (place.base / "by-hand.log").open("w+")
    command = [*user, postgres, "-D", data, "-p", str(port)]
    server = subprocess.Popen(command, cwd="/", stdout=output, stderr=output)
    try:
        wait_until(lambda: "ready to accept" in Path(output.name).read_text(), "PostgreSQL")
        own = environment | {"PGPORT": str(port), "PGSSLROOTCERT": str(folder / "ca.pem")}
        sentence = "the server did not check the token"
        fails(own, "member", "not-in-rds-iam", sentence, "--username=postgres")
    finally:
        server.terminate()
        server.wait()


@pytest.mark.parametrize("value, outcome", [("1", "fine"), ("0", "warning")])
def test_rds_force_ssl_is_reported(local, environment, value, outcome):
    with local.changed("data/postgresql.conf", lambda text: f"{text}rds.force_ssl = {value}\n"):
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
    assert {id for id in ids("doctor") if f'"{id}"' not in source} == set()
