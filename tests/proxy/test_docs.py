"""Runs the examples of README.md and docs/proxy.md. Only the port and the authorities are changed."""

import subprocess
import threading

import pytest
from common import NO_AWS, PATIENCE, RDSIGN
from harness import Place, free_port
from pages import ENDPOINT, example


@pytest.fixture
def server():
    place = Place()
    local = place.start("--endpoint", f"{ENDPOINT}:5432")
    yield local
    assert local.stop() == 0
    place.close()


@pytest.fixture
def run(server, client_environment, tmp_path):
    """Runs an example of a proxy, and one of a client."""
    keys = {name: value for name, value in server.exports.items() if name.startswith("AWS_")}
    environment = server.place.environment() | keys | NO_AWS
    environment |= {
        "PGSSLROOTCERT": server.exports["PGSSLROOTCERT"],
        "PGHOST": ENDPOINT,
        "PGUSER": "iam_user",
    }

    def run(shown, client, **variables):
        port = str(free_port())
        command = shown.replace(
            "rdsign proxy", f"exec {RDSIGN} proxy --hostport {server.port} --hostaddr 127.0.0.1"
        )
        command = command.replace("6543", port).replace("0.0.0.0", "127.0.0.1")
        pipes = {"stderr": subprocess.PIPE, "stdin": subprocess.DEVNULL, "text": True, "cwd": tmp_path}
        with subprocess.Popen(["sh", "-euc", command], env=environment, **pipes) as proxy:
            timer = threading.Timer(PATIENCE, proxy.kill)
            timer.start()
            try:
                assert f"listening address=127.0.0.1:{port} " in proxy.stderr.readline()
                options = {"input": "select 40 + 2", "capture_output": True, "text": True, "cwd": tmp_path}
                done = subprocess.run(
                    ["sh", "-euc", client.replace("6543", port)],
                    env=client_environment | variables,
                    timeout=PATIENCE,
                    **options,
                )
                assert (done.returncode, done.stderr) == (0, "")
                assert "42" in done.stdout
            finally:
                timer.cancel()
                proxy.terminate()
            assert proxy.wait(PATIENCE) == 0

    return run


PAGE = example("docs/proxy.md", "sh"), example("docs/proxy.md", "sh", 1)
README = example("README.md", "sh", 1).splitlines()


@pytest.mark.parametrize("shown, client", [PAGE, README], ids=["docs", "readme"])
def test_the_examples_start_a_proxy_and_log_in(run, shown, client):
    run(shown, client)


def test_the_examples_with_a_password_and_tls_log_in(run, certificate, tmp_path):
    line, proxy, client = (example("docs/proxy.md", "sh", number) for number in (2, 3, 4))
    certificate.cert.rename(tmp_path / "proxy.pem")
    certificate.key.rename(tmp_path / "proxy.key")
    (tmp_path / "ca.pem").symlink_to("proxy.pem")
    command = ["sh", "-euc", line.replace("rdsign", str(RDSIGN))]
    subprocess.run(command, cwd=tmp_path, input="hunter2\n", text=True, check=True, timeout=PATIENCE)
    run(proxy, client.replace("proxy.example.com", "localhost"), PGPASSWORD="hunter2")


def test_the_file_s_example_is_accepted_and_checked(server, tmp_path):
    # Both endpoints are this server, which the tests reach by an address and with their own authority.
    dialed = f'hostport = {server.port}\nhostaddr = "127.0.0.1"'
    dialed += f'\nsslrootcert = "{server.exports["PGSSLROOTCERT"]}"\n[[endpoints]]'
    text = example("docs/proxy.md", "toml").replace("reports.abc123", "mydb.abc123")
    text = text.replace('profile = "reports"\n', "").replace("/run/user/1000", str(tmp_path))
    text = (text + "\n[[endpoints]]").replace("[[endpoints]]", dialed).replace(dialed, "[[endpoints]]", 1)
    (tmp_path / "proxy.toml").write_text("connect_timeout = 120\n" + text.rpartition("[[endpoints]]")[0])
    keys = {name: value for name, value in server.exports.items() if name.startswith("AWS_")}
    command = example("docs/proxy.md", "sh", 5).replace("rdsign", str(RDSIGN))
    options = {"env": server.place.environment() | keys | NO_AWS, "cwd": tmp_path, "timeout": PATIENCE}
    done = subprocess.run(["sh", "-euc", command], capture_output=True, text=True, **options)
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    shown = f"logged in to {ENDPOINT} at 127.0.0.1 port {server.port} as iam_user"
    assert done.stdout.splitlines() == [f"orders: {shown}", f"reports: {shown}"]
